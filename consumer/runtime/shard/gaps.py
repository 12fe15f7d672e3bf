"""The gap recorder: it writes a gap row for records that were trimmed unread or skipped by a seek.

Ownership: the consumer of a shard records the gaps of that shard, while its lease holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import structlog
from msgspec.structs import replace

from consumer.core.backoff import Backoff
from consumer.core.leases.lease import SEEK
from consumer.core.shard.gap import SHARD_GONE, ends_before, together
from consumer.errors import LeaseLost, Retryable
from consumer.observability.actions import (
    READERS_MISS_RECORDS,
    READERS_MISS_SHARD,
    WRITE_ROW_AGAIN,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from consumer.core.leases.fence import Fence
    from consumer.core.leases.lease import Gap
    from consumer.core.leases.mark import Ahead
    from consumer.ports import LeaseStore
    from consumer.runtime.instruments import Instruments

T = TypeVar("T")

log = structlog.get_logger()

PAUSE = 0.2
PAUSE_MAX = 5.0
"""First and longest wait after a failed write, in seconds; doubling, full jitter."""


class GapRecorder:
    """Writes the gap rows of one shard, whose lease was taken in one epoch of the fence."""

    def __init__(
        self, store: LeaseStore, fence: Fence, instruments: Instruments, stream_key: str, epoch: int
    ) -> None:
        self._store = store
        self._fence = fence
        self._instruments = instruments
        self._stream_key = stream_key
        self._epoch = epoch
        self._open: dict[str, Gap] = {}  # whose end is not known, by their beginning, as rows are

    async def record(self, gap: Gap) -> None:
        """Write the row of a gap, trying until it is stored. Raises LeaseLost.

        An owner that left before its next checkpoint may have written the same row. Since then
        more records may have been trimmed, so the end in that row is removed until it is known
        again.
        """
        known = self._open.get(gap.from_)
        both = gap if known is None else together(known, gap)
        # A loss replaces the row of a seek; else the row says both by itself.
        replaces = known is not None and known.reason == SEEK
        created = await self._write(both if replaces else gap, self._store.put_gap)
        self._open[gap.from_] = both
        if not created:
            log.warning(
                "gap_met_again",
                stream=self._stream_key,
                shard=gap.shard_id,
                after=gap.from_,
                action="nothing; an earlier owner left before a checkpoint, the end is found again",
            )
        else:
            self._instruments.metrics.gaps.labels(reason=gap.reason).inc()
            self._log(gap)

    def _log(self, gap: Gap) -> None:
        if gap.reason == SEEK:
            log.warning(
                "records_skipped_by_seek",
                stream=self._stream_key,
                shard=gap.shard_id,
                after=gap.from_,
                action="nothing; an operator's seek skipped them, and `consumer gaps` names them",
            )
        else:
            log.error(
                "records_lost_unread",
                stream=self._stream_key,
                shard=gap.shard_id,
                after=gap.from_,
                reason=gap.reason,
                action=READERS_MISS_SHARD if gap.reason == SHARD_GONE else READERS_MISS_RECORDS,
            )

    @property
    def open(self) -> bool:
        """Whether there is a gap whose end is not known yet."""
        return bool(self._open)

    async def close(self, sequence: int, at: float | None, found: Ahead | None) -> None:
        """Write the end of each open gap that the record `sequence`, just read, comes after.

        `at` is its creation time, None if that cannot be read; `found` is the mark from which
        reading goes on. Tries until the end is stored. Raises LeaseLost.
        """
        for key, gap in list(self._open.items()):
            if ends_before(gap, sequence, found):
                del self._open[key]
                ended = replace(gap, to=str(sequence), to_time=at)
                await self._write(ended, self._store.complete_gap)

    async def _write(self, gap: Gap, write: Callable[[str, Gap], Awaitable[T]]) -> T:
        """Try to write until it succeeds. Raise LeaseLost once the fence has passed."""
        clock, chance = self._instruments.clock, self._instruments.chance
        conditions, backoff = self._instruments.conditions, Backoff(PAUSE, PAUSE_MAX)
        while True:
            if not self._fence.holds(clock.now(), self._epoch):
                raise LeaseLost(f"the fence passed before the gap in {gap.shard_id} was written")
            try:
                done = await write(self._stream_key, gap)
            except Retryable as error:
                conditions.warning(
                    "gap_unwritten",
                    stream=self._stream_key,
                    shard=gap.shard_id,
                    reason=error.reason,
                    action=WRITE_ROW_AGAIN,
                )
                await clock.sleep(backoff.next(chance.random()))
            else:
                conditions.over("gap_unwritten", stream=self._stream_key, shard=gap.shard_id)
                return done
