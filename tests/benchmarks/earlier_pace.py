"""`consumer` at the pace of before: it counted empty pages, and no arrivals.

python -m tests.benchmarks.earlier_pace run
"""

from consumer import cli
from consumer.core.shard import pace
from consumer.core.stream.page import Page

IDLE_SECONDS = 1.0


def earlier_pause(self: pace.Pace, page: Page, wall: float) -> float:
    """Return `tip` after a page with records, then a back-off that doubles from one second on."""
    timing = self._polling.timing
    if page.records:
        return timing.tip if pace._shows_all(page, wall) else 0.0
    if self._polling.hurry:
        return timing.tip
    return min(timing.idle_max, IDLE_SECONDS * 2.0 ** min(max(self._empties - 1, 0), 16))


if __name__ == "__main__":
    pace.Pace.pause = earlier_pause  # type: ignore[method-assign]
    cli.main()
