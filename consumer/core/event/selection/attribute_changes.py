"""Whether a change touches one of some attributes, compared as events show them.

What counts is the value at the end of each path: a set without its order, a map member by member, a
number as it is written. That a map or list on the way is made or goes is no difference by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import DecodeError, Raw

from consumer.core.event.attribute import decode_array, decode_members, decode_object, decode_value
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.patch import diff

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.core.event.attribute import Members
    from consumer.core.event.selection.attribute_path import AttributePath


class AttributeChanges:
    """Looks at these attributes."""

    def __init__(self, paths: Iterable[AttributePath]) -> None:
        self._ways: dict[str, list[tuple[str, ...]]] = {}
        for path in paths:
            self._ways.setdefault(path.names[0], []).append(path.names[1:])

    def differ(self, old: Raw | None, new: Raw | None) -> bool:
        """Return whether one of them differs in two images. Raise MalformedItem."""
        if old is None or new is None:
            raise MalformedItem(f"it has no {'OldImage' if old is None else 'NewImage'}")
        before, after = decode_members(old), decode_members(new)
        for name, ways in self._ways.items():
            one, two = before.get(name), after.get(name)
            if one == two:
                continue
            for way in ways:
                try:
                    values = _values(one, way), _values(two, way)
                except DecodeError as error:
                    raise MalformedItem(f"attribute {name!r}: {error}") from None
                if diff(*values, limit=0) != []:
                    return True
        return False


def _values(value: Raw | None, way: tuple[str, ...]) -> Members:
    """Return what stands at the end of a way into an attribute, by its place in lists."""
    found: dict[str, Raw] = {}
    if value is not None:
        _find(found, value, way, ".".join(way))
    return found


def _find(found: dict[str, Raw], value: Raw, way: tuple[str, ...], place: str) -> None:
    if not way:
        found[place] = value
        return
    held = decode_value(value)
    if "M" in held:
        below = decode_object(held["M"]).get(way[0])
        if below is not None:
            _find(found, below, way[1:], place)
    elif "L" in held:
        for index, element in enumerate(decode_array(held["L"])):
            _find(found, element, way, f"{place} {index}")
