"""Leaves of a stream record: what they may hold, and the tests that a filter makes of one.

A scalar is text (also that of a number of the item), or JSON's true, false, number and null.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final, TypeGuard

Test = Callable[[object], bool]
"""Takes a scalar."""


SINGLE_TEXTS: Final = ("S", "N", "B")
SETS_OF_TEXTS: Final = ("SS", "NS", "BS")
"""DynamoDB's types whose values are text in a stream record."""


class Kind(Enum):
    """What a leaf holds, if it is there."""

    TEXT = "text"
    BOOLEAN = "true or false"
    TRUE = "true"
    NUMBER = "a number"


ALL_KINDS = frozenset(Kind)


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a scalar is a number; Python's booleans are numbers, too."""
    return isinstance(value, int | float) and not isinstance(value, bool)
