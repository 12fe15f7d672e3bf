"""EventAges: the age of the oldest event of a queue, whatever the order in which events leave it.

Events are counted by the whole second of their change, so adding and removing take constant time,
and no event is kept alive by it. There are as many counts as seconds in which changes were made
that still wait, which the stream's retention bounds.
"""

from __future__ import annotations


class EventAges:
    """The number of events that wait, by the second in which their change was made."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def add(self, created_at: float) -> None:
        """Count an event of a change made at `created_at` (epoch seconds)."""
        second = int(created_at)
        self._counts[second] = self._counts.get(second, 0) + 1

    def remove(self, created_at: float) -> None:
        """Count it no longer. Raises KeyError if no event of that second is counted."""
        second = int(created_at)
        left = self._counts[second] - 1
        if left:
            self._counts[second] = left
        else:
            del self._counts[second]

    def oldest(self, wall: float) -> float | None:
        """Return the age of the oldest event in seconds, None if there is none.

        `wall` is in epoch seconds. The age is never negative, and less than a second too high.
        """
        return max(0.0, wall - min(self._counts)) if self._counts else None
