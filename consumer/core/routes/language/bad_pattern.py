"""The errors and the doubts about a filter: where, and why."""

from __future__ import annotations

from typing import NamedTuple


class BadPattern(ValueError):
    """A filter that AWS would refuse, or that cannot be meant; `place` is a path in the pattern."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.place = place
        self.reason = reason


class Doubt(NamedTuple):
    """A part of a filter that AWS accepts and that never matches, or always does."""

    place: str
    reason: str
