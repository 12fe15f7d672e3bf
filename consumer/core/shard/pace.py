"""Pace: when a shard is asked again. Each GetRecords call costs money.

A page that shows that more is waiting is followed at once, a page at the tip after `tip`. After an
empty page the pause is `idle`, doubling up to `idle_max`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.core.stream.page import MalformedRecord

if TYPE_CHECKING:
    from consumer.core.limits import PollTiming
    from consumer.core.stream.page import Page

PAGE_RECORDS = 1000
PAGE_BYTES = 900_000
"""GetRecords ends a page at 1000 records or 1 MB. A page this large may not show all there is."""

OLD_SECONDS = 5.0
"""A page whose newest record is older is not at the tip. Times are rounded down to seconds."""

TIP_EMPTIES = 3
"""This many empty pages in a row are taken for the tip."""


@dataclass(slots=True)
class Polling:
    """How often a worker asks its shards. `hurry`: a peer is draining, so pauses are short."""

    timing: PollTiming
    hurry: bool = False


class Pace:
    """The pace of one shard. It counts the empty pages in a row and outlives a reader."""

    def __init__(self, polling: Polling) -> None:
        self._polling = polling
        self._empties = 0

    def restart(self) -> None:
        """Start counting again: empty pages at one position prove nothing of another."""
        self._empties = 0

    def count(self, page: Page) -> None:
        """Count a page that was received."""
        self._empties = 0 if page.records else self._empties + 1

    def pause(self, page: Page, wall: float) -> float:
        """Return the seconds until the next GetRecords after this page."""
        timing = self._polling.timing
        if page.records:
            return timing.tip if _shows_all(page, wall) else 0.0
        if self._polling.hurry:
            return min(timing.tip, timing.idle)
        return min(timing.idle_max, timing.idle * 2.0 ** min(max(self._empties - 1, 0), 16))

    def at_tip(self, page: Page, wall: float) -> bool:
        """Return whether the page shows that nothing more is waiting in the shard.

        Empty pages are normal, also before later records: a single one proves nothing.
        """
        return _shows_all(page, wall) if page.records else self._empties >= TIP_EMPTIES


def _shows_all(page: Page, wall: float) -> bool:
    """Return whether a page with records was neither cut nor old."""
    last = page.records[-1]
    created_at = None if isinstance(last, MalformedRecord) else last.created_at
    young = created_at is None or wall - created_at <= OLD_SECONDS
    return len(page.records) < PAGE_RECORDS and page.size < PAGE_BYTES and young
