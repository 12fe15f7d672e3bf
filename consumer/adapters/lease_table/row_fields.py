"""The attributes of one row, read strictly: what another hand wrote is named, never guessed.

Python reads more as a number than DynamoDB writes: digits of other scripts, underscores, infinity.
A superscript is a digit to `str.isdigit`. Here a number consists of ASCII characters only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from math import isfinite
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import Struct

from consumer.core.leases.checkpoint import UNREADABLE, is_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable

_COUNT: Final = re.compile(r"[0-9]{1,18}")
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")

Value = TypeVar("Value")


class Unreadable(Struct, frozen=True):
    """A row that cannot be read: its sort key, and the first attribute that is wrong or missing."""

    key: str
    attribute: str


class RowFields:
    """Reads the attributes of one row.

    A method returns a neutral value for an attribute that it cannot read, and the name of the first
    such attribute is kept in `unreadable`.
    """

    def __init__(self, row: Mapping[str, Mapping[str, object]]) -> None:
        self._row = row
        self.unreadable: str | None = None

    def note(self, name: str) -> None:
        """Note that an attribute cannot be read."""
        if self.unreadable is None:
            self.unreadable = name

    def text(self, name: str, *, empty: bool = False) -> str:
        """Return a text that must be there, and must not be empty unless `empty`."""
        return self._read(name, lambda value: _text(value, empty=empty), "")

    def text_if_any(self, name: str, *, empty: bool = False) -> str | None:
        """Return a text, None if it is absent."""
        return self.text(name, empty=empty) or None if name in self._row else None

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts that must be there."""
        return self._read(name, _texts, ())

    def texts_if_any(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, empty if it is absent."""
        return self.texts(name) if name in self._row else ()

    def count(self, name: str) -> int:
        """Return a whole number from 0 on that must be there."""
        return self._read(name, _count, 0)

    def count_if_any(self, name: str) -> int:
        """Return a whole number from 0 on, 0 if it is absent."""
        return self.count(name) if name in self._row else 0

    def time(self, name: str) -> float:
        """Return a number that must be there."""
        return self._read(name, _number, 0.0)

    def time_if_any(self, name: str) -> float | None:
        """Return a number, None if it is absent or cannot be read."""
        return self._read(name, _number, None) if name in self._row else None

    def seconds_if_any(self, name: str) -> float | None:
        """Return a number above 0, None if it is absent or cannot be read."""
        return self._read(name, _seconds, None) if name in self._row else None

    def truth(self, name: str) -> bool:
        """Return a truth value, False if it is absent."""
        return name in self._row and self._read(name, _truth, fallback=False)

    def checkpoint(self, name: str) -> str:
        """Return a checkpoint that must be there, UNREADABLE if it is none."""
        return self._read(name, _checkpoint, UNREADABLE)

    def fields_of(self, name: str) -> RowFields:
        """Return the members of a map that must be there."""
        return RowFields(self._read(name, _map, {}))

    def digest(self) -> int:
        """Return a number that changes with any attribute of the row."""
        text = repr(sorted((name, repr(value)) for name, value in self._row.items()))
        return int.from_bytes(blake2b(text.encode(errors="replace"), digest_size=7).digest())

    def _read(
        self,
        name: str,
        convert: Callable[[Mapping[str, object]], Value],
        fallback: Value,
    ) -> Value:
        try:
            return convert(self._row[name])
        except (KeyError, TypeError, ValueError):
            self.note(name)
            return fallback


def _text(value: Mapping[str, object], *, empty: bool = False) -> str:
    text = value["S"]
    if not isinstance(text, str) or not (text or empty):
        raise ValueError("no text")
    return text


def _texts(value: Mapping[str, object]) -> tuple[str, ...]:
    items = value["L"]
    if not isinstance(items, Sequence):
        raise TypeError("no list")
    return tuple(_text(item) for item in items)


def _count(value: Mapping[str, object]) -> int:
    text = str(value["N"])
    if not _COUNT.fullmatch(text):
        raise ValueError("no whole number")
    return int(text)


def _number(value: Mapping[str, object]) -> float:
    text = str(value["N"])
    number = float(text) if _NUMBER.fullmatch(text) else None
    if number is None or not isfinite(number):
        raise ValueError("no number")
    return number


def _seconds(value: Mapping[str, object]) -> float:
    seconds = _number(value)
    if seconds <= 0:
        raise ValueError("no length of time")
    return seconds


def _truth(value: Mapping[str, object]) -> bool:
    truth = value["BOOL"]
    if not isinstance(truth, bool):
        raise TypeError("no truth value")
    return truth


def _checkpoint(value: Mapping[str, object]) -> str:
    text = _text(value)
    if not is_checkpoint(text):
        raise ValueError("no checkpoint")
    return text


def _map(value: Mapping[str, object]) -> Mapping[str, Mapping[str, object]]:
    members = value["M"]
    if not isinstance(members, Mapping):
        raise TypeError("no map")
    return members
