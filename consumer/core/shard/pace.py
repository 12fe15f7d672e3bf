"""Pace: when a shard is asked again. Each GetRecords call costs money, each pause delays changes.

At the tip of a shard the pause is the geometric mean of two times: `tip`, the shortest pause, and
the mean time between pages with records. A pause twice as long costs half the requests, and lets
changes wait twice as long. So for every price of a second's wait the best pause grows with the root
of the time between arrivals, and `tip` sets the price: where something is found every `tip`
seconds, the pause is `tip`; where it is found a hundred times as rarely, the pause is ten times as
long. Changes that come together are found by one request, and count as one.

- What was found `MEMORY_SECONDS` ago counts for a third of what is found now.
- Changes come in bunches. So after a page with records the pause is at most `FIRST_TIPS` times
  `tip`, however rarely anything came before. Each empty page then allows `tip` more, and each
  further page with records in a row a quarter of `tip` less: a load that begins is met within
  seconds.
- No pause is longer than `idle_max`, and none after an empty page is shorter than `idle`.
- A page that shows that more is waiting is followed at once. It says how fast the reader is, not
  how often changes come, and does not count. Nor does the time before a page that `restart`
  precedes.

The constants were chosen with simulated arrivals: steady ones, bunches, and hours that change.
"""

from __future__ import annotations

from math import exp, inf, sqrt
from typing import TYPE_CHECKING

from msgspec import Struct

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

MEMORY_SECONDS = 10.0
"""After this many seconds the weight of a page has fallen to 1/e.

A shorter memory sees sooner that the load has changed, but takes chance for change.
"""

FIRST_TIPS = 2.0
STEP_TIPS = 0.25
"""Longest pause after a page with records, and by how much less it is after each further one, in
`tip`."""


class Polling(Struct):
    """How often a worker asks its shards. `hurry`: a peer is draining, so pauses are short."""

    timing: PollTiming
    hurry: bool = False


class Pace:
    """The pace of one shard. It outlives a reader."""

    def __init__(self, polling: Polling) -> None:
        self._polling = polling
        self._empties = 0  # in a row
        self._filled = 0  # pages with records in a row
        self._counted_at: float | None = None
        self._per_second = 0.0  # pages with records, smoothed

    def restart(self) -> None:
        """Count the pages in a row anew, and no time until the next page.

        Empty pages at one position prove nothing of another.
        """
        self._empties = self._filled = 0
        self._counted_at = None

    def count(self, page: Page, now: float, wall: float) -> None:
        """Count a page that was received at `now` (clock), `wall` (epoch seconds)."""
        before, self._counted_at = self._counted_at, now
        if page.records and not _shows_all(page, wall):
            self._empties = self._filled = 0
            return
        if before is not None:
            self._per_second *= exp((before - now) / MEMORY_SECONDS)
        if page.records:
            self._empties, self._filled = 0, self._filled + 1
            self._per_second += 1 / MEMORY_SECONDS
        else:
            self._empties, self._filled = self._empties + 1, 0

    def pause(self, page: Page, wall: float) -> float:
        """Return the seconds until the next GetRecords after this page, which was counted."""
        timing = self._polling.timing
        if page.records and not _shows_all(page, wall):
            return 0.0
        if self._polling.hurry:
            return timing.tip if page.records else min(timing.tip, timing.idle)
        shortest = timing.tip if page.records else min(timing.idle, timing.idle_max)
        return max(shortest, min(self._wanted(timing.tip), timing.idle_max))

    def at_tip(self, page: Page, wall: float) -> bool:
        """Return whether the page shows that nothing more is waiting in the shard.

        Empty pages are normal, also before later records: a single one proves nothing.
        """
        return _shows_all(page, wall) if page.records else self._empties >= TIP_EMPTIES

    def _wanted(self, tip: float) -> float:
        """Return the pause that arrivals and the pages in a row ask for, whatever its limits."""
        by_arrivals = sqrt(tip / self._per_second) if self._per_second else inf
        further = max(self._filled - 1, 0)
        in_a_row = FIRST_TIPS + self._empties - STEP_TIPS * further
        return min(by_arrivals, tip * in_a_row)


def _shows_all(page: Page, wall: float) -> bool:
    """Return whether a page with records was neither cut nor old."""
    last = page.records[-1]
    created_at = None if isinstance(last, MalformedRecord) else last.created_at
    young = created_at is None or wall - created_at <= OLD_SECONDS
    return len(page.records) < PAGE_RECORDS and page.size < PAGE_BYTES and young
