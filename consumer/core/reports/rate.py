"""How fast a counter rises, from its value at some moments."""

from __future__ import annotations

from math import exp

SMOOTHING_SECONDS = 5.0
"""After this many seconds the weight of an earlier rate has fallen to 1/e."""


class Rate:
    """Events per second, smoothed. A counter that has fallen has started again at 0."""

    def __init__(self, now: float, count: int) -> None:
        self._at = now
        self._count = count
        self.per_second = 0.0

    def observe(self, now: float, count: int) -> None:
        """Take in the counter's value at `now`, in seconds of the same clock each time."""
        seconds = now - self._at
        if seconds <= 0:
            return
        risen = count - self._count if count >= self._count else count
        weight = exp(-seconds / SMOOTHING_SECONDS)
        self.per_second = weight * self.per_second + (1 - weight) * risen / seconds
        self._at, self._count = now, count
