"""How many items a page of a Scan asks for.

A Scan answers up to a megabyte at once: 256 read units, strongly consistent. At 25 units a second
that would be a burst of ten seconds' worth, and others would be throttled. So `Limit` keeps a page
to what half a second pays for, by the mean size of the items seen; one that turns out to be
larger still stays within a second, unless single items cost more than that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from consumer.core.republish.rate_limit import RateLimit

UNIT_BYTES: Final = 4096
"""A strongly consistent read of this many bytes costs one read unit."""

PAGE_SECONDS: Final = 0.5
"""A page is to cost this much of the rate."""

PAGE_UNITS: Final = 256.0
"""The most that a page can cost: a megabyte, strongly consistent."""

MAX_ITEMS: Final = 10_000
"""The largest page: this many items of 100 bytes fill it."""

MEMORY: Final = 0.5
"""Weight of the newest page in the mean size of an item."""


class ScanPageSize:
    """The size of the pages of one process. `limit` is in read units a second.

    `item_bytes` is the mean size by DescribeTable, None if it does not say. `most` is the largest
    number of items: publishing a page of small ones would take long.
    """

    def __init__(self, limit: RateLimit, item_bytes: float | None, most: int = MAX_ITEMS) -> None:
        self._limit = limit
        self._most = max(1, min(MAX_ITEMS, most))
        self._item_units = (item_bytes or UNIT_BYTES) / UNIT_BYTES

    def items(self, now: float) -> int:
        """Return for how many items the next page asks, at least one."""
        units = min(self._limit.rate(now) * PAGE_SECONDS, PAGE_UNITS)
        return max(1, min(self._most, int(units / self._item_units)))

    def learn(self, items: int, units: float) -> None:
        """Take in that a page of `items` has cost `units` read units."""
        if items:
            newest = max(units / items, 1 / UNIT_BYTES)
            self._item_units += MEMORY * (newest - self._item_units)
