"""The checkpointer: it writes to the lease row how far one shard is settled.

Ownership: the shard's consumer owns it; while `run` runs nothing else writes the shard's lease row.
The shard's consumer ends `run` by `stop`, so that a write without a definite answer is sent again
until it has one. Only the end of the process cancels it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from consumer.core.leases.progress import Progress
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from consumer.core.backlog.watermark import AckWatermark
    from consumer.core.leases.checkpoint import Checkpoint
    from consumer.ports import Clock
    from consumer.runtime.shard.lease_writer import LeaseWriter

CAUGHT_UP_REFRESH = 6 * 3600.0
"""An idle shard's `caughtUpAt` is written this often, in seconds."""


class Checkpointer:
    """`interval` is in seconds.

    `tip_at` (wall) is when the last page that reached the tip was read, None before the first.
    `written_at` (wall) is when a checkpoint was written last; before the first write, the start.
    `ended` is set when `run` has ended.
    """

    def __init__(
        self, writer: LeaseWriter, watermark: AckWatermark, clock: Clock, interval: float
    ) -> None:
        self._writer = writer
        self._watermark = watermark
        self._clock = clock
        self._interval = interval
        self._stopped = Signal()
        self._stopping = False
        self.ended = asyncio.Event()
        self._caught_up_at = writer.lease.caught_up_at
        self._tip: int | None = None  # the newest sequence number read at `tip_at`
        self.tip_at: float | None = None
        self.written_at = clock.wall()

    @property
    def progress(self) -> Progress:
        """How far the shard is settled now, which may be further than its row says."""
        return Progress(
            self.checkpoint,
            self._watermark.record_at,
            self.tip_at if self._tip_is_settled else self._caught_up_at,
            self._watermark.ahead,
        )

    @property
    def checkpoint(self) -> Checkpoint:
        """Up to where all of the shard is settled now."""
        value = self._watermark.value
        return str(value) if value else self._writer.lease.checkpoint

    def stop(self) -> None:
        """End `run` once the write under way, if any, has its definite answer."""
        self._stopping = True
        self._stopped.notify()

    def note_tip(self, tip_at: float, tip: int | None) -> None:
        """Note that a page reached the tip at `tip_at` (wall).

        `tip` is the sequence number of the newest record read, None if none was.
        """
        self._caught_up_at = self.progress.caught_up_at
        self.tip_at, self._tip = tip_at, tip

    @property
    def _tip_is_settled(self) -> bool:
        if self.tip_at is None:
            return False
        return self._tip is None or (self._watermark.value or 0) >= self._tip

    async def run(self) -> None:
        """Write at each interval in which the shard has advanced. Raises LeaseLost."""
        try:
            while not self._stopping:
                await self._stopped.wait(self._interval)
                if not self._stopping and self._due():
                    await self.write()
        finally:
            self.ended.set()

    async def write(self) -> None:
        """Write how far the shard is settled. Raises LeaseLost."""
        await self._writer.checkpoint(self.progress)
        self.written_at = self._clock.wall()

    def _due(self) -> bool:
        lease = self._writer.lease
        progress = self.progress
        if (progress.checkpoint, progress.ahead) != (lease.checkpoint, lease.ahead):
            return True
        caught_up, known = progress.caught_up_at, lease.caught_up_at or 0.0
        return caught_up is not None and caught_up - known > CAUGHT_UP_REFRESH
