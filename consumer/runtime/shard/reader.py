"""The reader: pages of one shard, fetched and handed to the intake.

Ownership: a reader owns its cursor and its reservations. Two tasks work hand in hand: one fetches,
at most one page ahead, the other delivers. A reservation is made before a page is asked for and
given back when its events are counted. It ends when the shard does, or when asked to stop.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from consumer.core.backlog.budget import RESERVATION
from consumer.core.backoff import full_jitter
from consumer.core.shard.gap import possibly_trimmed_gap, shard_gone_gap, trimmed_gap
from consumer.core.shard.pace import at_tip, pause
from consumer.core.stream.page import MalformedRecord, Page
from consumer.core.stream.stream import AtTrimHorizon
from consumer.errors import ExpiredIterator, Retryable, ShardNotFound, TrimmedData
from consumer.runtime.cancellation import heed_cancellation
from consumer.runtime.signal import Wake

if TYPE_CHECKING:
    from consumer.core.leases.lease import StreamRow
    from consumer.core.shard.cursor import Cursor
    from consumer.core.stream.stream import Stream
    from consumer.runtime.shard.checkpointer import Checkpointer
    from consumer.runtime.shard.gaps import GapRecorder
    from consumer.runtime.shard.intake import Intake
    from consumer.runtime.shard.lease_writer import LeaseWriter
    from consumer.runtime.shard.relay import Relay

log = structlog.get_logger()

PAUSE = 0.1
PAUSE_MAX = 5.0
"""First and longest wait after a failed call, in seconds; doubling, full jitter."""

LOUD_FAILURES = 10
"""A warning is logged at the first failure in a row and then at every tenth."""

BLOCKED_LOOK = 1.0
"""Seconds after which a blocked reader looks again, if no ticket of its shard has moved."""


class _EndError(Exception):
    """Ends the group of a reader's tasks."""


class Reader:
    """Reads one shard. `suspended` names what it waits for, `closed` says it met the shard's end.

    `tip_at` is the wall time of the last page that reached the tip, `last_success_at` that of the
    last successful call by the injected clock.
    """

    def __init__(
        self,
        *,
        relay: Relay,
        stream: Stream,
        row: StreamRow,
        writer: LeaseWriter,
        member: str,
        cursor: Cursor,
        intake: Intake,
        gaps: GapRecorder,
        checkpointer: Checkpointer,
    ) -> None:
        self._relay = relay
        self._stream = stream
        self._row = row
        self._lease = writer.lease
        self._member = member  # its name in the budget
        self._cursor = cursor
        self._intake = intake
        self._gaps = gaps
        self._checkpointer = checkpointer
        self._pages: asyncio.Queue[Page] = asyncio.Queue(maxsize=1)
        self._taken = asyncio.Event()  # the delivering task has begun with the last page
        self._stop = asyncio.Event()
        self._reservations = 0
        self._tip: int | None = cursor.last_read
        self._empties = 0  # empty pages in a row
        self.progressed = Wake()  # a ticket of this shard has moved
        self.closed = False
        self.suspended: str | None = None
        self.tip_at: float | None = None
        self.records_read = 0
        self.last_success_at = relay.clock.now()

    def stop(self) -> None:
        """Read no more. Pages not delivered yet are dropped; the next owner reads them."""
        self._stop.set()

    async def run(self) -> None:
        """Read until the shard ends or `stop`. Raises LeaseLost."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._fetch())
                tasks.create_task(self._deliver())
                await self._stop.wait()
                raise _EndError
        except* _EndError:
            heed_cancellation()
        finally:
            self._relay.backlog.free(self._member, self._reservations * RESERVATION)
            self._reservations = 0
            self.suspended = None

    def note_settled(self) -> None:
        """Tell the checkpointer whether all that the last tip showed is settled."""
        if self.tip_at is not None:
            self._checkpointer.note_tip(self.tip_at, self._tip)

    async def _fetch(self) -> None:
        ahead = False
        failures = 0
        while True:
            if not ahead:
                await self._clear_way()
                await self._reserve()
            ahead = False
            try:
                page = await self._next_page()
            except Retryable as error:
                failures += 1
                self._release()
                await self._fail(error, failures)
                continue
            failures = 0
            self._empties = 0 if page.records else self._empties + 1
            self._taken.clear()
            await self._pages.put(page)
            if page.next_iterator is None:
                return
            await self._taken.wait()
            wait = self._wait_after(page)
            if not wait and self._intake.blocked is None:
                ahead = self._reserve_ahead()
            if not ahead:
                await self._pages.join()
            if wait:
                await self._relay.clock.sleep(wait)

    def _wait_after(self, page: Page) -> float:
        return pause(
            self._relay.poll,
            records=len(page.records),
            size=page.size,
            newest_age=self._newest_age(page),
            empties=self._empties,
            hurry=self._relay.hurry(),
        )

    async def _clear_way(self) -> None:
        """Wait while a key is crowded or the watermark is too far behind."""
        while (cause := self._intake.blocked) is not None:
            self.suspended = cause
            await self.progressed.wait(BLOCKED_LOOK)

    async def _reserve(self) -> None:
        self.suspended = "budget"
        await self._relay.backlog.reserve(self._member)
        self._reservations += 1
        self.suspended = None

    def _reserve_ahead(self) -> bool:
        if not self._relay.backlog.reserve_ahead(self._member):
            return False
        self._reservations += 1
        return True

    def _release(self) -> None:
        self._reservations -= 1
        self._relay.backlog.free(self._member, RESERVATION)

    async def _next_page(self) -> Page:
        """The page at the cursor. Raises Retryable; the cursor then stands where to go on."""
        cursor, requests = self._cursor, self._relay.metrics.get_records_requests
        try:
            if cursor.iterator is None:
                cursor.iterator = await self._open()
            page = await self._relay.client.get_records(cursor.iterator)
        except ExpiredIterator:
            cursor.iterator = None
            raise
        except TrimmedData as error:
            await self._trimmed()
            raise Retryable(str(error), "trimmed") from error
        except ShardNotFound as error:
            if await self._relay.lineage.shard_exists(self._row, self._lease.shard_id):
                raise Retryable(str(error), "not_found") from error
            await self._gaps.record(
                shard_gone_gap(self._lease, cursor.last_read, self._relay.clock.wall())
            )
            return Page([], None, 0)
        cursor.iterator = page.next_iterator
        self.last_success_at = self._relay.clock.now()
        requests.labels(outcome="records" if page.records else "empty").inc()
        return page

    async def _open(self) -> str:
        cursor, wall = self._cursor, self._relay.clock.wall()
        position = cursor.position
        if isinstance(position, AtTrimHorizon) and cursor.last_read is None:
            gap = possibly_trimmed_gap(self._lease, self._checkpointer.caught_up_at, wall)
            if gap is not None:
                await self._gaps.record(gap)
        iterator, _ = await self._relay.client.shard_iterator(
            self._stream, self._lease.shard_id, position
        )
        self.last_success_at = self._relay.clock.now()
        return iterator

    async def _trimmed(self) -> None:
        self.note_settled()
        gap = trimmed_gap(
            self._lease,
            self._cursor.last_read,
            self._cursor.last_read_at,
            self._checkpointer.caught_up_at,
            self._relay.clock.wall(),
        )
        if gap is not None:
            await self._gaps.record(gap)
        self._cursor.restart()

    async def _fail(self, error: Retryable, failures: int) -> None:
        self._relay.metrics.get_records_requests.labels(outcome=error.reason).inc()
        if isinstance(error, ExpiredIterator) and failures == 1:
            return
        if failures % LOUD_FAILURES == 1 and error.reason != "trimmed":
            log.warning(
                "reading_fails",
                stream=self._stream.key,
                shard=self._lease.shard_id,
                reason=error.reason,
                failures=failures,
                detail=str(error),
                action="tried again from the same place; nothing is skipped",
            )
        relay = self._relay
        wait = full_jitter(failures, PAUSE, PAUSE_MAX, relay.chance.random())
        await relay.clock.sleep(wait)

    async def _deliver(self) -> None:
        while True:
            page = await self._pages.get()
            self._taken.set()
            await self._intake.take_in(page)
            self.records_read += len(page.records)
            self._release()
            self._note_tip(page)
            self._pages.task_done()
            if page.next_iterator is None:
                self.closed = True
                self._stop.set()
                return

    def _note_tip(self, page: Page) -> None:
        age = self._newest_age(page)
        if at_tip(records=len(page.records), size=page.size, newest_age=age, empties=self._empties):
            self.tip_at = self._relay.clock.wall()
            self._tip = self._cursor.last_read
        self.note_settled()

    def _newest_age(self, page: Page) -> float:
        """Age of the page's last record in seconds; 0 if it has none that can be read."""
        if not page.records:
            return 0.0
        last = page.records[-1]
        if isinstance(last, MalformedRecord) or last.created_at is None:
            return 0.0
        return self._relay.clock.wall() - last.created_at
