"""Items of a known shape: plain JSON and patch by a few calls into C instead of one per value.

The items of a table repeat their shape: the text between their scalars, which is names, braces and
brackets. A regular expression splits an item's text into scalars and the gaps between them. If the
same gaps were seen before, their plain text is known, and the item is made by joining. If the item
had the same gaps before the change, the patch replaces the scalars that differ.

The result is that of `plain_item`: the plain text of the gaps is not computed here but taken from
`plain_item`, called once with a marker for each scalar. If the markers do not come out once each
and in their order (a name is given twice, a type does not exist), the shape is not used.
`plain_item` and `patch.diff` define the result; this module only computes it faster.
An unescaped quote after a brace either begins a string or ends one. The text after the end of a
string is not a type, so no match begins inside a string.

What a selection leaves out of an item is left out of its shape: the gaps have the plain text of
what is shown only, and only the scalars that are shown are picked. So each selection has shapes of
its own, which a text in no gap can tell apart: they are learned by the selector, once.
"""

import re
from collections.abc import Iterator
from itertools import compress
from operator import ne
from sys import getsizeof
from typing import Final, NamedTuple

from msgspec import Raw, Struct

from consumer.core.event.attribute import (
    AttributeValue,
    Item,
    decode_item,
    decode_list,
    decode_map,
    decode_members,
    decode_value,
    is_same,
    plain,
    plain_item,
)
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.member_names import pointer_step
from consumer.core.event.patch import replace
from consumer.core.event.selection.selection import Selection
from consumer.core.event.selection.selector import Selector, members_text

SHAPES_REMEMBERED: Final = 256
SHAPE_BYTES: Final = 16_384  # of gaps; larger items have many shapes, and these take memory
POINTERS_BYTES: Final = 2 * 1024 * 1024  # memory of a shape's pointers, which repeat names
SHAPES_BYTES: Final = 32 * 1024 * 1024  # memory of all shapes of a process

_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_split = re.compile(
    rb'\{"(?:'  # in front of all alternatives: it lets the search skip what cannot match
    rb'[SB]":(' + _STRING + rb")"
    rb'|N":"(-?(?:0|[1-9][0-9]{0,17}+)(?:\.[0-9]++)?)"'
    rb'|(N":"[^"\\]*+"|BOOL":(?:true|false)|NULL":true'
    rb"|[SNB]S\":\[(?:" + _STRING + rb",?)*+\]))\}"
).split
_STRIDE: Final = 4  # a gap; then one of: string or binary, safe number, all else as `BOOL":true`
_LETTER: Final = b"A"  # strings and numbers sort before it; the others begin with their type
_CONSTANTS: Final = {b'BOOL":true': b"true", b'BOOL":false': b"false", b'NULL":true': b"null"}

_MARKED: Final = rb'{"S":"\u0000%d;"}'
_marker = re.compile(rb'"\\u0000([0-9]+);"')
_NUL: Final = rb"\u0000"

Gaps = tuple[bytes, ...]


class Place(NamedTuple):
    """The position of a scalar in the item, as JSON pointers."""

    pointer: bytes  # as a JSON string without its quotes
    list_pointer: bytes  # of the outermost list around it; empty outside of lists


class Shape(Struct, frozen=True):
    """The parts that all items with the same gaps have in common."""

    names: frozenset[str]  # of the attributes
    plain_gaps: Gaps  # one more than `places`
    places: tuple[Place, ...]
    picked: tuple[bool, ...] | None = None  # which scalars are shown; None: all of them


class Spliced(Struct, frozen=True):
    """An item of a known shape."""

    shape: Shape
    scalars: list[bytes]  # plain JSON, or what `_plain` makes plain

    def members(self) -> bytes:
        """Return the members of its plain JSON object, comma separated. Raises MalformedItem."""
        parts = [b""] * (2 * len(self.scalars) + 1)
        parts[::2] = self.shape.plain_gaps
        parts[1::2] = [text if text < _LETTER else _plain(text) for text in self.scalars]
        return b"".join(parts)

    def diff(self, old: "Spliced", limit: int) -> list[bytes] | None:
        """Return the patch that `patch.diff` would make, None if `patch.diff` must be called.

        It must be called if the shapes differ, if several scalars of one list differ (then
        replacing the whole list may be shorter), or if the patch takes more than `limit` bytes.
        Raises MalformedItem.
        """
        if old.shape is not self.shape:
            return None
        patch = []
        lists = set()
        changes = zip(self.shape.places, old.scalars, self.scalars, strict=True)
        for place, old_text, text in compress(changes, map(ne, old.scalars, self.scalars)):
            value = _plain(text)
            if is_same(_plain(old_text), value):
                continue
            if place.list_pointer:
                if place.list_pointer in lists:
                    return None
                lists.add(place.list_pointer)
            operation = replace(place.pointer, value)
            limit -= len(operation)
            if limit < 0:
                return None
            patch.append(operation)
        return patch


class Shapes:
    """The shapes of a table's items. A shape is learned when it is seen for the second time.

    `of` returns those of a selection, which all its routes share. Each selection's are forgotten
    when they are more than SHAPES_REMEMBERED, those of all when they take more than SHAPES_BYTES.
    """

    def __init__(
        self,
        selector: Selector | None = None,
        relatives: "dict[Selection | None, Shapes] | None" = None,
    ) -> None:
        self.selector = selector
        self._relatives: dict[Selection | None, Shapes] = (
            {None: self} if relatives is None else relatives
        )
        self._learned: dict[Gaps, Shape | None] = {}  # None: this shape cannot be used
        self._seen: set[int] = set()  # hashes of gaps that are not learned yet
        self.weight = 0  # bytes of memory of `_learned`

    def of(self, selection: Selection | None) -> "Shapes":
        """Return the shapes of what a selection shows; None shows all."""
        if selection is None or selection in self._relatives:
            return self._relatives[selection]
        shapes = self._relatives[selection] = Shapes(Selector(selection), self._relatives)
        return shapes

    def splice(self, text: Raw) -> Spliced | None:
        """Return the item whose JSON is `text`, or None if its shape is not known or not usable."""
        parts = _split(text)
        gaps = tuple(parts[::_STRIDE])
        shape = self._learned.get(gaps)
        if shape is None:
            self._meet(gaps)
            return None
        del parts[::_STRIDE]
        if shape.picked is not None:
            return Spliced(shape, [*compress(filter(None, parts), shape.picked)])
        return Spliced(shape, [*filter(None, parts)])

    def _meet(self, gaps: Gaps) -> None:
        if gaps in self._learned or sum(map(len, gaps)) > SHAPE_BYTES:
            return
        if len(self._learned) + len(self._seen) >= SHAPES_REMEMBERED:
            self.forget()
        if hash(gaps) in self._seen:
            shape = _learn(gaps, self.selector)
            weight = _weight(gaps, shape)
            relatives = self._relatives.values()
            if sum(shapes.weight for shapes in relatives) + weight > SHAPES_BYTES:
                for shapes in relatives:
                    shapes.forget()
            self._learned[gaps] = shape
            self.weight += weight
        self._seen.add(hash(gaps))

    def forget(self) -> None:
        """Forget all shapes of this selection."""
        self._learned.clear()
        self._seen.clear()
        self.weight = 0


def _weight(gaps: Gaps, shape: Shape | None) -> int:
    """Return the bytes of memory that are used to remember a shape."""
    weight = getsizeof(gaps) + sum(map(getsizeof, gaps))
    if shape is not None:
        weight += getsizeof(shape.names) + sum(map(getsizeof, shape.names))
        weight += getsizeof(shape.plain_gaps) + sum(map(getsizeof, shape.plain_gaps))
        weight += getsizeof(shape.places) + sum(map(_weight_of_place, shape.places))
        weight += getsizeof(shape.picked)
    return weight


def _weight_of_place(place: Place) -> int:
    return getsizeof(place) + getsizeof(place.pointer)  # the list's is shared by its places


def _plain(text: bytes) -> bytes:
    if text < _LETTER:
        return text
    return _CONSTANTS.get(text) or plain(decode_value(b'{"' + text + b"}"))


def _learn(gaps: Gaps, selector: Selector | None) -> Shape | None:
    if selector is not None and any(_NUL in gap for gap in gaps):
        return None  # a name might pass for the marker of a scalar that is not shown
    marked = b"".join(gap + _MARKED % index for index, gap in enumerate(gaps[:-1])) + gaps[-1]
    try:
        item = decode_item(Raw(marked))
        parts = _marker.split(b",".join(plain_item(item)))
        if parts[1::2] != [b"%d" % index for index in range(len(gaps) - 1)]:
            return None
        if selector is None:
            return _shape(item, parts, None)
        members = decode_members(Raw(marked))
        shown = selector.shown(members)
        if any("\0" in name for name in shown):
            return None  # so might a new name
        item = decode_item(Raw(members_text(shown)))
        parts = _marker.split(b",".join(plain_item(item)))
    except MalformedItem:
        return None
    found, shown_scalars = [*map(int, parts[1::2])], set(map(int, parts[1::2]))
    if not members or found != sorted(shown_scalars):
        return None
    picked = tuple(index in shown_scalars for index in range(len(gaps) - 1))
    return _shape(item, parts, None if all(picked) else picked)


def _shape(item: Item, parts: list[bytes], picked: tuple[bool, ...] | None) -> Shape | None:
    places: list[Place] = []
    room = POINTERS_BYTES
    for place in _places_of_item(b"", b"", item):
        places.append(place)
        room -= _weight_of_place(place)
        if room < 0:
            return None
    return Shape(frozenset(item), tuple(parts[::2]), tuple(places), picked)


def _places_of_item(path: bytes, list_pointer: bytes, item: Item) -> Iterator[Place]:
    for name, value in item.items():
        yield from _places(path + pointer_step(name), list_pointer, value)


def _places(path: bytes, list_pointer: bytes, value: AttributeValue) -> Iterator[Place]:
    if "M" in value:
        yield from _places_of_item(path, list_pointer, decode_map(value["M"]))
    elif "L" in value:
        for index, element in enumerate(decode_list(value["L"])):
            yield from _places(b"%b/%d" % (path, index), list_pointer or path, element)
    elif "S" in value and _marker.fullmatch(value["S"]):  # others belong to a gap
        yield Place(path, list_pointer)
