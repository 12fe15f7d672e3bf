"""The readability check: whether this worker can read any shard.

Rule: only this module changes `able` of the worker row. While it is false, the plan gives the
worker no shard; those that it holds are handed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.core.stream.stream import AtLatest
from consumer.errors import Retryable, ShardNotFound, TrimmedData

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.failure import Failure
    from consumer.core.leases.lease import StreamRow
    from consumer.ports import StreamClient
    from consumer.runtime.instruments import Instruments
    from consumer.runtime.leases.heartbeat import Heartbeat
    from consumer.runtime.leases.held_shards import HeldShards
    from consumer.runtime.leases.running_shard import ShardKey

log = structlog.get_logger()

CHECK_SECONDS = 5.0
"""An unable worker tries one read after this many seconds."""


class ReadabilityCheck:
    """It makes the worker unable when no held shard can be read, and able when one can again."""

    def __init__(
        self,
        streams: StreamClient,
        heartbeat: Heartbeat,
        held: HeldShards,
        instruments: Instruments,
    ) -> None:
        self._streams = streams
        self._clock = instruments.clock
        self._heartbeat = heartbeat
        self._held = held
        self._metrics = instruments.metrics
        self._conditions = instruments.conditions
        self._shard: ShardKey | None = None  # the shard that an unable worker tries to read
        self._due = 0.0  # when it tries next
        self._was_read = False
        self._failure: Failure | None = None

    @property
    def never_read(self) -> Failure | None:
        """The failure of a shard while none was ever read; None if one was, or none was tried."""
        return None if self._was_read else self._failure

    async def update(self, rows: Sequence[StreamRow]) -> None:
        """Drain silent shards; become unable if all are silent; if unable, try a read when due."""
        for view in self._held.views():
            self._was_read = self._was_read or view.answered
            self._failure = view.failure or self._failure
        silent = self._held.drain_silent()
        now = self._clock.now()
        if self._heartbeat.able:
            if silent is not None:
                self._conditions.error(
                    "worker_unable",
                    worker=self._heartbeat.worker_id,
                    action="find out why this worker can read nothing: reading_fails and "
                    "probe_failed have the reason; it takes no shards until a read succeeds",
                )
                self._shard = silent
                self._due = now
                self._set(able=False)
            return
        if now < self._due:
            return
        self._due = now + CHECK_SECONDS
        if await self._can_read(rows):
            self._conditions.lasted("probe_failed")
            lasted = self._conditions.lasted("worker_unable")
            log.info("worker_able", worker=self._heartbeat.worker_id, lasts_seconds=lasted)
            self._set(able=True)

    def _set(self, *, able: bool) -> None:
        self._heartbeat.set_able(able=able)
        self._metrics.worker_able.set(able)

    async def _can_read(self, rows: Sequence[StreamRow]) -> bool:
        row = next((row for row in rows if self._shard and row.key == self._shard[0]), None)
        if row is None or self._shard is None:
            return True
        try:
            iterator, _ = await self._streams.shard_iterator(row.stream, self._shard[1], AtLatest())
            await self._streams.get_records(iterator)
        except (ShardNotFound, TrimmedData):
            return True  # the stream has answered, even if not with a page
        except Retryable as error:
            if error.reason == "expired_iterator":
                return True
            self._conditions.failed(
                "probe_failed",
                error,
                action="compare the role with `consumer iam-policy`, and look at the way to "
                f"DynamoDB Streams; a read is tried every {CHECK_SECONDS:g} s",
            )
            return False
        return True
