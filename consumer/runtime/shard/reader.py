"""The reader: it fetches the pages of one shard and hands them to the intake.

Ownership: the shard's consumer owns it and may start it again after it has ended. It owns two
tasks: one fetches, at most one page ahead of the other, which delivers. It ends at the end of the
shard, or when the consumer wants something else than reading. If a page does not fit into the
memory, both tasks end, and begin again behind the last record that was taken in.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from consumer.core.backoff import full_jitter
from consumer.errors import ExpiredIterator, Retryable
from consumer.runtime.cancellation import ending_group
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from consumer.core.failure import Failure
    from consumer.core.shard.pace import Pace
    from consumer.core.stream.page import Page
    from consumer.runtime.instruments import Instruments
    from consumer.runtime.shard.checkpointer import Checkpointer
    from consumer.runtime.shard.intake import Intake
    from consumer.runtime.shard.page_reservations import PageReservations
    from consumer.runtime.shard.shard_pages import ShardPages

PAUSE = 0.1
PAUSE_MAX = 5.0
"""First and longest wait after a failed call, in seconds; doubling, full jitter."""

BLOCKED_LOOK = 1.0
"""Seconds after which a blocked reader checks again, if no ticket of its shard has changed."""


class Reader:
    """`suspended` names what the reader waits for; None if it reads or does not run.

    `records_read` counts the records delivered since it was made.
    """

    def __init__(
        self,
        *,
        pages: ShardPages,
        intake: Intake,
        reservations: PageReservations,
        checkpointer: Checkpointer,
        pace: Pace,
        instruments: Instruments,
    ) -> None:
        self._pages = pages
        self._intake = intake
        self._reservations = reservations
        self._checkpointer = checkpointer
        self._pace = pace
        self._clock = instruments.clock
        self._chance = instruments.chance
        self.suspended: str | None = None
        self.records_read = 0
        self._ended = False
        self._closed = False
        self._progressed = Signal()
        self._prepare()

    def _prepare(self) -> None:
        self._fetched: asyncio.Queue[Page] = asyncio.Queue(maxsize=1)
        self._taken = asyncio.Event()  # the delivering task has begun with the last page
        self._halted = asyncio.Event()  # fetching and delivering are to end

    @property
    def crowded_at(self) -> int | None:
        """Sequence number of the oldest unsettled record of a key that stops the reader."""
        return self._intake.crowded_at

    @property
    def failure(self) -> Failure | None:
        """The failed calls in a row; None if the last one was answered."""
        return self._pages.failure

    @property
    def answered(self) -> bool:
        """Whether the stream has answered a request for records since the reader was made."""
        return self._pages.answered

    @property
    def last_success_at(self) -> float:
        """Time (clock) of the last page that the stream answered; before the first, the start."""
        return self._pages.last_success_at

    def note_progress(self) -> None:
        """Check again whether reading may go on: a ticket of the shard has changed."""
        self._progressed.notify()

    async def read(self, after: int | None, until: Callable[[], Awaitable[object]]) -> bool:
        """Read from behind the record `after` to the shard's end, or until `until` returns.

        `after` is a sequence number; None means the position of the lease row. Pages that are not
        delivered by then are dropped, and read again by the next reader. Return whether the shard's
        end was reached. Raises LeaseLost.
        """
        self._ended = self._closed = False
        self._pages.start(after)
        async with ending_group() as tasks:
            tasks.create_task(self._stop_after(until))
            while not self._ended:
                await self._run()
                self._pages.resume()
        return self._closed

    async def _run(self) -> None:
        self._prepare()
        self._pace.restart()
        try:
            async with ending_group() as tasks:
                tasks.create_task(self._fetch())
                tasks.create_task(self._deliver())
                await self._halted.wait()
        finally:
            self._reservations.clear()
            self.suspended = None

    async def _stop_after(self, until: Callable[[], Awaitable[object]]) -> None:
        await until()
        self._ended = True
        self._halted.set()

    async def _fetch(self) -> None:
        ahead = False
        while True:
            if not ahead:
                await self._clear_way()
                await self._reserve()
            ahead = False
            try:
                page = await self._pages.next(self._fetched.join)
            except Retryable as error:
                self._reservations.no_page()
                await self._pause_after(error)
                continue
            received_at, wall = self._clock.now(), self._clock.wall()
            self._pace.count(page, received_at, wall)
            wait = self._pace.pause(page, wall)
            self._taken.clear()
            await self._fetched.put(page)
            if page.next_iterator is None:
                return
            await self._taken.wait()
            if not wait and self._intake.blocked is None:
                ahead = self._reservations.reserve_ahead()
            if not ahead:
                await self._fetched.join()
            rest = received_at + wait - self._clock.now()  # the page was taken in meanwhile
            if rest > 0:
                await self._clock.sleep(rest)

    async def _clear_way(self) -> None:
        """Wait while a key has too many unsettled events or the watermark is too far behind."""
        while (cause := self._intake.blocked) is not None:
            self.suspended = cause
            await self._progressed.wait(BLOCKED_LOOK)

    async def _reserve(self) -> None:
        self.suspended = "budget"
        await self._reservations.reserve()
        self.suspended = None

    async def _pause_after(self, error: Retryable) -> None:
        failures = 1 if self._pages.failure is None else self._pages.failure.count
        if isinstance(error, ExpiredIterator) and failures == 1:
            return
        await self._clock.sleep(full_jitter(failures, PAUSE, PAUSE_MAX, self._chance.random()))

    async def _deliver(self) -> None:
        while True:
            page = await self._fetched.get()
            self._taken.set()
            taken = await self._intake.take_in(page, self._pages.cursor)
            self.records_read += taken
            if taken < len(page.records):
                if taken:
                    self._pages.note_delivered(None)
                self._halted.set()
                return
            self._pages.note_delivered(page.next_iterator)
            wall = self._clock.wall()
            if self._pace.at_tip(page, wall):
                self._checkpointer.note_tip(wall, self._pages.cursor.last_read)
            self._fetched.task_done()
            if page.next_iterator is None:
                self._ended = self._closed = True
                self._halted.set()
                return
