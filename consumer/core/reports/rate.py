"""How fast something goes, from a counter looked at now and then."""

from __future__ import annotations

from math import exp

SMOOTHING_SECONDS = 5.0
"""What was so many seconds ago counts for a third (1/e) of what is now."""


class Rate:
    """Events per second, smoothed. A counter that has gone back has begun anew."""

    def __init__(self, now: float, count: int) -> None:
        self._at = now
        self._count = count
        self.per_second = 0.0

    def observe(self, now: float, count: int) -> None:
        """The counter stands at `count`; `now` in seconds, of the same clock each time."""
        seconds = now - self._at
        if seconds <= 0:
            return
        risen = count - self._count if count >= self._count else count
        weight = exp(-seconds / SMOOTHING_SECONDS)
        self.per_second = weight * self.per_second + (1 - weight) * risen / seconds
        self._at, self._count = now, count
