"""Nakadi's own JSON dialect: stricter than JSON in keys and numbers, laxer in a few odd places.

Slow and exact; `batch` asks it only for what the C scanner does not accept.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localdev.nakadi.json_value import Json, JsonObject

EMPTY = " \t\n\r"
_NUMBER = re.compile(r"[0-9+\-.eE]*")
_LONG = re.compile(r"-?[0-9]+")
_LONG_MIN, _LONG_MAX = -(1 << 63), (1 << 63) - 1
_CODEPOINT = re.compile(r"[+-]?[0-9a-fA-F]+")
_CODEPOINT_LENGTH = 4
_CONTROLS_BELOW = "\x20"
_ESCAPES = {
    "b": "\b",
    "t": "\t",
    "n": "\n",
    "f": "\f",
    "r": "\r",
    '"': '"',
    "'": "'",
    "\\": "\\",
    "/": "/",
}
_LITERALS: dict[str, tuple[str, Json]] = {
    "n": ("null", None),
    "t": ("true", True),
    "f": ("false", False),
}


class StrictJsonError(ValueError):
    """The text is not JSON in Nakadi's eyes; the message is the one it answers with."""


def integer(text: str) -> int | float:
    """Return an integer literal's value: 64 bits, and `-0` is a double."""
    if text == "-0":
        return -0.0
    if _LONG.fullmatch(text) is None or not _LONG_MIN <= int(text) <= _LONG_MAX:
        raise StrictJsonError(f"Can not use long value '{text}' cause it is too big")
    return int(text)


def double(text: str) -> float:
    """Return a decimal or exponent literal's value; it must be a finite double."""
    try:
        value = float(text)
    except ValueError:
        raise StrictJsonError(f"The provided value '{text}' cannot be parsed to float") from None
    if math.isinf(value):
        raise StrictJsonError(f"{text} can not be used")
    return value


def parse_object(text: str) -> JsonObject:
    """Parse the object at the start of a text; what follows it is not looked at."""
    value = _Scanner(text).value()
    if not isinstance(value, dict):
        raise StrictJsonError("not an object")
    return value


def parse_document(text: str) -> JsonObject:
    """Parse a text that must be one object and nothing else."""
    scanner = _Scanner(text)
    value = scanner.value()
    scanner.expect_end()
    if not isinstance(value, dict):
        raise StrictJsonError("not an object")
    return value


class _Scanner:
    """One pass over a text; `_at` is the position after the last character taken."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def _error(self, message: str) -> StrictJsonError:
        return StrictJsonError(f"{message} at pos {self._at}")

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise self._error("Unexpected end of data")
        self._at += 1
        return self._text[self._at - 1]

    def _take(self, count: int) -> str:
        if self._at + count >= len(self._text):
            raise self._error("Unexpected end of data")
        self._at += count
        return self._text[self._at - count : self._at]

    def _token(self) -> str:
        character = self._next()
        while character in EMPTY:
            character = self._next()
        return character

    def value(self) -> Json:
        """Parse one value of any kind."""
        first = self._token()
        if first == "{":
            return self._object()
        if first == "[":
            return self._array()
        if first == '"':
            return self._string()
        if first in _LITERALS:
            word, value = _LITERALS[first]
            if self._take(len(word) - 1) != word[1:]:
                raise self._error(f"Expected {word} value")
            return value
        if first in "0123456789-":
            return self._number()
        raise self._error(f"Unexpected symbol '{first}'")

    def expect_end(self) -> None:
        """Refuse anything but white space."""
        rest = self._text[self._at :].lstrip(EMPTY)
        if rest:
            self._at = len(self._text) - len(rest) + 1
            raise self._error(f"Unexpected symbol '{rest[0]}'")

    def _number(self) -> int | float:
        match = _NUMBER.match(self._text, self._at - 1)
        literal = match.group() if match else ""
        self._at += len(literal) - 1
        try:
            return double(literal) if set(literal) & set(".eE") else integer(literal)
        except StrictJsonError as error:
            raise self._error(str(error)) from None

    def _object(self) -> JsonObject:
        result: JsonObject = {}
        while True:
            start = self._token()
            if start == "}":
                if result:
                    raise self._error("Not allowed to finish object with comma")
                return result
            if start != '"':
                raise self._error(f"Unexpected symbol '{start}'")
            name = self._string()
            if self._token() != ":":
                raise self._error("Waiting for name-value separator : while parsing object")
            value = self.value()
            if name in result:
                raise StrictJsonError(f'Duplicate key "{name}"')
            result[name] = value
            after = self._token()
            if after == "}":
                return result
            if after != ",":
                raise self._error(f"Unexpected symbol '{after}' while parsing object")

    def _array(self) -> list[Json]:
        result: list[Json] = []
        if self._token() == "]":
            return result
        self._at -= 1
        while True:
            result.append(self.value())
            separator = self._token()
            if separator == "]":
                return result
            if separator != ",":
                raise self._error(f"Unexpected separator '{separator}'")

    def _string(self) -> str:
        units: list[str] = []
        while (character := self._next()) != '"':
            if character < _CONTROLS_BELOW:
                raise self._error("Illegal escape.")
            units.append(self._escaped() if character == "\\" else character)
        text = "".join(units)
        # Escaped surrogate pairs become one character, as the C scanner makes them.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")

    def _escaped(self) -> str:
        character = self._next()
        if character == "u":
            codepoint = self._take(_CODEPOINT_LENGTH)
            if _CODEPOINT.fullmatch(codepoint) is None:
                raise self._error(f"Illegal codepoint {codepoint}")
            return chr(int(codepoint, 16) & 0xFFFF)
        if character not in _ESCAPES:
            raise self._error("Illegal escape.")
        return _ESCAPES[character]
