"""The pages of one shard, requested one after the other from the position of its cursor.

Ownership: the shard's reader owns it; one task at a time calls `next`.
Rule: a gap row for what the stream trimmed unread is stored before reading goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from consumer.core.failure import failed_again
from consumer.core.shard.cursor import Cursor
from consumer.core.shard.gap import possibly_trimmed_gap, shard_gone_gap, trimmed_gap
from consumer.core.stream.page import Page
from consumer.core.stream.stream import AtTrimHorizon
from consumer.errors import ExpiredIterator, Retryable, ShardNotFound, TrimmedData

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from consumer.core.failure import Failure
    from consumer.core.leases.lease import StreamRow
    from consumer.ports import StreamClient
    from consumer.runtime.instruments import Instruments
    from consumer.runtime.shard.checkpointer import Checkpointer
    from consumer.runtime.shard.gaps import GapRecorder
    from consumer.runtime.shard.lease_writer import LeaseWriter


class Lineage(Protocol):
    """What the consumer of a shard needs of discovery."""

    async def create_children(self, stream: StreamRow, shard_id: str) -> None:
        """Create rows for the children of a shard that has ended. Raises Retryable."""
        ...

    async def shard_exists(self, stream: StreamRow, shard_id: str) -> bool:
        """Return whether a shard exists, of which a call has said that it does not.

        It does until that was said of it for a while, whatever is asked. Raises Retryable.
        """
        ...


class ShardPages:
    """`cursor` is where the next page begins, `failure` is that of the calls that fail in a row.

    `last_success_at` (clock) is that of the last page; before the first one, of the start. An
    iterator alone does not count: a shard of which every iterator is refused is not read.
    `answered`: a request for records was answered.
    """

    def __init__(
        self,
        *,
        client: StreamClient,
        lineage: Lineage,
        row: StreamRow,
        writer: LeaseWriter,
        checkpointer: Checkpointer,
        gaps: GapRecorder,
        instruments: Instruments,
    ) -> None:
        self._client = client
        self._lineage = lineage
        self._row = row
        self._stream = row.stream
        self._writer = writer
        self._checkpointer = checkpointer
        self._gaps = gaps
        self._clock = instruments.clock
        self._conditions = instruments.conditions
        self._requests = instruments.metrics.get_records_requests
        self.answered = False
        self.failure: Failure | None = None
        self.start(None)

    def start(self, after: int | None) -> None:
        """Set the cursor behind the record `after`; if None, at the position of the lease row."""
        self._lease = self._writer.lease
        self.cursor = Cursor.of(self._lease, self._row.started_at)
        if after:
            self.cursor.iterator = None
            self.cursor.last_read = after
        self._resume = self.cursor.iterator
        self.last_success_at = self._clock.now()

    def note_delivered(self, iterator: str | None) -> None:
        """Note where `resume` continues: at this iterator; if None, behind the last record read."""
        self._resume = iterator

    def resume(self) -> None:
        """Continue behind what was delivered: the pages after it were dropped.

        A shard that began at LATEST and has given no record has no other position than iterators.
        """
        self.cursor.iterator = self._resume

    async def next(self, delivered: Callable[[], Awaitable[object]]) -> Page:
        """Return the page at the cursor, and move the cursor behind it.

        `delivered` waits until the intake has taken in the pages before this one: they move the
        cursor, too, and without an iterator its position counts. Raises LeaseLost, or Retryable:
        the next call then continues at the right position.
        """
        try:
            page = await self._page(delivered)
        except Retryable as error:
            wall = self._clock.wall()
            self.failure = failed_again(self.failure, error.reason, str(error), wall)
            self._log_failure(error, self.failure.count)
            raise
        if self.failure is not None:
            self._conditions.over("reading_fails", stream=self._row.key, shard=self._lease.shard_id)
        self.failure = None
        self.answered = True
        return page

    async def _page(self, delivered: Callable[[], Awaitable[object]]) -> Page:
        cursor = self.cursor
        try:
            if cursor.iterator is None:
                cursor.iterator = await self._open()
            page = await self._client.get_records(cursor.iterator)
        except ExpiredIterator:
            await delivered()
            cursor.refuse()
            raise
        except TrimmedData as error:
            await delivered()
            await self._trimmed()
            raise Retryable(str(error), "trimmed") from error
        except ShardNotFound as error:
            await delivered()
            failures = 1 if self.failure is None else self.failure.count + 1
            self._say(Retryable(str(error), "not_found"), failures)  # the question may take long
            if await self._lineage.shard_exists(self._row, self._lease.shard_id):
                raise Retryable(str(error), "not_found") from error
            progress = self._checkpointer.progress
            gap = shard_gone_gap(self._lease, cursor.last_read, progress, self._clock.wall())
            await self._gaps.record(gap)
            return Page([], None, 0)
        cursor.iterator = page.next_iterator
        self.last_success_at = self._clock.now()
        self._requests.labels(outcome="records" if page.records else "empty").inc()
        return page

    async def _open(self) -> str:
        cursor, wall = self.cursor, self._clock.wall()
        position = cursor.position
        if isinstance(position, AtTrimHorizon) and cursor.last_read is None:
            caught_up_at = self._checkpointer.progress.caught_up_at
            gap = possibly_trimmed_gap(self._lease, caught_up_at, wall)
            if gap is not None:
                await self._gaps.record(gap)
        iterator, _ = await self._client.shard_iterator(
            self._stream, self._lease.shard_id, position
        )
        return iterator

    async def _trimmed(self) -> None:
        gap = trimmed_gap(
            self._lease,
            self.cursor.last_read,
            self.cursor.last_read_at,
            self._checkpointer.progress,
            self._clock.wall(),
        )
        if gap is not None:
            await self._gaps.record(gap)
        self.cursor.restart()

    def _log_failure(self, error: Retryable, failures: int) -> None:
        self._requests.labels(outcome=error.reason).inc()
        if error.reason == "expired_iterator" and failures == 1:
            return
        if error.reason != "trimmed":
            self._say(error, failures)

    def _say(self, error: Retryable, failures: int) -> None:
        self._conditions.failed(
            "reading_fails",
            error,
            stream=self._row.key,
            shard=self._lease.shard_id,
            failures=failures,
            action="nothing; the call is tried again from the same position. If this lasts, run "
            "`consumer check`",
        )
