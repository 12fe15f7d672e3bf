"""The selector: it takes out of an image what a selection does not show.

It works on DynamoDB's typed JSON, before anything is made of it: what is left out cannot reach an
event, because the event is made of the rest. The text of what stays is copied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import DecodeError, Raw, Struct

from consumer.core.event.attribute import Members, decode_array, decode_object, decode_value, plain
from consumer.core.event.malformed import MalformedItem, ReservedAttribute
from consumer.core.event.member_names import MEMBER_NAMES
from consumer.core.event.selection.selection import REPLICATION, Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from consumer.core.event.selection.attribute_path import AttributePath


class Part(Struct, frozen=True):
    """The part of a map that is shown: of members by name, and of all others.

    A value that is no map, nor a list of maps, is shown as the others are.
    """

    named: Mapping[str, Shown]
    others: bool

    def of_member(self, name: str) -> Shown:
        """Return what is shown of a member."""
        return self.named.get(name, self.others)


Shown = Part | bool
"""What is shown of a value: all of it, nothing, or a part."""

_Tree = dict[str, "_Tree"]
"""Paths by their first name, then by the next one. At the end of a path there is an empty one."""


class Selector:
    """A selection, ready to be applied to images."""

    def __init__(self, selection: Selection) -> None:
        include = None if selection.include is None else _tree(selection.include)
        self._part = _part(include, _tree(selection.exclude))
        self._renamed = dict(selection.rename)
        self._hides_replication = include is None and not selection.replication
        plain = self._part.others and not self._hides_replication and not self._renamed
        self._named = frozenset(self._part.named) if plain else None

    def of_attribute(self, name: str) -> Shown:
        """Return what is shown of a top-level attribute."""
        if self._hides_replication and name.startswith(REPLICATION):
            return False
        return self._part.of_member(name)

    def shows_all_of(self, members: Members) -> bool:
        """Return whether an image is shown as it is, as far as that is soon said."""
        return self._named is not None and members.keys().isdisjoint(self._named)

    def seen(self, members: Members) -> dict[str, Raw]:
        """Return what is shown of an image, by the table's names. Raise MalformedItem."""
        found = {}
        for name, text in members.items():
            shown = self.of_attribute(name)
            if shown is True:
                found[name] = text
            elif shown is not False:
                try:
                    part = seen_value(text, shown)
                except (MalformedItem, DecodeError) as error:
                    raise MalformedItem(f"attribute {name!r}: {error}") from None
                if part is not None:
                    found[name] = part
        return found

    def shown(self, members: Members) -> dict[str, Raw]:
        """Return what is shown of an image, by the event's names.

        Raise ReservedAttribute if two attributes have one name there, and MalformedItem.
        """
        seen = self.seen(members)
        if not self._renamed:
            return seen
        found: dict[str, Raw] = {}
        sources: dict[str, str] = {}
        for name, text in seen.items():
            called = self._renamed.get(name, name)
            if called in found:
                both = f"{sources[called]!r} and {name!r}"
                raise ReservedAttribute(f"attributes {both}: both are shown as {called!r}")
            found[called] = text
            sources[called] = name
        return found


def seen_value(text: Raw, part: Part) -> Raw | None:
    """Return what is shown of an attribute value, None if it is nothing.

    Raise MalformedItem, or DecodeError.
    """
    value = decode_value(text)
    if len(value) == 1:
        if "M" in value:
            return Raw(b'{"M":%b}' % members_text(_seen_map(value["M"], part)))
        if "L" in value:
            elements = [seen_value(each, part) for each in decode_array(value["L"])]
            found = [each for each in elements if each is not None]
            whole = len(found) == len(elements)
            return Raw(b'{"L":[%b]}' % b",".join(found)) if whole else None
    if not part.others:
        return None
    plain(value)  # raises if it is not an attribute value: a part of it might be what is hidden
    return text


def members_text(members: Members) -> bytes:
    """Return the JSON object that has these members."""
    return b"{%b}" % b",".join([MEMBER_NAMES[name] + text for name, text in members.items()])


def _seen_map(text: Raw, part: Part) -> dict[str, Raw]:
    found = {}
    for name, value in decode_object(text).items():
        shown = part.of_member(name)
        if shown is True:
            found[name] = value
        elif shown is not False:
            seen = seen_value(value, shown)
            if seen is not None:
                found[name] = seen
    return found


def _tree(paths: Iterable[AttributePath]) -> _Tree:
    """Return the tree of these paths; one that leads into another's end has no effect."""
    root: _Tree = {}
    for path in sorted(paths, key=lambda path: len(path.names)):
        tree = root
        *way, last = path.names
        for name in way:
            if name in tree and not tree[name]:
                break  # a shorter path takes all of it
            tree = tree.setdefault(name, {})
        else:
            tree.setdefault(last, {})
    return root


def _part(include: _Tree | None, exclude: _Tree) -> Part:
    """Return what is shown of a map of which something is included (None: all) and excluded."""
    named = (
        {} if include is None else {name: _shown(below, None) for name, below in include.items()}
    )
    for name, below in exclude.items():
        if include is None:
            named[name] = _shown(None, below)
        elif name in include:
            named[name] = _shown(include[name], below)
    return Part(named, others=include is None)


def _shown(include: _Tree | None, exclude: _Tree | None) -> Shown:
    """Return what is shown of a member that the trees name. None is the tree of no path."""
    if exclude is not None and not exclude:
        return False  # a path ends here
    if exclude is None and not include:
        return True
    return _part(include or None, exclude or {})
