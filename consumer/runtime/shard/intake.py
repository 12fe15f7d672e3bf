"""The intake: it opens a ticket of the backlog for each record of a page, in order.

Ownership: the shard's reader owns it. A record that the cursor skips, or of which no route makes an
event, counts as settled at its place in the order. As events are made from a page, slice by slice,
their bytes replace those reserved for the page, so a page and its events are not counted twice.
Rule: events may be a thousand times as long as their page. None is queued that the reservations do
not admit; the page ends before it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.backlog.queued_event import cost_of
from consumer.core.event.event import Withheld
from consumer.core.event.occurred_at import time_of
from consumer.core.shard.cursor import (
    ALREADY_READ,
    ALREADY_SETTLED,
    BEFORE_SEEK,
    skip_reason,
)
from consumer.runtime.publishing.backlog import RecordEvents
from consumer.runtime.shard.shard_events import ShardEvents

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from consumer.core.backlog.ticket import Ticket
    from consumer.core.backlog.watermark import AckWatermark
    from consumer.core.routes.assembler import Assembler
    from consumer.core.shard.cursor import Cursor
    from consumer.core.stream.page import Page
    from consumer.core.stream.record import MalformedRecord, StreamRecord
    from consumer.runtime.instruments import Instruments
    from consumer.runtime.publishing.backlog import Backlog
    from consumer.runtime.publishing.outlet import Outlet
    from consumer.runtime.shard.gaps import GapRecorder
    from consumer.runtime.shard.page_reservations import PageReservations
    from consumer.runtime.shard.shard_events import WithheldEvents

SLICE = 200
SLICE_SECONDS = 0.05
"""Most records, and about the longest time, without an await: other tasks run in between."""

BATCH = 32
"""Most records whose events are made together, before memory is asked for."""

BATCH_BYTES = 65_536
"""Most bytes of them, by the average of their page."""

WRITE_ONCE = (
    "let each item that is a business event be written once: its readers got what was inserted,"
    " and what is changed later is published nowhere"
)
"""What the operator does about `outbox_modified`."""

INSIDE_GAP = (ALREADY_READ, BEFORE_SEEK)
"""A record skipped for one of these reasons does not end a gap."""

NO_TIME = float("inf")
"""Stands for a creation time that cannot be read: never older than the stream's start."""


class _Skipped(Struct, frozen=True):
    """A record of which no event is made, and why."""

    sequence: int
    created_at: float | None
    reason: str


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
        self._events = ShardEvents(assembler, outlets, watermark)
        self._gaps = gaps
        self._reservations = reservations
        self._hot_key_limits = hot_key_limits
        self._clock = instruments.clock
        self._metrics = instruments.metrics
        self._conditions = instruments.conditions
        self._crowded: set[tuple[str, str]] = set()  # event type, key
        self._batch = BATCH

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
            self._batch = max(min(BATCH, BATCH_BYTES * len(records) // max(page.size, 1)), 1)
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

        Return how many records were taken in, which is none only if there is no memory. All records
        go through one step before the first goes through the next one: a step is faster while the
        processor's caches hold nothing but its own code.
        """
        start, times = cursor.place, [*map(time_of, records)]
        skipped = _read(records, times, cursor)
        if self._gaps.open:
            await self._end_gaps(records, times, skipped)
        found, taken = self._make(records, times, skipped)
        if taken < len(records):
            cursor.return_to(start)
            _read(records[:taken], times, cursor)
        self._open(found)
        return taken

    async def _end_gaps(
        self,
        records: Sequence[StreamRecord | MalformedRecord],
        times: Sequence[float | None],
        skipped: Sequence[str | None],
    ) -> None:
        for record, at, why in zip(records, times, skipped, strict=True):
            sequence = record.sequence
            if sequence is not None and why not in INSIDE_GAP and self._gaps.open:
                await self._gaps.close(sequence, at, self._watermark.found)

    def _make(
        self,
        records: Sequence[StreamRecord | MalformedRecord],
        times: Sequence[float | None],
        skipped: Sequence[str | None],
    ) -> tuple[list[RecordEvents | _Skipped], int]:
        """Make the events of records, while memory lasts and for `SLICE_SECONDS`.

        Return what is to be opened or counted as settled, and how many records were taken in. A
        record without a readable number takes that of the record before it.
        """
        wall, started = self._clock.wall(), self._clock.now()
        found: list[RecordEvents | _Skipped] = []
        newest = self._watermark.opened or 0
        taken = left_out = 0
        fresh = [each for each, why in zip(records, skipped, strict=True) if not why]
        made = self._events.of(fresh, self._batch)
        for record, at, why in zip(records, times, skipped, strict=True):
            if taken and self._clock.now() - started > SLICE_SECONDS:
                break
            sequence = record.sequence
            if why is not None and sequence is not None:  # if it has none, nothing is skipped
                found.append(_Skipped(sequence, at, why))
                if why != ALREADY_READ:
                    newest = sequence
                taken += 1
                continue
            # A mark may end at the number of the record before without this one: only below it is
            # it settled for sure.
            number = newest + 1 if sequence is None else sequence
            events, withheld, settled = self._events.left(next(made), number)
            if events:
                cost = sum([cost_of(content) for _, content in events])
                if not self._reservations.admit(cost, must=sequence is None):
                    break
                newest = newest if sequence is None else sequence
                found.append(RecordEvents(newest, wall if at is None else at, events))
            elif sequence is not None:
                newest = sequence
                reason = ALREADY_SETTLED if settled else skip_reason([each for _, each in withheld])
                found.append(_Skipped(sequence, at, reason))
            self._warn_of(withheld)
            left_out += sum([content.left_out for _, content in events])
            taken += 1
        if left_out:
            self._metrics.metadata_left_out.inc(left_out)
        return found, taken

    def _warn_of(self, withheld: WithheldEvents) -> None:
        """Warn that the item of a business event was written again: readers have the first one."""
        for outlet, why in withheld:
            if why is Withheld.OUTBOX_MODIFIED:
                name = outlet.name
                self._conditions.warning("outbox_modified", event_type=name, action=WRITE_ONCE)

    def _open(self, found: Sequence[RecordEvents | _Skipped]) -> None:
        """Open a ticket for each record with events; the others count as settled in their place."""
        fresh: list[RecordEvents] = []
        reasons: Counter[str] = Counter()
        for record in found:
            if isinstance(record, RecordEvents):
                fresh.append(record)
                continue
            self._push(fresh)
            fresh = []
            reasons[record.reason] += 1
            if record.reason != ALREADY_READ:
                self._watermark.skip(record.sequence, record.created_at)
        self._push(fresh)
        for reason, count in reasons.items():
            self._metrics.records_skipped.labels(reason=reason).inc(count)

    def _push(self, fresh: Sequence[RecordEvents]) -> None:
        if not fresh:
            return
        budget, now, limits = self._backlog.budget, self._clock.now(), self._hot_key_limits()
        used = budget.used
        self._crowded |= self._backlog.add(self._watermark, fresh, now, limits)
        self._reservations.queued(budget.used - used)


def _read(
    records: Sequence[StreamRecord | MalformedRecord],
    times: Sequence[float | None],
    cursor: Cursor,
) -> list[str | None]:
    """Note records as read; return why each is skipped, None if it is to be published."""
    return [
        None
        if record.sequence is None
        else cursor.read(record.sequence, NO_TIME if at is None else at)
        for record, at in zip(records, times, strict=False)
    ]
