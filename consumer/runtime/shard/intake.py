"""The intake: it opens a ticket of the backlog for each record of a page, in order.

Ownership: the shard's reader owns it. A record that the cursor skips, or of which no route makes an
event, counts as settled at its place in the order. As events are made from a page, slice by slice,
their bytes replace those reserved for the page, so a page and its events are not counted twice.
Rule: events may be a thousand times as long as their page. None is queued that the reservations do
not admit; the page ends before it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from consumer.core.backlog.queued_event import cost_of
from consumer.core.event.event import Unbuildable, Withheld
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.occurred_at import epoch_seconds
from consumer.core.shard.cursor import (
    ALREADY_READ,
    ALREADY_SETTLED,
    BEFORE_SEEK,
    skip_reason,
)
from consumer.core.stream.record import MalformedRecord
from consumer.runtime.publishing.backlog import RecordEvents

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from consumer.core.backlog.ticket import Ticket
    from consumer.core.backlog.watermark import AckWatermark
    from consumer.core.event.event import Event
    from consumer.core.routes.assembler import Assembler, Taker
    from consumer.core.shard.cursor import Cursor
    from consumer.core.stream.page import Page
    from consumer.core.stream.record import StreamRecord
    from consumer.runtime.instruments import Instruments
    from consumer.runtime.publishing.backlog import Backlog
    from consumer.runtime.publishing.outlet import Outlet
    from consumer.runtime.shard.gaps import GapRecorder
    from consumer.runtime.shard.page_reservations import PageReservations

SLICE = 200
SLICE_SECONDS = 0.05
"""Most records, and about the longest time, without an await: other tasks run in between."""

WRITE_ONCE = (
    "let each item that is a business event be written once: its readers got what was inserted,"
    " and what is changed later is published nowhere"
)
"""What the operator does about `outbox_modified`."""

INSIDE_GAP = (ALREADY_READ, BEFORE_SEEK)
"""A record skipped for one of these reasons does not end a gap."""

NO_TIME = float("inf")
"""Stands for a creation time that cannot be read: never older than the stream's start."""


class _Made(NamedTuple):
    """The events of a record by the number of their route, and why other routes made none.

    `settled`: an earlier owner of the shard has settled all events of it.
    """

    events: Sequence[tuple[int, Event | Unbuildable]]
    withheld: Sequence[tuple[int, Withheld]]
    settled: bool = False

    @property
    def why(self) -> str:
        """Why there are no events."""
        return ALREADY_SETTLED if self.settled else skip_reason([why for _, why in self.withheld])


_NOTHING = _Made((), ())


class Intake:
    """Takes in the pages of one shard. `outlets` are those of the routes of `assembler`, in order.

    `hot_key_limits` gives, by event type, how many unsettled events of a key stop the reader.
    """

    def __init__(
        self,
        *,
        backlog: Backlog,
        watermark: AckWatermark,
        outlets: Sequence[Outlet[Ticket]],
        assembler: Assembler,
        gaps: GapRecorder,
        reservations: PageReservations,
        hot_key_limits: Callable[[], Mapping[str, float]],
        instruments: Instruments,
    ) -> None:
        self._backlog = backlog
        self._watermark = watermark
        self._outlets = outlets
        self._assembler = assembler
        self._gaps = gaps
        self._reservations = reservations
        self._hot_key_limits = hot_key_limits
        self._clock = instruments.clock
        self._metrics = instruments.metrics
        self._conditions = instruments.conditions
        self._crowded: set[tuple[str, str]] = set()  # event type, key

    @property
    def blocked(self) -> str | None:
        """What keeps the shard from reading on: `hot_key`, `watermark`, or None."""
        if self._crowded:
            limits, outlets = self._hot_key_limits(), self._backlog.outlets
            self._crowded = {
                (name, key)
                for name, key in self._crowded
                if outlets[name].queue.pending(key) > limits[name]
            }
        if self._crowded:
            return "hot_key"
        return "watermark" if self._watermark.full else None

    @property
    def crowded_at(self) -> int | None:
        """Sequence number of the oldest unsettled record of a key that stops the reader."""
        outlets = self._backlog.outlets
        heads = [outlets[name].queue.oldest(key) for name, key in self._crowded]
        return min((head.of.sequence for head in heads if head is not None), default=None)

    async def take_in(self, page: Page, cursor: Cursor) -> int:
        """Open a ticket for every record of the page that is to be published, while memory lasts.

        Return how many records were taken in. If they are not all, the cursor is at the last of
        them, and the rest is to be read again. Raises LeaseLost if the end of a gap cannot be
        written before the fence passes.
        """
        records, taken = page.records, 0
        if records:
            self._backlog.paths.look(records[0])
        fits = self._reservations.begin(page.size)
        while fits and taken < len(records):
            if taken:
                await asyncio.sleep(0)
            more = await self._take(records[taken : taken + SLICE], cursor)
            if not more:
                break
            taken += more
        self._metrics.records_read.inc(taken)
        self._reservations.end()
        return taken

    async def _take(self, records: Sequence[StreamRecord | MalformedRecord], cursor: Cursor) -> int:
        """Ask the cursor about each record; make events only of those that are to be published.

        Return how many records were taken in, which is none only if there is no memory.
        """
        watermark, wall, started = self._watermark, self._clock.wall(), self._clock.now()
        fresh: list[RecordEvents] = []
        taken = 0
        takers = [*map(self._assembler.takers, records)]
        for record, its_takers in zip(records, takers, strict=True):
            if taken and self._clock.now() - started > SLICE_SECONDS:
                break
            sequence, created_at = record.sequence, _time_of(record)
            if sequence is None:
                # A record without a readable number takes that of the record before it.
                before = fresh[-1].sequence if fresh else watermark.opened or 0
                # A mark may end at that number without it: only below it is it settled for sure.
                made = self._made(record, its_takers, before + 1)
                if made.events:
                    self._admit(made.events, before, wall, fresh, must=True)
                self._note(made)
                taken += 1
                continue
            place = cursor.place
            skipped = cursor.read(sequence, NO_TIME if created_at is None else created_at)
            if skipped not in INSIDE_GAP and self._gaps.open:
                await self._gaps.close(sequence, watermark.found)
            made = _NOTHING if skipped is not None else self._made(record, its_takers, sequence)
            if made.events:
                at = wall if created_at is None else created_at
                if not self._admit(made.events, sequence, at, fresh):
                    cursor.return_to(place)
                    self._assembler.take_metadata_left_out()  # counted when it is read again
                    break
            else:
                self._metrics.records_skipped.labels(reason=skipped or made.why).inc()
                self._push(fresh)
                fresh = []
                if skipped != ALREADY_READ:
                    watermark.skip(sequence, created_at)
            self._note(made)
            taken += 1
        self._push(fresh)
        return taken

    def _made(
        self, record: StreamRecord | MalformedRecord, takers: Sequence[Taker], sequence: int
    ) -> _Made:
        """Return what the routes that take a record make of it.

        Without the events that an earlier owner of the shard has settled, as its mark says. Of a
        record that cannot be read no mark tells: it has no event type, and goes with the first
        route, which may have been another one for that owner.
        """
        events: list[tuple[int, Event | Unbuildable]] = []
        withheld: list[tuple[int, Withheld]] = []
        for number, content in self._assembler.events_of(record, takers):
            if isinstance(content, Withheld):
                withheld.append((number, content))
            else:
                events.append((number, content))
        lacking = [
            (number, content)
            for number, content in events
            if content.unreadable or self._watermark.leaves(sequence, self._outlets[number].name)
        ]
        return _Made(lacking, withheld, settled=bool(events and not lacking))

    def _note(self, made: _Made) -> None:
        """Tell what was left out of a record that was taken in.

        That the item of a business event was written again is warned of whatever the other routes
        make of it: its readers have the event as it was first.
        """
        left_out = self._assembler.take_metadata_left_out()
        if left_out:
            self._metrics.metadata_left_out.inc(left_out)
        for number, why in made.withheld:
            if why is Withheld.OUTBOX_MODIFIED:
                self._conditions.warning(
                    "outbox_modified",
                    event_type=self._outlets[number].name,
                    action=WRITE_ONCE,
                )

    def _admit(
        self,
        made: Sequence[tuple[int, Event | Unbuildable]],
        sequence: int,
        created_at: float,
        fresh: list[RecordEvents],
        *,
        must: bool = False,
    ) -> bool:
        """Append the events that were made of a record, if there is memory for them."""
        events = [(self._outlets[number], content) for number, content in made]
        cost = sum(cost_of(content) for _, content in events)
        if not self._reservations.admit(cost, must=must):
            return False
        fresh.append(RecordEvents(sequence, created_at, events))
        return True

    def _push(self, fresh: Sequence[RecordEvents]) -> None:
        if not fresh:
            return
        budget, now, limits = self._backlog.budget, self._clock.now(), self._hot_key_limits()
        used = budget.used
        self._crowded |= self._backlog.add(self._watermark, fresh, now, limits)
        self._reservations.queued(budget.used - used)


def _time_of(record: StreamRecord | MalformedRecord) -> float | None:
    """Return the record's creation time in epoch seconds, None if it cannot be read."""
    if isinstance(record, MalformedRecord):
        return None
    try:
        return epoch_seconds(record.created_at)
    except MalformedItem:
        return None
