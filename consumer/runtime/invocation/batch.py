"""A batch of one invocation: its records become events, slice by slice, until all are settled.

Ownership: an invocation owns it. It opens the tickets and looks at what became of them. Backlog,
outlets and senders are those of the service; nothing of them outlives the invocation. A record
that is older than the start, or of which no route makes an event, counts as settled at its place.

Rule: what is remembered as settled is not sent again, unless an earlier event of its key is: one
that is sent again alone would be the last that a reader gets of an item, and an old one.
"""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import TYPE_CHECKING, Final

from consumer.core.backlog.queued_event import SETTLED
from consumer.core.backlog.tenure import Tenure
from consumer.core.backlog.watermark import AckWatermark
from consumer.core.event.event import Withheld
from consumer.core.event.occurred_at import time_of
from consumer.core.invocation.batch_answer import Unsettled
from consumer.core.shard.cursor import ALREADY_SETTLED, MINUTE, Cursor, skip_reason
from consumer.core.stream.record import StreamRecord
from consumer.runtime.publishing.backlog import RecordEvents
from consumer.runtime.shard.intake import NO_TIME, WRITE_ONCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.backlog.ticket import Ticket
    from consumer.core.event.event import Event, Unbuildable
    from consumer.core.invocation.settled_memory import Name, SettledMemory
    from consumer.core.invocation.stream_batch import StreamBatch
    from consumer.core.routes.assembler import Assembler
    from consumer.core.routes.event_maker import Made
    from consumer.core.stream.record import MalformedRecord
    from consumer.runtime.instruments import Instruments
    from consumer.runtime.publishing.backlog import Backlog
    from consumer.runtime.publishing.outlet import Outlet

TOGETHER: Final = 32
"""Most records whose events are made together, before memory is asked for."""

NO_SHARD: Final = ""
"""Lambda does not tell which shard its records are of."""


class Batch:
    """The records of one invocation. `start` is in epoch seconds, None for all records."""

    def __init__(
        self,
        batch: StreamBatch,
        assembler: Assembler,
        backlog: Backlog,
        memory: SettledMemory,
        start: float | None,
        progressed: Callable[[], None],
        instruments: Instruments,
    ) -> None:
        self._batch = batch
        self._assembler = assembler
        self._backlog = backlog
        self._memory = memory
        self._clock = instruments.clock
        self._metrics = instruments.metrics
        self._conditions = instruments.conditions
        self._outlets = tuple(backlog.outlets.values())
        self._watermark = AckWatermark(
            Tenure(batch.stream_arn, NO_SHARD, 0), None, event_types=tuple(backlog.outlets)
        )
        since = None if start is None else start - start % MINUTE
        self._cursor = Cursor(None, None, skip_before=since)
        self._taken = 0  # records whose tickets were opened, or which were skipped
        self._places: dict[Ticket, int] = {}
        self._open: list[tuple[Name | None, QueuedEvent[Ticket]]] = []
        self._skipped: Counter[str] = Counter()
        self._sent: set[tuple[str, str]] = set()  # (event type, key) of what is sent now
        backlog.join(self._watermark, progressed)
        backlog.paths.look(batch.records[0])

    @property
    def left(self) -> bool:
        """Whether a record is not settled."""
        return not self._watermark.empty or self._taken < len(self._batch.records)

    @property
    def unsettled(self) -> Unsettled | None:
        """The first record that is not settled, None if all are."""
        if not self.left:
            return None
        head, rest = self._watermark.head, len(self._batch.records) - self._taken
        place = self._taken if head is None else self._places[head]
        return Unsettled(
            self._batch.numbers[place],
            self._watermark.unsettled + rest,
            time_of(self._batch.records[place]),
        )

    @property
    def wants_more(self) -> bool:
        """Whether there are more records, and memory for their events."""
        budget = self._backlog.budget
        return self._taken < len(self._batch.records) and budget.used <= budget.limit // 2

    def fill(self) -> None:
        """Make events, and queue them, while there are records and memory."""
        budget = self._backlog.budget
        while self._taken < len(self._batch.records) and budget.used < budget.limit:
            self._take()

    def _take(self) -> None:
        """Make the events of the next records together."""
        first, wall = self._taken, self._clock.wall()
        records = self._batch.records[first : first + TOGETHER]
        times = [*map(time_of, records)]
        skipped = [*map(self._why_skipped, records, times)]
        fresh = [each for each, why in zip(records, skipped, strict=True) if why is None]
        takers = [*map(self._assembler.takers, fresh)]
        made = iter(self._assembler.events_of_each(fresh, takers))
        for record, at, why in zip(records, times, skipped, strict=True):
            self._add(record, wall if at is None else at, why, [] if why else next(made))
            self._taken += 1
        self._metrics.records_read.inc(len(records))

    def look(self) -> int:
        """Remember what is settled by now, so that its bytes are kept no longer.

        Return how many events were settled since the last look.
        """
        now = self._clock.now()
        left: list[tuple[Name | None, QueuedEvent[Ticket]]] = []
        for name, event in self._open:
            if event.state is not SETTLED:
                left.append((name, event))
            elif name is not None:
                self._memory.settled(name, now)
        settled = len(self._open) - len(left)
        self._open = left
        return settled

    def end(self) -> None:
        """Remember what became of everything: the invocation ends."""
        self.look()
        now = self._clock.now()
        for name, event in self._open:
            if name is not None:
                self._memory.tried(name, event, now)
        for reason, count in self._skipped.items():
            self._metrics.records_skipped.labels(reason=reason).inc(count)

    def _why_skipped(self, record: StreamRecord | MalformedRecord, at: float | None) -> str | None:
        if record.sequence is None:
            return None  # of one without a number nothing is skipped, as in the service
        return self._cursor.read(record.sequence, NO_TIME if at is None else at)

    def _add(
        self,
        record: StreamRecord | MalformedRecord,
        created_at: float,
        why: str | None,
        made: list[tuple[int, Made]],
    ) -> None:
        """Open the ticket of a record, or count it as settled."""
        newest = self._watermark.opened or 0
        sequence = newest if record.sequence is None else record.sequence
        events, withheld, settled = self._left(record, made)
        if not events:
            reason = why or (ALREADY_SETTLED if settled else skip_reason(withheld))
            self._skipped[reason] += 1
            self._watermark.skip(sequence, created_at)
            return
        now = self._clock.now()
        self._backlog.add(
            self._watermark,
            [RecordEvents(sequence, created_at, events)],
            now,
            dict.fromkeys(self._backlog.outlets, inf),
        )
        ticket = self._watermark.tail
        if ticket is None:
            return  # it was just opened
        self._places[ticket] = self._taken
        for event in ticket.events:
            name = _name(record, event.event_type)
            if name is not None:
                self._memory.resume(name, event, now)
            self._open.append((name, event))
        left_out = sum([content.left_out for _, content in events])
        if left_out:
            self._metrics.metadata_left_out.inc(left_out)

    def _left(
        self, record: StreamRecord | MalformedRecord, made: list[tuple[int, Made]]
    ) -> tuple[list[tuple[Outlet[Ticket], Event | Unbuildable]], list[Withheld], bool]:
        """Return the events of a record that are not settled yet, and why there are no others."""
        events: list[tuple[Outlet[Ticket], Event | Unbuildable]] = []
        withheld: list[Withheld] = []
        settled, now = False, self._clock.now()
        for number, content in made:
            outlet = self._outlets[number]
            name = _name(record, outlet.name)
            if isinstance(content, Withheld):
                withheld.append(content)
                if content is Withheld.OUTBOX_MODIFIED:
                    self._conditions.warning(
                        "outbox_modified", event_type=outlet.name, action=WRITE_ONCE
                    )
            elif (
                name is not None
                and (outlet.name, content.ordering_key) not in self._sent
                and self._memory.is_settled(name, now)
            ):
                settled = True
            else:
                events.append((outlet, content))
                if content.ordering_key is not None:
                    self._sent.add((outlet.name, content.ordering_key))
        return events, withheld, settled


def _name(record: StreamRecord | MalformedRecord, event_type: str) -> Name | None:
    """Return the name by which an event is remembered, None if its record has none."""
    if isinstance(record, StreamRecord):
        return (record.event_id, event_type)
    return None if record.sequence is None else (str(record.sequence), event_type)
