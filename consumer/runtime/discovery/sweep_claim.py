"""The claim to a sweep. Rule: a sweep writes no lease and no gap once a peer may have claimed it.

A worker claims a sweep, and renews its claim, by a conditional increment of the stream row's
`sweep.n`. Peers may claim an unfinished sweep when `sweep.n` has not changed for the longest lease
duration among the workers, so a claim older than a third of this worker's is renewed before the
next write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from consumer.core.leases.checkpoint import TRIM_HORIZON

if TYPE_CHECKING:
    from consumer.core.leases.lease import StreamRow
    from consumer.core.limits import LeaseTiming
    from consumer.ports import Clock, LeaseStore


class ClaimLost(Exception):
    """The sweep ends here: a peer has claimed it, or this worker drains."""


class SweepClaim:
    """`row` is the stream row as this claim last wrote it; before `win`, as it was read."""

    def __init__(
        self, store: LeaseStore, clock: Clock, timing: LeaseTiming, row: StreamRow
    ) -> None:
        self._store = store
        self._clock = clock
        self._renew_after = timing.lease_duration / 3
        self._won_at = 0.0
        self.row = row
        self.abandoned = False  # the worker is draining

    async def win(self) -> None:
        """Claim the sweep, or renew the claim. Raises ClaimLost or Retryable."""
        sent_at = self._clock.now()
        await self._write(replace(self.row, sweep_n=self.row.sweep_n + 1))
        self._won_at = sent_at

    async def ensure_held(self) -> None:
        """Make sure that no peer may claim the sweep now; to be called before each of its writes.

        Renews a claim that is old. Raises ClaimLost or Retryable.
        """
        if self.abandoned:
            raise ClaimLost(self.row.key)
        if self._clock.now() >= self._won_at + self._renew_after:
            await self.win()

    async def bootstrapped(self, started_at: float) -> None:
        """Write that every shard of a start at LATEST has its row. Raises ClaimLost or Retryable.

        `started_at` (wall time) is the date of the last answer of the stream before this write.
        """
        await self._write(replace(self.row, started_at=started_at, bootstrapped=True))

    async def follow(self, older: str) -> None:
        """Write that the stream is not the table's first: it is read from its oldest record.

        `older` is the label of the stream before it. Raises ClaimLost or Retryable.
        """
        start = replace(self.row, after=older, start_position=TRIM_HORIZON, bootstrapped=True)
        await self._write(start)

    async def finish(self, began_at: float, passed_by: str | None = None) -> None:
        """Write that the sweep, begun at `began_at` (wall time), is done.

        `passed_by` says why nothing of the stream is read, if so. Raises ClaimLost or Retryable.
        """
        done = replace(self.row, sweep_done=self.row.sweep_n, swept_at=began_at)
        await self._write(replace(done, passed_by=passed_by or self.row.passed_by))

    async def _write(self, row: StreamRow) -> None:
        written = await self._store.replace_stream(self.row, row)
        if written is None:
            raise ClaimLost(row.key)
        self.row = written
