"""Items of a known shape: plain JSON with four calls into C instead of sixty.

The items of a table repeat their shape: the text between their scalars, which is names, braces and
brackets. A regular expression splits an item's text into scalars and the gaps between them; for gaps
once seen, the plain text of each gap is known and all that is left is to join.

Exact by construction: what the gaps become is not computed here but read off `plain_item`, run once
with a marker for each scalar. A marker that does not come out once and in its place (a name given
twice, a type that is none) means that the shape is not used. So `plain_item` stays the meaning.
An unescaped quote after a brace can only open a string, so no match begins inside of one.
"""

import re
from typing import Final

from msgspec import Raw

from consumer.core.attribute import decode_item, decode_value, plain, plain_item
from consumer.core.malformed import MalformedItem

SHAPES_REMEMBERED: Final = 512
SHAPE_BYTES: Final = 16_384  # of an item's text; larger ones are many shapes, and memory

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_split = re.compile(
    rb'\{"(?:[SB]":(' + _STRING + rb')|N":"(-?(?:0|[1-9][0-9]{0,17}+)(?:\.[0-9]++)?)")\}'
    rb'|(\{"(?:N":"[^"\\]*+"|BOOL":(?:true|false)|NULL":true'
    rb'|[SNB]S":\[(?:' + _STRING + rb",?)*+\])\})"
).split
_STRIDE = 4  # a gap, then the scalar as one of: string or binary, number, another one's whole text

_MARKED = rb'{"S":"\u0000%d;"}'
_split_at_markers = re.compile(rb'"\\u0000([0-9]+);"').split

_Gaps = tuple[bytes, ...]


class Shapes:
    """The shapes of a table's items; each is learned when it is seen for the second time."""

    def __init__(self) -> None:
        self._plain: dict[_Gaps, _Gaps | None] = {}  # None: this shape cannot be used
        self._seen: set[int] = set()  # hashes of the gaps of shapes that are not learned yet

    def plain_members(self, text: Raw) -> bytes:
        """The members of an image's plain JSON object, comma separated. Raises MalformedItem."""
        parts = _split(text)
        gaps = tuple(parts[::_STRIDE])
        plain_gaps = self._plain.get(gaps)
        if plain_gaps is None:
            self._meet(gaps)
            return b",".join(plain_item(decode_item(text)))
        parts[::_STRIDE] = plain_gaps
        try:
            for index, scalar in enumerate(parts[3::_STRIDE]):
                if scalar is not None:
                    parts[3 + index * _STRIDE] = plain(decode_value(scalar))
        except MalformedItem:
            return b",".join(plain_item(decode_item(text)))  # names the attribute
        return b"".join(filter(None, parts))

    def _meet(self, gaps: _Gaps) -> None:
        if gaps in self._plain or sum(map(len, gaps)) > SHAPE_BYTES:
            return
        if len(self._plain) + len(self._seen) >= SHAPES_REMEMBERED:
            self._plain.clear()
            self._seen.clear()
        if hash(gaps) in self._seen:
            self._plain[gaps] = _plain_gaps(gaps)
        else:
            self._seen.add(hash(gaps))


def _plain_gaps(gaps: _Gaps) -> _Gaps | None:
    """What `plain_item` makes of the gaps, or None where it does more than to splice scalars."""
    marked = b"".join(gap + _MARKED % index for index, gap in enumerate(gaps[:-1])) + gaps[-1]
    try:
        text = b",".join(plain_item(decode_item(Raw(marked))))
    except MalformedItem:
        return None
    parts = _split_at_markers(text)
    if parts[1::2] != [b"%d" % index for index in range(len(gaps) - 1)]:
        return None
    return tuple(parts[::2])
