"""Comparing without letter case, as Java does it: character by character, lower or upper.

The upper case of one character may be several (that of "ß" is "SS", which "ss" is not). A character
beyond U+FFFF is two for Java, and neither has a case or a text of its own: it becomes "??".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LAST_SINGLE = "\uffff"
_TWO_HALVES = "??"


def equals_ignoring_case(text: str) -> Callable[[str], bool]:
    """Return the test whether a value is this text in any letter case."""
    fullmatch = re.compile(_either_case(text)).fullmatch
    return lambda value: fullmatch(value) is not None


def starts_ignoring_case(text: str) -> Callable[[str], bool]:
    """Return the test whether a value begins with this text in any letter case."""
    match = re.compile(_either_case(text)).match
    return lambda value: match(value) is not None


def ends_ignoring_case(text: str) -> Callable[[str], bool]:
    """Return the test whether a value ends with this text in any letter case."""
    search = re.compile(_either_case(text) + r"\Z").search
    longest = sum(max(map(len, _cases(character))) for character in text)
    return lambda value: search(value, max(0, len(value) - longest)) is not None


def _either_case(text: str) -> str:
    return "".join(
        f"(?:{re.escape(lower)}|{re.escape(upper)})" for lower, upper in map(_cases, text)
    )


def _cases(character: str) -> tuple[str, str]:
    if character > _LAST_SINGLE:
        return _TWO_HALVES, _TWO_HALVES
    return character.lower(), character.upper()
