"""Items of any shape: their text is split into scalars and gaps, and each gap has one meaning.

A gap is the text between two scalars: braces, brackets, commas and names. What it becomes in plain
JSON depends on nothing else: `{"M":{` opens a map, `}}` closes one, `{"L":[` and `]}` do so for a
list, names stay. So the plain text of each gap is remembered, whatever item it came from: a table
has few different gaps, however many shapes its items have.

The expressions are quick because they may be wrong. The end of a string is taken for a quote that
no backslash is in front of, so one that ends in an escaped backslash is read too far, up to where
another string begins; a set that has a bracket in a text is cut. Then the next gap begins inside of
a string, and there no gap is found that has a meaning: between quotes there is none. Of such an
item nothing is taken, and `plain_item` makes it, which defines the result.

That a name is given twice in a map, or is spelled as msgspec would not, can be seen in no gap by
itself: so an item's gaps with a 0 for each scalar are decoded and encoded again, which must give
the same. Gaps that have been seen together are not tried again.
"""

import re
from functools import lru_cache
from sys import getsizeof
from typing import Final, NamedTuple

from msgspec import DecodeError, json

from consumer.core.event.attribute import plain_text

OTHERS_REMEMBERED: Final = 1024
OTHER_BYTES: Final = 256
"""The most remembered scalars that are no text, number or constant, and the most bytes of one.

They are small sets mostly, which come again and again: labels, categories, rights.
"""

GAPS_BYTES: Final = 2 * 1024 * 1024
"""Most memory of the gaps that are remembered."""

GAP_BYTES: Final = 2_048
"""A longer gap is not remembered."""

SEEN_TOGETHER: Final = 4_096
"""Most lists of gaps of which it is remembered that they make an item."""

STRING: Final = rb'"[^"]*+"(?:(?<=\\")[^"]*+")*+'
NUMBER: Final = rb"-?+(?:0|[1-9][0-9]{0,17}+)(?:\.[0-9]++)?+"
"""A number that is written in JSON as DynamoDB writes it. Possessive: a third faster."""

OTHER: Final[dict[bytes, bytes]] = {
    b"BOOL": rb'BOOL":(?:true|false)',
    b"NULL": rb'NULL":true',
    b"N": rb'N":"[^"]*+"',
    b"B": rb'B":"[^"]*+"',
    **{kind: kind + rb'":\[[^\]]*+\]' for kind in (b"SS", b"NS", b"BS")},
    b"M": rb'M":\{\}',
    b"L": rb'L":\[\]',
}
"""Scalars that have to be made plain, by their type: what is empty counts as a scalar, too."""

_split = re.compile(
    rb'\{"(?:'  # in front of all alternatives: it lets the search skip what cannot match
    rb'S":(' + STRING + rb')|N":"(' + NUMBER + rb')"|(' + b"|".join(OTHER.values()) + rb"))\}"
).split
_STRIDE: Final = 4  # a gap; then one of: a string, a number, another scalar from its type on
_OTHERS: Final = 3

FIRST_LETTER: Final = b"A"
AFTER_LETTERS: Final = b"["
"""Between them sort the scalars that begin with their type; all others are plain."""

_NAME: Final = rb'"[^"\\]*+":'
_OPENED: Final = rb'((?:\{"M":\{' + _NAME + rb'|\{"L":\[)*+)'
_first = re.compile(rb"\{(" + _NAME + rb")" + _OPENED).fullmatch
_between = re.compile(rb"((?:[\]}]\})*+),((?:" + _NAME + rb")?+)" + _OPENED).fullmatch
_last = re.compile(rb"((?:[\]}]\})*+)\}").fullmatch
EMPTY: Final = frozenset((b'M":{}', b'L":[]'))
"""What counts as a scalar because there is none in it."""

_CONSTANTS: Final = {
    b'BOOL":true': b"true",
    b'BOOL":false': b"false",
    b'NULL":true': b"null",
    b'M":{}': b"{}",
    b'L":[]': b"[]",
}


class UnknownGap(LookupError):
    """A gap that has no meaning by itself."""


class PlainGaps(dict[bytes, bytes]):
    """The plain text of gaps. All are forgotten when they take more than GAPS_BYTES."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = 0

    def __missing__(self, gap: bytes) -> bytes:
        meaning = _plain_gap(gap)
        if len(gap) <= GAP_BYTES:
            self._bytes += getsizeof(gap) + getsizeof(meaning) + _ENTRY_BYTES
            if self._bytes > GAPS_BYTES:
                self.clear()
                self._bytes = 0
            self[gap] = meaning
        return meaning


_ENTRY_BYTES: Final = 150  # in a dictionary that has grown, while it is copied to grow again


class Split(NamedTuple):
    """An item that was split."""

    gaps: list[bytes]  # one more than `scalars`
    scalars: list[bytes]  # plain JSON, or what `plain_scalar` makes plain


def split(text: bytes) -> Split:
    """Return the scalars of an item's text and the gaps between them, which may make no sense."""
    parts = _split(text)
    gaps = parts[::_STRIDE]
    del parts[::_STRIDE]
    return Split(gaps, [*filter(None, parts)])


class PlainItem(NamedTuple):
    """An item as plain JSON: its members, comma separated."""

    members: bytes
    key: int  # of its gaps: nearly always another one for other gaps


class PlainItems:
    """Makes items plain by their gaps."""

    def __init__(self) -> None:
        self._plain = PlainGaps().__getitem__
        self._together: set[int] = set()  # keys of gaps that make an item

    def of(self, text: bytes) -> PlainItem | None:
        """Return the item whose JSON is `text`, None if it must be walked. Raises MalformedItem."""
        parts = _split(text)
        try:
            gaps = [*map(self._plain, parts[::_STRIDE])]
        except UnknownGap:
            return None
        whole = b"0".join(gaps)
        key = hash(whole)
        if key not in self._together:
            if not _is_item(b"{" + whole + b"}"):
                return None
            if len(self._together) >= SEEN_TOGETHER:
                self._together.clear()
            self._together.add(key)
        parts[::_STRIDE] = gaps
        others = parts[_OTHERS::_STRIDE]
        if any(others):
            parts[_OTHERS::_STRIDE] = [text and _plain_other(text) for text in others]
        return PlainItem(b"".join(filter(None, parts)), key)


def _is_item(text: bytes) -> bool:
    """Return whether no name is given twice, and names are spelled as ever."""
    try:
        return json.encode(json.decode(text)) == text
    except DecodeError:
        return False


def plain_scalar(text: bytes) -> bytes:
    """Return the plain JSON of a scalar. Raises MalformedItem."""
    return _plain_other(text) if FIRST_LETTER < text < AFTER_LETTERS else text


def _plain_other(text: bytes) -> bytes:
    constant = _CONSTANTS.get(text)
    if constant is not None:
        return constant
    return _remembered(text) if len(text) <= OTHER_BYTES else _made(text)


def _made(text: bytes) -> bytes:
    kind, value = text.split(b'":', 1)
    return plain_text(kind.decode(), value)


_remembered = lru_cache(maxsize=OTHERS_REMEMBERED)(_made)


def _plain_gap(gap: bytes) -> bytes:
    found = _between(gap)
    if found is not None:
        closed, name, opened = found.groups()
        return closed[::2] + b"," + name + _plain_opened(opened)
    found = _first(gap)
    if found is not None:
        name, opened = found.groups()
        return name + _plain_opened(opened)
    found = _last(gap)
    if found is not None:
        return found[1][::2]
    raise UnknownGap


def _plain_opened(opened: bytes) -> bytes:
    return opened.replace(b'{"M":{', b"{").replace(b'{"L":[', b"[") if opened else b""
