"""The progress of a snapshot, with about how long it still takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from consumer.commands.run_progress import RunProgress
from consumer.core.reports.times import in_words

if TYPE_CHECKING:
    from consumer.ports import Clock
    from consumer.runtime.republish.snapshot_run import SnapshotProgress

FEWEST_SECONDS = 5.0
"""An estimate needs so much time: the first pages say little."""


class Progress:
    """Shows what all processes have done. `items` is about how many the table has."""

    def __init__(self, out: TextIO, clock: Clock, items: int) -> None:
        self._shown = RunProgress(out, clock, "snapshot")
        self._clock = clock
        self._items = items
        self._first: tuple[float, int] | None = None
        self._last: SnapshotProgress | None = None

    def show(self, progress: SnapshotProgress) -> None:
        """Show it, if it was not shown a moment ago."""
        self._last = progress
        if self._first is None:
            self._first = self._clock.now(), progress.counts.items
        self._shown.show(progress.counts.items, self._items or None, self._told(progress))

    def close(self) -> None:
        """End the bar's line with the final progress."""
        if self._last is not None:
            last = self._last
            self._shown.close(last.counts.items, self._items or None, self._told(last))

    def _told(self, progress: SnapshotProgress) -> str:
        counts = progress.counts
        told = (
            f"{counts.stored} events stored, {counts.refused} refused,"
            f" {progress.segments_done} of {progress.segments} segments done"
        )
        left = self._left(counts.items)
        return told if left is None else f"{told}, about {in_words(left)} left"

    def _left(self, items: int) -> float | None:
        """Return the seconds that are left at the pace so far, None if that is not known."""
        if self._first is None:
            return None
        began_at, before = self._first
        seconds, read = self._clock.now() - began_at, items - before
        if seconds < FEWEST_SECONDS or read <= 0 or items >= self._items:
            return None
        return (self._items - items) * seconds / read
