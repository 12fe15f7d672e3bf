"""Items of one shape: plain JSON and patch by a few calls into C instead of one per value.

The items of a table repeat their shape: the gaps between their scalars. Of one that comes again and
again a regular expression is compiled that takes all scalars of such an item at once. The item is
made by joining them with the plain text of the gaps. If the item had the same shape before its
change, the expression takes both texts, one after the other, and of the one before only the scalars
that differ, which the patch replaces.

The result is that of `plain_item`: the plain text of the gaps is not computed here but taken from
`plain_item`, called once with a marker for each scalar. If the markers do not come out once each
and in their order (a name is given twice, a type does not exist), the shape is not used.
`plain_item` and `patch.diff` define the result; this module only computes it faster.

What a selection leaves out of an item is left out of its shape: the gaps have the plain text of
what is shown only, and only the scalars that are shown are picked. So each selection has shapes of
its own, which a text in no gap can tell apart: they are learned by the selector, once.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from sys import getsizeof
from typing import Final, NamedTuple

from msgspec import Raw, Struct

from consumer.core.event.attribute import (
    BACKSLASH,
    AttributeValue,
    Item,
    decode_item,
    decode_list,
    decode_map,
    decode_members,
    is_same,
    plain_item,
)
from consumer.core.event.items.plain_gaps import (
    AFTER_LETTERS,
    EMPTY,
    FIRST_LETTER,
    NUMBER,
    OTHER,
    STRING,
    Split,
    plain_scalar,
)
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.member_names import pointer_step
from consumer.core.event.patch import replaced
from consumer.core.event.selection.selector import Selector, members_text

SHAPE_BYTES: Final = 4_096
"""Most bytes of the gaps of a shape: to compile them takes up to 40 ms."""

SHAPE_SCALARS: Final = 200
"""Most scalars of a shape."""

POINTERS_BYTES: Final = 256 * 1024
"""Most memory of a shape's pointers, which repeat names."""

_MARKED: Final = rb'{"S":"\u0000%d;"}'
_marker = re.compile(rb'"\\u0000([0-9]+);"')
_NUL: Final = rb"\u0000"


Scalars = tuple[bytes, ...]
"""The scalars of an item that are shown: plain JSON, or what `plain_scalar` makes plain.

Of an item before its change those that have the same text after it are empty.
"""


class Place(NamedTuple):
    """The position of a scalar in the item."""

    replaced: bytes  # the operation that replaces it, up to its value
    list_pointer: bytes  # JSON pointer of the outermost list around it; empty outside of lists


class Shape(Struct, frozen=True):
    """The parts that all items with the same gaps have in common."""

    count: int  # of scalars, shown or not
    names: frozenset[str]  # of what is shown
    attributes: frozenset[str]  # the names of all, shown or not
    plain: bytes  # the members of the plain item, with %b for each scalar
    places: tuple[Place, ...]
    picked: tuple[bool, ...] | None  # which scalars are shown; None: all of them
    others: frozenset[int]  # which of those that are shown are to be made plain
    steps: tuple[bytes, ...]  # expressions of its gaps, and of the scalars between them
    match: Callable[[bytes], re.Match[bytes] | None]  # an item, or one after and before its change
    weight: int  # bytes of memory, about

    def scalars(self, text: bytes) -> Scalars | None:
        """Return the scalars of the item whose JSON is `text`, None if it has another shape."""
        found = self.match(text)
        if found is None:
            return None
        scalars = found.groups()[: self.count]
        return scalars if self.picked is None else tuple(compress(scalars, self.picked))

    def change(self, text: bytes | Raw, before: Raw) -> tuple[Scalars, Scalars] | None:
        """Return the scalars of an item, and those of the item before its change.

        Return None if one of them has another shape.
        """
        found = self.match(b",".join((text, before)))
        if found is None:
            return None
        scalars, count, picked = found.groups(b""), self.count, self.picked
        after, was = scalars[:count], scalars[count:]
        if picked is None:
            return after, was
        return tuple(compress(after, picked)), tuple(compress(was, picked))

    def members(self, scalars: Scalars) -> bytes:
        """Return the members of an item's plain JSON, comma separated. Raises MalformedItem."""
        if self.others:
            made = list(scalars)
            for index in self.others:
                made[index] = plain_scalar(made[index])
            scalars = tuple(made)
        return self.plain % scalars

    def patch(self, before: Scalars, after: Scalars, limit: int) -> list[bytes] | None:
        """Return the patch that `patch.diff` would make, None if `patch.diff` must be called.

        It must be called if several scalars of one list differ (then replacing the whole list may
        be shorter), or if the patch takes more than `limit` bytes. Raises MalformedItem.
        """
        patch = []
        lists = set()
        places = self.places
        for index in compress(range(len(places)), before):
            value, old_value = after[index], before[index]
            if index in self.others or BACKSLASH in value + old_value:
                value, old_value = plain_scalar(value), plain_scalar(old_value)
                if is_same(old_value, value):
                    continue
            replaced, list_pointer = places[index]
            if list_pointer:
                if list_pointer in lists:
                    return None
                lists.add(list_pointer)
            operation = replaced + value + b"}"
            limit -= len(operation)
            if limit < 0:
                return None
            patch.append(operation)
        return patch


def _weight_of_place(place: Place) -> int:
    return getsizeof(place) + getsizeof(place.replaced)  # the list's is shared by its places


def shape_of(item: Split, selector: Selector | None = None) -> Shape | None:
    """Return the shape of what a selector shows of an item, None if it cannot be used."""
    gaps, scalars = _without_empty(item)
    if sum(map(len, gaps)) > SHAPE_BYTES or len(scalars) > SHAPE_SCALARS:
        return None
    if any(_NUL in gap for gap in gaps):
        return None  # a name might pass for the marker of a scalar that is not shown
    marked = b"".join(gap + _MARKED % index for index, gap in enumerate(gaps[:-1])) + gaps[-1]
    try:
        decoded = decode_item(Raw(marked))
        parts = _marker.split(b",".join(plain_item(decoded)))
        if parts[1::2] != [b"%d" % index for index in range(len(gaps) - 1)]:
            return None
        if selector is None or selector.shows_all_of(decode_members(Raw(marked))):
            return _shape(decoded, decoded, parts, None, Split(gaps, scalars))
        members = decode_members(Raw(marked))
        shown = selector.shown(members)
        if any("\0" in name for name in shown):
            return None  # so might a new name
        seen = decode_item(Raw(members_text(shown)))
        parts = _marker.split(b",".join(plain_item(seen)))
    except MalformedItem:
        return None
    found, shown_scalars = [*map(int, parts[1::2])], set(map(int, parts[1::2]))
    if not members or found != sorted(shown_scalars):
        return None
    picked = tuple(index in shown_scalars for index in range(len(gaps) - 1))
    picks = None if all(picked) else picked
    return _shape(decoded, seen, parts, picks, Split(gaps, scalars))


def _without_empty(item: Split) -> Split:
    """Return the item with what is empty in its gaps: a selection tells it from a scalar."""
    gaps, scalars = [item.gaps[0]], []
    for gap, scalar in zip(item.gaps[1:], item.scalars, strict=True):
        if scalar in EMPTY:
            gaps[-1] += b'{"%b}%b' % (scalar, gap)
        else:
            gaps.append(gap)
            scalars.append(scalar)
    return Split(gaps, scalars)


def _steps(item: Split) -> tuple[bytes, ...]:
    """Return the expressions that match the item's gaps, and scalars of these types."""
    steps = [re.escape(item.gaps[0])]
    for gap, scalar in zip(item.gaps[1:], item.scalars, strict=True):
        kind, colon, _ = scalar.partition(b'":')
        if scalar.startswith(b'"'):
            steps.append(rb'\{"S":(' + STRING + rb")\}")
        elif kind == b"BOOL":
            steps.append(rb'\{"BOOL":(true|false)\}')
        elif colon:
            steps.append(rb'\{"(' + OTHER[kind] + rb")\}")
        else:
            steps.append(rb'\{"N":"(' + NUMBER + rb')"\}')
        steps.append(re.escape(gap))
    return tuple(steps)


def _steps_before(steps: Sequence[bytes]) -> Iterator[bytes]:
    """Return the expressions of the item before its change, which stands behind the item.

    A scalar is taken only if it differs. Each is looked at once, whatever follows: otherwise an
    item of another shape would be tried with either choice for each of its scalars.
    """
    for number, step in enumerate(steps):
        if number % 2 == 0:
            yield step
        else:
            start, end = step.index(b"("), step.rindex(b")") + 1
            same = step[:start] + b"\\%d" % (number // 2 + 1) + step[end:]
            yield b"(?>%b|%b)" % (same, step)


def _shape(
    whole: Item,
    item: Item,
    parts: list[bytes],
    picked: tuple[bool, ...] | None,
    split: Split,
) -> Shape | None:
    places: list[Place] = []
    room = POINTERS_BYTES
    for place in _places_of_item(b"", b"", item):
        places.append(place)
        room -= _weight_of_place(place)
        if room < 0:
            return None
    steps = _steps(split)
    pattern = re.compile(b"%b(?:,%b|)" % (b"".join(steps), b"".join(_steps_before(steps))))
    shown = split.scalars if picked is None else [*compress(split.scalars, picked)]
    others = frozenset(number for number, text in enumerate(shown) if _is_other(text))
    names, attributes = frozenset(item), frozenset(whole)
    plain = b"%b".join(gap.replace(b"%", b"%%") for gap in parts[::2])
    weighed = (*attributes, attributes, names, plain, picked, *steps, pattern)
    weight = POINTERS_BYTES - room + sum(map(getsizeof, weighed))
    match, count = pattern.fullmatch, len(split.scalars)
    return Shape(
        count, names, attributes, plain, tuple(places), picked, others, steps, match, weight
    )


def _is_other(scalar: bytes) -> bool:
    return FIRST_LETTER < scalar < AFTER_LETTERS and not scalar.startswith(b"BOOL")


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
        yield Place(replaced(path), list_pointer)
