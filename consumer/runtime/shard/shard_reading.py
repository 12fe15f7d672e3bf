"""The reading of one shard, in stretches: each reader begins where the last one ended.

Ownership: the shard's consumer owns it; at most one reader lives at a time. What a reader knew of
the tip outlives it, so the age stays true while the shard drains.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from consumer.core.shard.cursor import Cursor
from consumer.runtime.cancellation import heed_cancellation
from consumer.runtime.shard.gaps import GapRecorder
from consumer.runtime.shard.intake import Intake
from consumer.runtime.shard.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from consumer.core.backlog.watermark import AckWatermark
    from consumer.core.event.transcode import Transcoder
    from consumer.core.leases.lease import Gap, StreamRow
    from consumer.core.stream.stream import Stream
    from consumer.runtime.shard.checkpointer import Checkpointer
    from consumer.runtime.shard.lease_writer import LeaseWriter
    from consumer.runtime.shard.relay import Relay


class _EndError(Exception):
    """Ends the group of tasks beside a reader."""


class ShardReading:
    """`tip_at` is the wall time of the last tip page, `last_success_at` of the injected clock."""

    def __init__(
        self,
        *,
        relay: Relay,
        stream: Stream,
        row: StreamRow,
        writer: LeaseWriter,
        transcoder: Transcoder,
        watermark: AckWatermark,
        checkpointer: Checkpointer,
        gap: Gap | None = None,
    ) -> None:
        self._relay = relay
        self._stream = stream
        self._row = row
        self._writer = writer
        self._transcoder = transcoder
        self._watermark = watermark
        self._checkpointer = checkpointer
        self._gap = gap  # whose end is the first record that is not skipped
        self._reader: Reader | None = None
        self._cursor = Cursor.of(writer.lease, row.started_at)
        self._tip_at: float | None = None
        self._last_success_at = relay.clock.now()
        self._records_read = 0  # by earlier readers

    @property
    def suspended(self) -> str | None:
        """The named thing it waits for, None if it reads or has ended."""
        return None if self._reader is None else self._reader.suspended

    @property
    def tip_at(self) -> float | None:
        """Wall time of the last page that reached the tip, None before the first."""
        return self._tip_at if self._reader is None else self._reader.tip_at or self._tip_at

    @property
    def records_read(self) -> int:
        """Records read so far."""
        return self._records_read + (0 if self._reader is None else self._reader.records_read)

    @property
    def last_success_at(self) -> float:
        """Time of the last successful call to the stream, or of the start."""
        return self._last_success_at if self._reader is None else self._reader.last_success_at

    def progressed(self) -> None:
        """A ticket of the shard has moved."""
        if self._reader is not None:
            self._reader.note_settled()
            self._reader.progressed.notify()

    async def read(self, until: Callable[[], Awaitable[object]]) -> bool:
        """Read to the shard's end (True), or until `until` returns. Raises LeaseLost."""
        reader = self._reader = self._new_reader()

        async def stop() -> None:
            await until()
            reader.stop()

        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(stop())
                await reader.run()
                raise _EndError
        except* _EndError:
            heed_cancellation()
        reader.note_settled()
        self._tip_at = reader.tip_at or self._tip_at
        self._last_success_at = reader.last_success_at
        self._records_read += reader.records_read
        self._reader = None
        return reader.closed

    def rewind(self) -> None:
        """What was read and dropped by a drain is read again."""
        self._cursor = Cursor.of(self._writer.lease, self._row.started_at)
        if self._watermark.opened:
            self._cursor.iterator = None
            self._cursor.last_read = self._watermark.opened

    def _new_reader(self) -> Reader:
        relay = self._relay
        gaps = GapRecorder(relay, self._row.key, self._watermark.tenure.epoch, self._gap)
        self._gap = None
        intake = Intake(
            relay=relay,
            cursor=self._cursor,
            watermark=self._watermark,
            transcoder=self._transcoder,
            gaps=gaps,
        )
        return Reader(
            relay=relay,
            stream=self._stream,
            row=self._row,
            writer=self._writer,
            member=self._watermark.tenure.member,
            cursor=self._cursor,
            intake=intake,
            gaps=gaps,
            checkpointer=self._checkpointer,
        )
