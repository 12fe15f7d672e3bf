"""Pace: when a shard is asked again. GetRecords is the bill.

A page that shows that more is waiting is followed at once; a page at the tip waits `tip`; an empty
one backs off from `idle` to `idle_max`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.core.limits import PollTiming

PAGE_RECORDS = 1000
PAGE_BYTES = 900_000
"""GetRecords ends a page at 1000 records or 1 MB; a page this large was cut."""

OLD_SECONDS = 5.0
"""A page whose newest record is older is not at the tip. Times are floored to seconds."""


TIP_EMPTIES = 3
"""So many empty pages in a row are believed to be the tip."""


def pause(
    timing: PollTiming,
    *,
    records: int,
    size: int,
    newest_age: float,
    empties: int,
    hurry: bool,
) -> float:
    """Seconds until the next GetRecords of this shard.

    `newest_age` is the age of the page's last record, `empties` counts empty pages in a row,
    `hurry` says that a peer drains and its records should be picked up quickly.
    """
    if records:
        if records >= PAGE_RECORDS or size >= PAGE_BYTES or newest_age > OLD_SECONDS:
            return 0.0
        return timing.tip
    if hurry:
        return min(timing.tip, timing.idle)
    return min(timing.idle_max, timing.idle * 2.0 ** min(max(empties - 1, 0), 16))


def at_tip(*, records: int, size: int, newest_age: float, empties: int) -> bool:
    """The shard has shown everything it held.

    Empty pages are normal, also when later records exist: a single one proves nothing.
    """
    if not records:
        return empties >= TIP_EMPTIES
    return records < PAGE_RECORDS and size < PAGE_BYTES and newest_age <= OLD_SECONDS
