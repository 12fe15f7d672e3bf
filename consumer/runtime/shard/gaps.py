"""Gap rows: durable word of records that were trimmed before anybody read them.

Ownership: the consumer of a shard records the gaps of that shard, while its lease holds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import structlog

from consumer.core.backoff import full_jitter
from consumer.core.leases.checkpoint import sequence_of
from consumer.core.leases.lease import SEEK
from consumer.errors import LeaseLost, Retryable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from consumer.core.leases.fence import Fence
    from consumer.core.leases.lease import Gap
    from consumer.ports import LeaseStore
    from consumer.runtime.instruments import Instruments

T = TypeVar("T")

log = structlog.get_logger()

PAUSE = 0.2
PAUSE_MAX = 5.0
"""First and longest wait after a failed write, in seconds; doubling, full jitter."""


class GapRecorder:
    """Writes the gap rows of one shard, held under one epoch of the fence."""

    def __init__(
        self, store: LeaseStore, fence: Fence, instruments: Instruments, stream_key: str, epoch: int
    ) -> None:
        self._store = store
        self._fence = fence
        self._instruments = instruments
        self._stream_key = stream_key
        self._epoch = epoch
        self._open: Gap | None = None  # the newest, while its end is not known

    async def record(self, gap: Gap) -> None:
        """Put the row, or open it again. Ends when it stands there. Raises LeaseLost.

        Who met the same gap before left without a checkpoint; since then more may have been
        trimmed, all of the shard even. So its end is taken back until it is known again.
        """
        created = await self._insist(gap, self._store.put_gap)
        self._open = gap
        if not created:
            log.warning(
                "gap_met_again",
                stream=self._stream_key,
                shard=gap.shard_id,
                after=gap.from_,
                action="its owner left before a checkpoint; the row's end is looked for anew",
            )
        else:
            self._instruments.metrics.gaps.labels(reason=gap.reason).inc()
            self._tell(gap)

    def _tell(self, gap: Gap) -> None:
        if gap.reason == SEEK:
            log.warning(
                "records_skipped_by_seek",
                stream=self._stream_key,
                shard=gap.shard_id,
                after=gap.from_,
                action="an operator wanted it; a gap row in the lease table names the place",
            )
        else:
            log.error(
                "records_lost_unread",
                stream=self._stream_key,
                shard=gap.shard_id,
                after=gap.from_,
                reason=gap.reason,
                action="the stream trimmed them before they were read; reading goes on at the "
                "oldest record it still holds; a gap row in the lease table names the place",
            )

    @property
    def open(self) -> bool:
        """A gap was recorded whose end is not known yet."""
        return self._open is not None

    async def close(self, sequence: int) -> None:
        """A record has been read: complete the row if it comes after the gap. Raises LeaseLost.

        Ends when the end stands there. (A seek back reads records from before the gap, too.)
        """
        gap = self._open
        if gap is not None and sequence > (sequence_of(gap.from_) or 0):
            self._open = None
            await self._insist(replace(gap, to=str(sequence)), self._store.complete_gap)

    async def _insist(self, gap: Gap, write: Callable[[str, Gap], Awaitable[T]]) -> T:
        """Write until it is done, as long as the lease holds."""
        clock, chance = self._instruments.clock, self._instruments.chance
        failures = 0
        while True:
            if not self._fence.holds(clock.now(), self._epoch):
                raise LeaseLost(f"the fence passed before the gap in {gap.shard_id} was written")
            try:
                return await write(self._stream_key, gap)
            except Retryable:
                failures += 1
                await clock.sleep(full_jitter(failures, PAUSE, PAUSE_MAX, chance.random()))
