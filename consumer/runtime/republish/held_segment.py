"""A segment that this process works on, and its row.

Ownership: this object alone writes the row while it is held. One write is under way at a time.
A row that is not as it was left is another process's: the segment is lost then, for good.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from consumer.core.republish.snapshot import written
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from consumer.core.republish.snapshot import Counts, Segment, Snapshot
    from consumer.ports import Clock
    from consumer.snapshot_ports import SnapshotStore

BEATS = 4
"""The counter rises so often within a lease duration, whatever a page waits for."""


class SegmentLost(Exception):
    """Another process has taken the segment over."""


class HeldSegment:
    """`row` is the row as it was last written. The store answers definitely (`PatientStore`)."""

    def __init__(
        self, store: SnapshotStore, snapshot: Snapshot, row: Segment, clock: Clock, beat: float
    ) -> None:
        self._store = store
        self._snapshot = snapshot
        self._clock = clock
        self._beat = beat
        self._writing = asyncio.Lock()
        self._written_at = clock.now()
        self._over = Signal()
        self._lost = False
        self.open = True
        self.row = row

    def check(self) -> None:
        """Raise SegmentLost if the segment was lost."""
        if self._lost:
            raise SegmentLost

    async def settle(self, last_key: str | None, page: Counts) -> None:
        """Move the key behind a page of which each event is settled. Raise SegmentLost."""
        async with self._writing:
            await self._write(self.row.settled(last_key, page))

    async def release(self) -> None:
        """Give the segment up, so that nobody waits for silence."""
        async with self._writing:
            if not self._lost and not self.row.done:
                with suppress(SegmentLost):
                    await self._write(self.row.released())

    async def beat(self) -> None:
        """Raise the counter from time to time, until `close` is called or the segment is lost."""
        while self.open and not self._lost:
            await self._over.wait(self._beat)
            async with self._writing:
                idle = self._clock.now() - self._written_at
                if self.open and not self._lost and idle >= self._beat / 2:
                    with suppress(SegmentLost):  # the task that works on the page checks
                        await self._write(self.row.beating())

    def close(self) -> None:
        """End the beats."""
        self.open = False
        self._over.notify()

    async def _write(self, row: Segment) -> None:
        self.check()
        found = await self._store.write_segment(self._snapshot, self.row, row)
        if not written(row, found):
            self._lost = True
            raise SegmentLost
        self.row = row
        self._written_at = self._clock.now()


async def take_segment(
    store: SnapshotStore, snapshot: Snapshot, found: Segment, me: str
) -> Segment | None:
    """Take a segment as it was read; return its new row, None if another process was faster."""
    row = found.taken(me, snapshot.run)
    return row if written(row, await store.write_segment(snapshot, found, row)) else None
