"""The checkpointer: writes how far one shard is settled.

Ownership: the shard's consumer owns it; nobody else writes the shard's lease row. Its loop is ended
by `stop`, never by cancellation, so that a write without a definite answer is not abandoned.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from consumer.core.backlog.watermark import AckWatermark
    from consumer.core.leases.lease import Checkpoint
    from consumer.ports import Clock
    from consumer.runtime.shard.lease_writer import LeaseWriter

CAUGHT_UP_REFRESH = 6 * 3600.0
"""An idle shard's `caughtUpAt` is written this often, in seconds."""


class Checkpointer:
    """`caught_up_at` is the wall time of the last tip page with everything settled."""

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
        self.caught_up_at = writer.lease.caught_up_at
        self.written_at = clock.wall()

    @property
    def checkpoint(self) -> Checkpoint:
        """How far the shard is settled by now, ahead of what is written."""
        value = self._watermark.value
        return str(value) if value else self._writer.lease.checkpoint

    def stop(self) -> None:
        """End `run` once the write under way, if any, has its definite answer."""
        self._stopping = True
        self._stopped.notify()

    def note_tip(self, tip_at: float, tip: int | None) -> None:
        """A page reached the tip at `tip_at` (wall) with `tip` as the newest sequence number."""
        if tip is None or (self._watermark.value or 0) >= tip:
            self.caught_up_at = tip_at

    async def run(self) -> None:
        """Write every interval, when the shard has advanced. Raises LeaseLost."""
        try:
            while not self._stopping:
                await self._stopped.wait(self._interval)
                if not self._stopping and self._due():
                    await self.write()
        finally:
            self.ended.set()

    async def write(self) -> None:
        """Write how far it is settled. Not while `run` may. Raises LeaseLost."""
        await self._writer.checkpoint(
            self.checkpoint,
            record_at=self._watermark.record_at,
            caught_up_at=self.caught_up_at,
        )
        self.written_at = self._clock.wall()

    async def release(self, checkpoint: Checkpoint) -> None:
        """Final checkpoint and end of ownership in one write. Raises LeaseLost."""
        await self._writer.release(
            checkpoint, record_at=self._watermark.record_at, caught_up_at=self.caught_up_at
        )

    def _due(self) -> bool:
        lease = self._writer.lease
        if self.checkpoint != lease.checkpoint:
            return True
        known = lease.caught_up_at or 0.0
        return self.caught_up_at is not None and self.caught_up_at - known > CAUGHT_UP_REFRESH
