"""A sweep that this worker has won. Rule: nothing is written for it once somebody else may sweep.

The turn is won, and kept, by a conditional increment of the stream row's `sweep.n`. Others take an
unfinished sweep over after `lease_duration` without a new number, so a turn older than a third of
that is renewed before the next write.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.core.leases.lease import StreamRow
    from consumer.core.limits import LeaseTiming
    from consumer.ports import Clock, LeaseStore


class Overtaken(Exception):
    """No error: somebody else has won the sweep since, or this worker is draining."""


class SweepTurn:
    """`row` is the stream row as it stands while the turn is ours."""

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
        """Raise the number. Raises Overtaken, or Retryable (then the turn counts as lost)."""
        sent_at = self._clock.now()
        await self._write(replace(self.row, sweep_n=self.row.sweep_n + 1))
        self._won_at = sent_at

    async def hold(self) -> None:
        """Call before each write of the sweep. Raises Overtaken or Retryable."""
        if self.abandoned:
            raise Overtaken(self.row.key)
        if self._clock.now() >= self._won_at + self._renew_after:
            await self.win()

    async def bootstrapped(self, started_at: float) -> None:
        """Every shard of a start at LATEST has its row. Raises as `win`."""
        await self._write(replace(self.row, started_at=started_at, bootstrapped=True))

    async def finish(self, began_at: float) -> None:
        """The listing, begun at `began_at` (wall time), was complete. Raises as `win`."""
        await self._write(replace(self.row, sweep_done=self.row.sweep_n, swept_at=began_at))

    async def _write(self, row: StreamRow) -> None:
        written = await self._store.replace_stream(self.row, row)
        if written is None:
            raise Overtaken(row.key)
        self.row = written
