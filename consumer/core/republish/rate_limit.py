"""How fast something may be used: evenly, at half the rate when throttled, and slowly faster again.

Used for events a second (Nakadi) and for capacity units a second (DynamoDB).
"""

from __future__ import annotations

RECOVERY_SECONDS = 60.0
"""From nothing to the whole rate again."""

LEAST_PART = 1 / 16
"""The rate is never halved below this part of the whole."""


USUAL_PART = 0.1
"""Which part of a table's provisioned capacity is used, if nobody says how much."""

USUAL_UNITS = 100.0
"""How many units a second are used of a table on demand, if nobody says how many."""


def usual_rate(provisioned: float | None) -> float:
    """Return the capacity units a second that are used, if nobody says how many.

    `provisioned` is what the table has, None if it is on demand.
    """
    return USUAL_UNITS if provisioned is None else max(1.0, provisioned * USUAL_PART)


class RateLimit:
    """At most `rate` units a second. All times are in seconds of the injected clock.

    What is used in one go is paid for before the next: after `n` units comes a pause of n / rate.
    """

    def __init__(self, rate: float) -> None:
        self.whole = rate
        self._rate = rate
        self._rate_at = 0.0
        self._free_at = 0.0
        self._throttled_at = float("-inf")

    def rate(self, now: float) -> float:
        """Return the units a second that may be used now."""
        grown = self._rate + self.whole * max(0.0, now - self._rate_at) / RECOVERY_SECONDS
        return min(self.whole, grown)

    def wait(self, now: float) -> float:
        """Return the seconds until more may be used; 0 if it may be now."""
        return max(0.0, self._free_at - now)

    def used(self, now: float, units: float) -> None:
        """Take note that units were used."""
        self._free_at = max(self._free_at, now) + units / self.rate(now)

    def throttled(self, now: float, sent_at: float) -> None:
        """Take note that a request sent at `sent_at` was throttled: halve the rate.

        Requests that were in flight together count once.
        """
        if sent_at < self._throttled_at:
            return
        self._throttled_at = now
        self._rate = max(self.whole * LEAST_PART, self.rate(now) / 2)
        self._rate_at = now
