"""The lease writer: it writes one shard's lease row. Rule: one write at a time for each shard.

A write whose outcome is unknown is sent again until the table gives a definite answer; a read could
not tell whether it is still under way. A write that was cancelled meanwhile is resolved before the
next one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from consumer.core.backoff import Backoff
from consumer.core.leases import lease_write
from consumer.errors import LeaseConflict, LeaseLost, LeaseTableGone, Retryable
from consumer.observability.actions import WRITE_ROW_AGAIN

if TYPE_CHECKING:
    from consumer.core.leases.lease import Lease, LeaseWrite
    from consumer.core.leases.progress import Progress
    from consumer.core.limits import LeaseTiming
    from consumer.ports import LeaseStore
    from consumer.runtime.instruments import Instruments

FIRST_PAUSE_SECONDS = 0.1
"""Ceiling of the first pause before a write is sent again; it doubles up to `timing.heartbeat`."""


class LeaseWriter:
    """Takes, checkpoints and releases one lease for one worker.

    `lease` is the last row known to be in the table.
    """

    def __init__(
        self,
        store: LeaseStore,
        instruments: Instruments,
        stream_key: str,
        lease: Lease,
        worker_id: str,
        timing: LeaseTiming,
    ) -> None:
        self._store = store
        self._clock = instruments.clock
        self._chance = instruments.chance
        self._conditions = instruments.conditions
        self._stream_key = stream_key
        self._worker_id = worker_id
        self._longest_pause = timing.heartbeat
        self._unresolved: LeaseWrite | None = None
        self.lease = lease

    @property
    def pending(self) -> bool:
        """Whether there is a write without a definite answer."""
        return self._unresolved is not None

    async def take(self) -> bool:
        """Become the owner; `lease` is then the row to start from.

        Return False if another worker has become the owner.
        """
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
        """Write the final progress and remove the owner, in one write. Raises LeaseLost."""
        await self.resolve()
        await self._write(lease_write.release(self.lease, progress, self._clock.wall()))

    async def rewrite(self, row: Lease) -> None:
        """Write the row that results from an operator's commands. Raises LeaseLost."""
        await self.resolve()
        await self._write(lease_write.rewrite(self.lease, row))

    async def resolve(self) -> None:
        """Send an interrupted write, if there is one, until its outcome is known.

        Raises LeaseLost.
        """
        if self._unresolved is not None:
            await self._write(self._unresolved)

    async def _write(self, write: LeaseWrite) -> None:
        backoff = Backoff(FIRST_PAUSE_SECONDS, self._longest_pause)
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
                        self._resolved()
                        raise LeaseLost(str(conflict)) from conflict
                    case never:
                        assert_never(never)
            except LeaseTableGone as gone:
                self._resolved()
                raise LeaseLost(str(gone)) from gone  # no row of it is left to be written
            except Retryable as error:
                pause = backoff.next(self._chance.random())
                self._conditions.failed(
                    "lease_write_unresolved",
                    error,
                    shard=write.row.shard_id,
                    stream=self._stream_key,
                    failures=backoff.failures,
                    action=WRITE_ROW_AGAIN,
                )
                await self._clock.sleep(pause)
                continue
            self._resolved()
            return

    def _resolved(self) -> None:
        self._unresolved = None
        self._conditions.over(
            "lease_write_unresolved", shard=self.lease.shard_id, stream=self._stream_key
        )
