"""The accounts of records that become one to three events: watermark, mark, budget, queues.

Real backlog, outlets, queues and watermarks; a model in lists says what must hold after any history
of reading, sending, answers, drains, checkpoints and losses. Who reads on from a checkpoint and its
mark makes only what the mark leaves, and nothing may be missing in the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from consumer.core.backlog.queue import ANYWHERE
from consumer.core.backlog.queued_event import EventState, QueuedEvent
from consumer.core.backlog.tenure import Tenure
from consumer.core.backlog.ticket import Ticket, TicketState
from consumer.core.backlog.watermark import AckWatermark
from consumer.core.event.event import Event, EventFormat
from consumer.core.leases.fence import Fence
from consumer.core.limits import LeaseTiming, PublishLimits
from consumer.core.routes.route import Route
from consumer.observability.conditions import Conditions
from consumer.observability.metrics import Metrics
from consumer.runtime.instruments import Instruments
from consumer.runtime.publishing.backlog import Backlog, RecordEvents
from consumer.runtime.publishing.dead_letters import DeadLetterSender
from consumer.runtime.publishing.event_type import EventType
from consumer.runtime.publishing.outlet import Outlet
from consumer.runtime.publishing.stream_origin import StreamOrigin
from tests.twins.virtual_time import HalfChance

if TYPE_CHECKING:
    from consumer.core.leases.mark import Ahead

Queued = QueuedEvent[Ticket]

TYPES = ("order", "payment", "audit")
SHARDS = 2
MANY = 1_000


class StillClock:
    """A clock that stands still: nothing here takes time."""

    def now(self) -> float:
        return 0.0

    def wall(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


@dataclass
class Record:
    """One record as read: its ticket, and what of it was accepted. `whole`: its events, kept."""

    ticket: Ticket
    whole: tuple[Queued, ...]
    accepted: int = 0

    @property
    def settled(self) -> bool:
        return self.accepted == len(self.whole)


@dataclass
class Stream:
    """What a shard holds, whoever reads it: the event types of each record, and what is settled.

    `value` and `ahead` are the checkpoint and the mark that stand in its row.
    """

    records: dict[int, tuple[str, ...]] = field(default_factory=dict)
    settled: set[tuple[int, str]] = field(default_factory=set)
    value: int | None = None
    ahead: Ahead | None = None

    def lacks(self, sequence: int) -> set[str]:
        return {name for name in self.records[sequence] if (sequence, name) not in self.settled}


@dataclass
class Shard:
    """`records` is what was read in this tenure and was not dropped."""

    watermark: AckWatermark
    records: list[Record] = field(default_factory=list)


class Accounts(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        clock, chance, metrics = StillClock(), HalfChance(), Metrics()
        fence = Fence(LeaseTiming())
        self.backlog = Backlog(1 << 30, metrics)
        instruments = Instruments(clock, chance, metrics, Conditions(clock.now))
        letters = DeadLetterSender(None, self.backlog, fence, instruments)
        origin = StreamOrigin(self.backlog, letters, fence, instruments)
        for name in TYPES:
            route = Route(name, EventFormat("order", ("id",)), PublishLimits())
            event_type = EventType(route, clock, chance)
            self.backlog.add_outlet(Outlet(event_type, origin))
        self.sequence = 100
        self.streams = [Stream() for _ in range(SHARDS)]
        self.shards = [self.begin(number) for number in range(SHARDS)]
        self.requests: list[tuple[str, list[Queued]]] = []
        self.moved = 0

    def begin(self, number: int) -> Shard:
        """Hold a shard from where its row says that it is settled."""
        tenure, stream = Tenure("arn", f"s{number}", 1), self.streams[number]
        shard = Shard(
            AckWatermark(tenure, stream.value, event_types=tuple(TYPES), found=stream.ahead)
        )
        self.backlog.join(shard.watermark, partial(self.progressed, number))
        return shard

    def progressed(self, _number: int) -> None:
        self.moved += 1

    @rule(
        number=st.integers(0, SHARDS - 1),
        names=st.sets(st.sampled_from(TYPES)),
        size=st.integers(1, 50),
    )
    def read(self, number: int, names: set[str], size: int) -> None:
        """The next record of the shard, whether it was read before or not; it may be nobody's."""
        shard, stream = self.shards[number], self.streams[number]
        after = shard.watermark.opened or 0
        sequence = min((each for each in stream.records if each > after), default=None)
        if sequence is None:
            self.sequence = sequence = self.sequence + 1
            stream.records[sequence] = tuple(sorted(names))
        content = Event(sequence, f"{number}{sequence % 2}", "eid", b"x" * size, 1.0)
        left = [name for name in stream.records[sequence] if shard.watermark.leaves(sequence, name)]
        missing = stream.lacks(sequence) - {*left}
        assert not missing, f"nobody makes {missing} of {sequence} any more"
        if not left:
            shard.watermark.skip(sequence, 1.0)
            shard.records.append(Record(Ticket(sequence, 1.0, shard.watermark.tenure), ()))
            return
        made = [(self.backlog.outlets[name], content) for name in left]
        crowd = dict.fromkeys(TYPES, 1e9)
        self.backlog.add(shard.watermark, [RecordEvents(sequence, 1.0, made)], 0.0, crowd)
        ticket = shard.watermark.tail
        assert ticket is not None
        shard.records.append(Record(ticket, ticket.events))

    @rule(name=st.sampled_from(TYPES), count=st.integers(1, 3))
    def send(self, name: str, count: int) -> None:
        batch = self.backlog.outlets[name].queue.take(ANYWHERE, 0.0, count, MANY)
        if batch:
            self.requests.append((name, batch))

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def answered(self, data: st.DataObject) -> None:
        name, batch = self.requests.pop(data.draw(st.integers(0, len(self.requests) - 1)))
        for event in batch:
            if data.draw(st.booleans()):
                self.note(event)
                self.backlog.outlets[name].settle([event])
            else:
                self.backlog.outlets[name].give_back(event)

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def failed(self, data: st.DataObject) -> None:
        name, batch = self.requests.pop(data.draw(st.integers(0, len(self.requests) - 1)))
        self.backlog.outlets[name].put_back(batch)

    @rule(number=st.integers(0, SHARDS - 1))
    def drain(self, number: int) -> None:
        """What nobody has yet is dropped, whole records at a time, from behind.

        Records without events are dropped with the record before them, or stay with it.
        """
        shard = self.shards[number]
        expected: list[Record] = []
        without: list[Record] = []
        while shard.records:
            last = shard.records[-1]
            if not last.whole:
                without.append(shard.records.pop())
                continue
            if any(each.state is not EventState.QUEUED for each in last.whole):
                break
            expected.append(shard.records.pop())
            without.clear()
        shard.records.extend(reversed(without))
        dropped = shard.watermark.drop_tail()
        assert dropped == [record.ticket for record in expected]
        self.backlog.drop(shard.watermark, dropped)
        for record in expected:
            assert {each.state for each in record.whole} == {EventState.REVOKED}
            assert record.ticket.events == ()

    @rule(number=st.integers(0, SHARDS - 1))
    def checkpoint(self, number: int) -> None:
        """The row is written: who comes next begins there."""
        stream, watermark = self.streams[number], self.shards[number].watermark
        stream.value, stream.ahead = watermark.value, watermark.ahead

    @rule(number=st.integers(0, SHARDS - 1))
    def release(self, number: int) -> None:
        """A drain without its waiting: what is written is how things stood before the revoking."""
        self.drain(number)
        self.checkpoint(number)
        self.lose(number)

    @rule(number=st.integers(0, SHARDS - 1))
    def lose(self, number: int) -> None:
        """The tenure ends; what is in flight lands later, for nobody."""
        shard = self.shards[number]
        value = shard.watermark.value
        self.backlog.drop(shard.watermark, shard.watermark.revoke())
        self.backlog.leave(shard.watermark)
        assert shard.watermark.value == value
        for record in shard.records:
            if not record.settled:
                assert record.ticket.state is TicketState.REVOKED
        assert not shard.watermark.chains
        self.shards[number] = self.begin(number)

    def note(self, event: Queued) -> None:
        for shard, stream in zip(self.shards, self.streams, strict=True):
            for record in shard.records:
                if any(each is event for each in record.whole):
                    record.accepted += 1
                    stream.settled.add((record.ticket.sequence, event.event_type))

    @invariant()
    def the_mark_covers_nothing_but_what_is_settled_or_behind(self) -> None:
        for shard, stream in zip(self.shards, self.streams, strict=True):
            found = ((shard.watermark.value, shard.watermark.ahead), (stream.value, stream.ahead))
            for value, ahead in found:
                for sequence in stream.records:
                    lacks = stream.lacks(sequence)
                    assert not (lacks and sequence <= (value or 0))
                    if ahead is not None and sequence <= ahead.to:
                        assert lacks <= {*ahead.behind}
                if ahead is not None:
                    assert ahead.to > (value or 0)
                    assert 0 < len(ahead.behind) < len(TYPES)

    @invariant()
    def what_is_settled_is_kept_by_nobody(self) -> None:
        for shard in self.shards:
            ticket = shard.watermark.head
            while ticket is not None:
                assert all(each.state is not EventState.SETTLED for each in ticket.events)
                ticket = ticket.after

    @invariant()
    def the_watermark_passes_nothing_unsettled(self) -> None:
        for shard in self.shards:
            for record in shard.records:
                if not record.settled:
                    assert (shard.watermark.value or 0) < record.ticket.sequence
                    break
            else:
                if shard.records:
                    assert shard.watermark.value == shard.records[-1].ticket.sequence
            assert shard.watermark.unsettled == sum(not each.settled for each in shard.records)

    @invariant()
    def the_budget_holds_what_the_queues_hold(self) -> None:
        queues = [outlet.queue for outlet in self.backlog.outlets.values()]
        assert self.backlog.budget.used == sum(queue.bytes for queue in queues)
        assert self.backlog.events == sum(queue.events for queue in queues)

    def teardown(self) -> None:
        """Everything gets its turn, and nothing is left over."""
        for number in range(SHARDS):
            self.backlog.drop(self.shards[number].watermark, self.shards[number].watermark.revoke())
        for name, batch in self.requests:
            self.backlog.outlets[name].put_back(batch)
        assert (self.backlog.budget.used, self.backlog.events) == (0, 0)


TestAccounts = Accounts.TestCase
TestAccounts.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
