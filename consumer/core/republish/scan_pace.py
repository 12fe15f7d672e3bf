"""The pace of a Scan: how many items a page asks for, and when it may be asked for.

A Scan answers up to a megabyte at once: 256 read units, strongly consistent. At 25 units a second
that would be a burst of ten seconds' worth, and others would be throttled. So `Limit` keeps a page
to what half a second pays for, by the mean size of the items seen; one that turns out to be
larger still stays within a second, unless single items cost more than that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consumer.core.republish.rate_limit import RateLimit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.republish.read_item import ReadItem

UNIT_BYTES: Final = 4096
"""A strongly consistent read of so many bytes costs one read unit."""

PAGE_SECONDS: Final = 0.5
"""A page is to cost this much of the rate."""

PAGE_UNITS: Final = 256.0
"""The most that a page can cost: a megabyte, strongly consistent."""

MAX_LIMIT: Final = 10_000
"""The largest `Limit`: so many items of 100 bytes fill a page."""

MEMORY: Final = 0.5
"""Weight of the newest page in the mean size of an item."""


@dataclass(frozen=True, slots=True)
class ScanPage:
    """One page of a segment. `last_key` is JSON text, None on the last page.

    `units` are the read units that it has cost.
    """

    items: Sequence[ReadItem]
    last_key: str | None
    units: float


class ScanPace:
    """Read units of one process, `rcu` a second at most. Times are those of its clock, in seconds.

    `item_bytes` is the mean size by DescribeTable, None if it does not say.
    """

    def __init__(self, rcu: float, item_bytes: float | None) -> None:
        self._limit = RateLimit(rcu)
        self._item_units = (item_bytes or UNIT_BYTES) / UNIT_BYTES

    def rate(self, now: float) -> float:
        """Return the read units a second at a time."""
        return self._limit.rate(now)

    def limit(self, now: float) -> int:
        """Return for how many items the next page asks, at least one."""
        units = min(self.rate(now) * PAGE_SECONDS, PAGE_UNITS)
        return max(1, min(MAX_LIMIT, int(units / self._item_units)))

    def expected(self, limit: int) -> float:
        """Return the read units that a page of at most `limit` items is expected to cost."""
        return min(PAGE_UNITS, limit * self._item_units)

    def reserve(self, now: float, units: float) -> float:
        """Reserve read units for a request; return the seconds until it may be sent.

        Requests of several segments are sent one after the other, each when those before it are
        paid for.
        """
        pause = self._limit.wait(now)
        self._limit.used(now, units)
        return pause

    def correct(self, now: float, reserved: float, units: float) -> None:
        """Take in what a request has cost in place of what was reserved for it."""
        self._limit.used(now, units - reserved)

    def learn(self, page: ScanPage) -> None:
        """Take in the size of the items of a page."""
        if page.items:
            newest = page.units / len(page.items)
            self._item_units += MEMORY * (max(newest, 1 / UNIT_BYTES) - self._item_units)

    def throttled(self, now: float, sent_at: float, reserved: float) -> None:
        """Halve the rate: DynamoDB has refused a request, which cost nothing."""
        self.correct(now, reserved, 0.0)
        self._limit.throttled(now, sent_at)
