"""A worker that can read nothing says so, and finds out when it can again.

Rule: `able` is written here only. An unable worker gives its shards up and is given none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.core.stream.stream import AtLatest
from consumer.errors import ExpiredIterator, Retryable, ShardNotFound, TrimmedData
from consumer.runtime.discovery.children import stream_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.leases.lease import StreamRow
    from consumer.observability.metrics import Metrics
    from consumer.ports import Clock, StreamClient
    from consumer.runtime.leases.heartbeat import Keeper
    from consumer.runtime.leases.held_shards import HeldShards, ShardKey

log = structlog.get_logger()

PROBE_SECONDS = 5.0
"""An unable worker tries one read this often."""


class Probe:
    """Watches whether any held shard can be read; if none can, tries one until it answers."""

    def __init__(
        self,
        streams: StreamClient,
        clock: Clock,
        keeper: Keeper,
        held: HeldShards,
        metrics: Metrics,
    ) -> None:
        self._streams = streams
        self._clock = clock
        self._keeper = keeper
        self._held = held
        self._metrics = metrics
        self._shard: ShardKey | None = None  # the one to try
        self._due = 0.0

    async def look(self, rows: Sequence[StreamRow]) -> None:
        """Hand silent shards over; become unable, or able again."""
        silent = self._held.leave_silent()
        now = self._clock.now()
        if self._keeper.able:
            if silent is not None:
                log.error("worker_unable", worker=self._keeper.worker_id)
                self._shard = silent
                self._due = now
                self._set(able=False)
            return
        if now < self._due:
            return
        self._due = now + PROBE_SECONDS
        if await self._answers(rows):
            log.info("worker_able", worker=self._keeper.worker_id)
            self._set(able=True)

    def _set(self, *, able: bool) -> None:
        self._keeper.set_able(able=able)
        self._metrics.worker_able.set(able)

    async def _answers(self, rows: Sequence[StreamRow]) -> bool:
        row = next((row for row in rows if self._shard and row.key == self._shard[0]), None)
        if row is None or self._shard is None:
            return True
        try:
            iterator, _ = await self._streams.shard_iterator(
                stream_of(row), self._shard[1], AtLatest()
            )
            await self._streams.get_records(iterator)
        except (ShardNotFound, TrimmedData, ExpiredIterator):
            return True  # an answer, if not a page
        except Retryable as error:
            log.warning("probe_failed", reason=error.reason)
            return False
        return True
