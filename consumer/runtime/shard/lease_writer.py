"""Writes one shard's lease row. Rule: one writer per shard, at most one unresolved write.

A write whose outcome is unknown is sent again, unchanged, until the table gives a definite answer:
never abandoned, never settled by a read. From the moment a release is sent the shard is neither
read nor sent from: `surrendered` says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import structlog

from consumer.core.backoff import full_jitter
from consumer.core.leases import lease_write
from consumer.errors import LeaseConflict, LeaseLost, Retryable

if TYPE_CHECKING:
    from consumer.core.leases.lease import Lease, LeaseWrite
    from consumer.core.leases.progress import Progress
    from consumer.core.limits import LeaseTiming
    from consumer.ports import Chance, Clock, LeaseStore

log = structlog.get_logger()

FIRST_PAUSE_SECONDS = 0.1
"""Ceiling of the first pause before a write is sent again; it doubles up to the heartbeat."""


class LeaseWriter:
    """Take, checkpoint and release of one lease by one worker."""

    def __init__(
        self,
        store: LeaseStore,
        clock: Clock,
        chance: Chance,
        stream_key: str,
        lease: Lease,
        worker_id: str,
        timing: LeaseTiming,
    ) -> None:
        self._store = store
        self._clock = clock
        self._chance = chance
        self._stream_key = stream_key
        self._worker_id = worker_id
        self._longest_pause = timing.heartbeat
        self._unresolved: LeaseWrite | None = None
        self.lease = lease  # the last row known to stand in the table
        self.surrendered = False  # a release was sent: the shard is not ours to use any more

    @property
    def pending(self) -> bool:
        """A write without a definite answer exists."""
        return self._unresolved is not None

    async def take(self) -> bool:
        """Become the owner; `lease` is then the row to start from. False: somebody else did."""
        await self.resolve()
        try:
            await self._write(lease_write.take(self.lease, self._worker_id))
        except LeaseLost:
            return False
        return True

    async def checkpoint(self, progress: Progress) -> None:
        """Write how far the shard is settled. Raises LeaseLost."""
        await self.resolve()
        await self._write(lease_write.checkpoint(self.lease, progress))

    async def release(self, progress: Progress) -> None:
        """Write the final progress and the end of ownership in one. Raises LeaseLost."""
        self.surrendered = True
        await self.resolve()
        await self._write(lease_write.release(self.lease, progress, self._clock.wall()))

    async def rewrite(self, row: Lease) -> None:
        """Write the row that commands of an operator have made. Raises LeaseLost."""
        await self.resolve()
        await self._write(lease_write.rewrite(self.lease, row))

    async def resolve(self) -> None:
        """Bring an interrupted write to its definite answer; at once if there is none."""
        if self._unresolved is not None:
            await self._write(self._unresolved)

    async def _write(self, write: LeaseWrite) -> None:
        failures = 0
        while True:
            self._unresolved = write
            try:
                self.lease = await self._store.write_lease(self._stream_key, write)
            except LeaseConflict as conflict:
                match lease_write.resolve_conflict(write, self._worker_id, conflict.current):
                    case lease_write.AlreadyWritten(row):
                        self.lease = row
                    case lease_write.Resend(again):
                        write = again
                        continue
                    case lease_write.Lost():
                        self._unresolved = None
                        raise LeaseLost(str(conflict)) from conflict
                    case never:
                        assert_never(never)
            except Retryable as error:
                failures += 1
                log.warning(
                    "lease_write_unresolved",
                    shard=write.row.shard_id,
                    stream=self._stream_key,
                    reason=error.reason,
                    failures=failures,
                )
                await self._clock.sleep(
                    full_jitter(
                        failures, FIRST_PAUSE_SECONDS, self._longest_pause, self._chance.random()
                    )
                )
                continue
            self._unresolved = None
            return
