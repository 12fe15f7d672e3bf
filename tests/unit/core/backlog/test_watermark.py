"""AckWatermark: rule by rule, then any history against a list of records."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from consumer.core.backlog import watermark as module
from consumer.core.backlog.queued_event import EventState, QueuedEvent
from consumer.core.backlog.tenure import Tenure
from consumer.core.backlog.ticket import Ticket, TicketState
from consumer.core.backlog.watermark import AckWatermark
from consumer.core.event.event import Event
from consumer.core.leases.checkpoint import TRIM_HORIZON
from consumer.core.leases.mark import Ahead
from consumer.core.leases.progress import Progress
from tests.unit.core.events import ticket, watermark


def opened(shard: AckWatermark, *sequences: int) -> list[Ticket]:
    tickets = [ticket(sequence, shard=shard, created_at=sequence * 1.5) for sequence in sequences]
    for each in tickets:
        shard.open(each)
    return tickets


def picture(shard: AckWatermark) -> tuple[object, ...]:
    """All that a move can change, seen from outside."""
    chain = []
    there = shard.head
    while there is not None:
        through = (there.through, there.through_at, there.records, there.published)
        chain.append((there.sequence, there.state, through))
        there = there.after
    numbers = (shard.value, shard.record_at, shard.opened, shard.span, shard.unsettled)
    return (*numbers, shard.head, shard.tail, chain)


def test_it_begins_at_the_checkpoint() -> None:
    shard = watermark(40, record_at=3.0)
    assert (shard.value, shard.record_at, shard.opened) == (40, 3.0, 40)
    assert shard.empty
    assert not shard.full
    assert shard.tenure.member == "arn/s0"


def test_nothing_settled_no_value() -> None:
    shard = watermark()
    opened(shard, 1, 2)
    assert (shard.value, shard.record_at) == (None, None)
    assert (shard.span, shard.unsettled, shard.empty) == (2, 2, False)


def test_in_order_it_follows_every_settlement() -> None:
    shard = watermark()
    for each in opened(shard, 1, 5, 9):
        shard.settle(each)
        assert (shard.value, shard.record_at) == (each.sequence, each.created_at)
    assert shard.empty
    assert (shard.span, shard.unsettled) == (0, 0)


def test_it_waits_for_the_oldest_and_then_jumps() -> None:
    shard = watermark()
    first, second, third, fourth = opened(shard, 1, 5, 9, 12)
    shard.settle(third)
    shard.settle(second)
    assert (shard.value, shard.record_at, shard.span, shard.unsettled) == (None, None, 4, 2)
    shard.settle(first)
    assert (shard.value, shard.record_at) == (9, third.created_at)
    assert (shard.span, shard.unsettled) == (1, 1)
    shard.settle(fourth)
    assert shard.value == 12


def test_a_settled_ticket_leaves_no_trace() -> None:
    shard = watermark()
    first, second, third = opened(shard, 1, 2, 3)
    shard.settle(second)
    assert second.before is None
    assert second.after is None
    assert first.after is third
    assert third.before is first


def test_a_skipped_record_is_settled_in_its_place() -> None:
    shard = watermark()
    shard.skip(1, 1.0)
    assert (shard.value, shard.record_at, shard.span) == (1, 1.0, 0)
    (first,) = opened(shard, 2)
    shard.skip(3, 4.5)
    assert (shard.value, shard.span, shard.unsettled) == (1, 2, 1)
    shard.settle(first)
    assert (shard.value, shard.record_at, shard.span) == (3, 4.5, 0)


@pytest.mark.parametrize("unreadable", [None, 0.0])
def test_an_unreadable_creation_time_keeps_the_one_before(unreadable: float | None) -> None:
    shard = watermark()
    shard.skip(1, 8.0)
    shard.skip(2, unreadable)
    assert (shard.value, shard.record_at) == (2, 8.0)
    (first,) = opened(shard, 6)
    shard.skip(7, unreadable)
    shard.settle(first)
    assert (shard.value, shard.record_at) == (7, 9.0)


def test_a_ticket_without_a_creation_time_keeps_the_one_before() -> None:
    shard = watermark()
    (first,) = opened(shard, 6)
    timeless = ticket(7, shard=shard, created_at=0.0)
    shard.open(timeless)
    shard.settle(timeless)
    shard.settle(first)
    assert (shard.value, shard.record_at) == (7, 9.0)
    timeless = ticket(8, shard=shard, created_at=0.0)
    shard.open(timeless)
    shard.settle(timeless)
    assert (shard.value, shard.record_at) == (8, 9.0)


def test_a_record_without_a_number_stands_with_the_one_before() -> None:
    shard = watermark()
    first, nameless = opened(shard, 4, 4)
    shard.settle(first)
    assert shard.value == 4  # reading on after 4 reads the nameless one again
    assert not shard.empty
    shard.settle(nameless)
    assert shard.value == 4
    assert shard.empty


def test_full_at_the_span(monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.SPAN_RECORDS == 1_000_000
    monkeypatch.setattr(module, "SPAN_RECORDS", 3)
    shard = watermark()
    first, second = opened(shard, 1, 2)
    shard.settle(second)
    assert not shard.full
    shard.skip(3, 3.0)  # settled records beyond the hole count, too
    assert shard.full
    shard.settle(first)
    assert not shard.full


@pytest.mark.parametrize("move", ["open", "skip"])
def test_out_of_order_raises_and_changes_nothing(move: str) -> None:
    shard = watermark()
    opened(shard, 10)
    before = picture(shard)
    late = ticket(9, shard=shard)
    with pytest.raises(ValueError, match="record 9 of s0 comes after 10"):
        shard.open(late) if move == "open" else shard.skip(9, 1.0)
    assert picture(shard) == before
    assert late.before is None


def test_a_checkpoint_is_not_gone_back_behind() -> None:
    shard = watermark(10)
    with pytest.raises(ValueError, match="comes after"):
        shard.open(ticket(9, shard=shard))
    assert shard.empty


def test_settling_twice_raises_and_changes_nothing() -> None:
    shard = watermark()
    first, *_ = opened(shard, 1, 2, 3)
    shard.settle(first)
    before = picture(shard)
    with pytest.raises(ValueError, match="ticket 1 of s0 is SETTLED already"):
        shard.settle(first)
    assert picture(shard) == before


def test_settling_a_revoked_ticket_raises_and_changes_nothing() -> None:
    shard = watermark()
    first, *_ = opened(shard, 1, 2)
    shard.revoke()
    before = picture(shard)
    with pytest.raises(ValueError, match="ticket 1 of s0 is REVOKED already"):
        shard.settle(first)
    assert picture(shard) == before
    assert first.state is TicketState.REVOKED


def test_settling_a_ticket_that_is_not_open_here_raises_and_changes_nothing() -> None:
    shard, other = watermark(), watermark(shard_id="s1")
    opened(shard, 1, 2)
    (stranger,) = opened(other, 9)
    before = picture(shard)
    with pytest.raises(ValueError, match="ticket 9 is not open in s0"):
        shard.settle(stranger)
    assert picture(shard) == before
    assert stranger.state is TicketState.OPEN
    other.settle(stranger)
    assert other.value == 9


def test_a_lost_shard_revokes_all_oldest_first() -> None:
    shard = watermark()
    first, second, third = opened(shard, 1, 2, 3)
    third.events[0].state = EventState.IN_FLIGHT
    shard.settle(second)
    assert shard.revoke() == [first, third]
    assert {first.state, third.state} == {TicketState.REVOKED}
    assert (first.before, first.after, third.before, third.after) == (None,) * 4
    assert (shard.value, shard.span, shard.unsettled, shard.empty) == (None, 0, 0, True)
    assert shard.tail is None
    assert shard.revoke() == []


def test_a_drain_drops_what_has_not_left_the_process() -> None:
    shard = watermark()
    first, second, third, fourth = opened(shard, 1, 2, 3, 4)
    second.events[0].state = EventState.IN_FLIGHT
    assert shard.drop_tail() == [fourth, third]
    assert (first.state, second.state) == (TicketState.OPEN, TicketState.OPEN)
    assert {third.state, fourth.state} == {TicketState.REVOKED}
    assert (shard.span, shard.unsettled, shard.opened) == (2, 2, 2)
    assert shard.drop_tail() == []


def test_what_a_drain_dropped_ages_until_something_is_read_again() -> None:
    shard = watermark()
    assert shard.oldest_at is None
    first, second, third = opened(shard, 1, 2, 3)
    assert shard.oldest_at == first.created_at
    first.events[0].state = EventState.IN_FLIGHT
    shard.drop_tail()
    shard.settle(first)
    assert shard.oldest_at == second.created_at != third.created_at
    shard.skip(2, None)
    assert shard.oldest_at is None


def test_what_was_revoked_ages_too() -> None:
    shard = watermark()
    first, second, _ = opened(shard, 1, 2, 3)
    shard.settle(first)
    shard.revoke()
    assert shard.oldest_at == second.created_at
    shard.revoke()
    assert shard.oldest_at == second.created_at


def test_a_drain_keeps_the_holes_below_a_settled_record() -> None:
    shard = watermark()
    first, second, third = opened(shard, 1, 2, 3)
    shard.settle(second)
    assert shard.drop_tail() == [third]
    assert (shard.head, shard.opened) == (first, 2)
    shard.settle(first)
    assert shard.value == 2


def test_a_drain_is_not_held_by_records_without_events() -> None:
    shard = watermark(10)
    first, second = opened(shard, 11, 12)
    shard.skip(13, 13.0)
    (third,) = opened(shard, 14)
    shard.skip(15, 15.0)
    shard.skip(16, 16.0)
    assert shard.span == 6
    first.events[0].state = EventState.IN_FLIGHT
    assert shard.drop_tail() == [third, second]
    assert (shard.tail, shard.opened, shard.span, shard.unsettled) == (first, 11, 1, 1)
    assert shard.oldest_at == first.created_at
    shard.settle(first)
    assert (shard.value, shard.span, shard.empty) == (11, 0, True)
    assert shard.oldest_at == second.created_at
    assert opened(shard, 12)[0] is shard.tail  # the next owner, or this one, reads on from there


def test_records_without_events_behind_what_is_kept_are_kept_with_it() -> None:
    shard = watermark(10)
    first, second = opened(shard, 11, 12)
    first.events[0].state = EventState.IN_FLIGHT
    shard.settle(second)
    shard.skip(13, 13.0)
    assert shard.drop_tail() == []
    assert (shard.opened, shard.span) == (13, 3)
    shard.settle(first)
    assert shard.value == 13


@pytest.mark.parametrize("skipped_at", [13, 11])
def test_a_published_record_holds_a_drain_through_whatever_settled_before_it(
    skipped_at: int,
) -> None:
    """Its event would be published again, by the next owner."""
    shard = watermark(10)
    opened(shard, 11)
    if skipped_at == 11:
        shard.skip(11, 11.0)
    _, third = opened(shard, 12, 13)
    shard.skip(13, 13.0)
    shard.settle(third)
    (last,) = opened(shard, 14)
    second = last.before
    assert second is not None
    shard.settle(second)  # passes on to the first that something behind it is published
    assert shard.drop_tail() == [last]
    assert shard.head is shard.tail
    assert shard.drop_tail() == []
    assert shard.opened == 13


def test_a_drain_of_a_shard_at_rest_goes_back_to_the_watermark() -> None:
    shard = watermark(10)
    opened(shard, 11, 12)
    assert len(shard.drop_tail()) == 2
    assert (shard.value, shard.opened, shard.empty) == (10, 10, True)
    again = opened(shard, 11, 12)  # shedding taken back: it reads on from there
    shard.settle(again[0])
    assert shard.value == 11


@dataclass
class Record:
    sequence: int
    created_at: float | None
    ticket: Ticket | None  # None: skipped, or without events
    settled: bool


class Histories(RuleBasedStateMachine):
    """`records` is everything read since the start; what is dropped was never read."""

    def __init__(self) -> None:
        super().__init__()
        self.begin()

    def begin(self) -> None:
        self.shard = watermark(100, record_at=50.0)
        self.records: list[Record] = []
        self.sequence = 100
        self.gone: list[Ticket] = []

    @property
    def unsettled(self) -> list[Record]:
        return [record for record in self.records if not record.settled]

    @property
    def prefix(self) -> list[Record]:
        prefix = []
        for record in self.records:
            if not record.settled:
                break
            prefix.append(record)
        return prefix

    @rule(gap=st.integers(0, 3), created_at=st.floats(1, 1e3))
    def open(self, gap: int, created_at: float) -> None:
        self.sequence += gap
        made = ticket(self.sequence, shard=self.shard, created_at=created_at)
        self.shard.open(made)
        self.records.append(Record(self.sequence, created_at, made, settled=False))

    @rule(gap=st.integers(0, 3), created_at=st.none() | st.floats(1, 1e3))
    def skip(self, gap: int, created_at: float | None) -> None:
        self.sequence += gap
        self.shard.skip(self.sequence, created_at)
        self.records.append(Record(self.sequence, created_at, None, settled=True))

    @rule(back=st.integers(1, 5), skip=st.booleans())
    def out_of_order(self, back: int, skip: bool) -> None:
        before, sequence = picture(self.shard), self.sequence - back
        with pytest.raises(ValueError, match="comes after"):
            self.shard.skip(sequence, 1.0) if skip else self.shard.open(ticket(sequence))
        assert picture(self.shard) == before

    @precondition(lambda self: self.unsettled)
    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(self.unsettled)).ticket
        assert chosen is not None
        chosen.events[0].state = EventState.IN_FLIGHT

    @precondition(lambda self: self.unsettled)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        record = data.draw(st.sampled_from(self.unsettled))
        assert record.ticket is not None
        self.shard.settle(record.ticket)
        record.settled = True
        self.gone.append(record.ticket)

    @precondition(lambda self: self.gone)
    @rule(data=st.data())
    def settle_again(self, data: st.DataObject) -> None:
        before = picture(self.shard)
        with pytest.raises(ValueError, match="already"):
            self.shard.settle(data.draw(st.sampled_from(self.gone)))
        assert picture(self.shard) == before

    @rule()
    def drop_tail(self) -> None:
        """Down to the highest record with an event that is settled or in flight."""
        expected: list[Ticket] = []
        for number in reversed(range(len(self.records))):
            last = self.records[number]
            if last.ticket is None:
                continue  # it holds nothing, and goes with what is before it
            if last.settled or not last.ticket.untouched:
                break
            expected.append(last.ticket)
            del self.records[number:]
        assert self.shard.drop_tail() == expected
        assert all(each.state is TicketState.REVOKED for each in expected)
        self.gone += expected
        self.sequence = self.records[-1].sequence if self.records else 100

    @rule()
    def revoke(self) -> None:
        expected = [record.ticket for record in self.unsettled]
        value = self.shard.value
        assert self.shard.revoke() == expected
        assert all(each and each.state is TicketState.REVOKED for each in expected)
        assert (self.shard.value, self.shard.empty, self.shard.span) == (value, True, 0)
        self.begin()  # a lost shard is taken up with a new watermark

    @invariant()
    def as_the_list_says(self) -> None:
        shard, prefix = self.shard, self.prefix
        assert shard.value == (prefix[-1].sequence if prefix else 100)
        times = [record.created_at for record in prefix if record.created_at is not None]
        assert shard.record_at == (times[-1] if times else 50.0)
        assert shard.span == len(self.records) - len(prefix)
        assert shard.unsettled == len(self.unsettled)
        assert shard.empty == (not self.unsettled)
        assert shard.opened == self.sequence
        assert shard.head is (self.unsettled[0].ticket if self.unsettled else None)
        assert shard.tail is (self.unsettled[-1].ticket if self.unsettled else None)


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


def with_types(shard: AckWatermark, sequence: int, *names: str) -> Ticket:
    """Open a ticket with an event for each of these event types."""
    made = Ticket(sequence, float(sequence), shard.tenure)
    content = Event(sequence, "k", "eid", b"x", float(sequence))
    made.carry(tuple(QueuedEvent(made, content, name, "k", 0.0) for name in names))
    shard.open(made)
    return made


def settle(shard: AckWatermark, made: Ticket, *names: str) -> None:
    for event in [each for each in made.events if each.event_type in names]:
        event.state = EventState.SETTLED
        shard.settle_event(event)


def of_types(count: int, *, value: int | None = None, found: Ahead | None = None) -> AckWatermark:
    return AckWatermark(
        Tenure("arn", "s0", 7), value, event_types=tuple("abcd"[:count]), found=found
    )


def test_what_is_settled_but_for_one_event_type_is_ahead() -> None:
    shard = of_types(2)
    for sequence in (1, 2, 5, 9):
        settle(shard, with_types(shard, sequence, "a", "b"), "b")
        assert shard.ahead == Ahead(sequence, ("a",))
        assert shard.ahead.event_types == ("a", "b")
    shard.skip(12, None)
    assert shard.ahead == Ahead(12, ("a",))
    last = with_types(shard, 15, "b")
    assert shard.ahead == Ahead(12, ("a",))
    settle(shard, last, "b")
    assert shard.ahead == Ahead(15, ("a",))
    assert (shard.value, shard.behind) == (None, ("a",))


def test_nothing_is_ahead_of_what_all_lack_or_nobody_lacks() -> None:
    shard = of_types(2)
    assert shard.ahead is None
    made = with_types(shard, 1, "a", "b")
    assert shard.ahead is None
    settle(shard, made, "a", "b")
    assert (shard.value, shard.ahead, shard.behind) == (1, None, ())


def test_a_single_event_type_never_runs_ahead() -> None:
    shard = of_types(1)
    first, second = with_types(shard, 1, "a"), with_types(shard, 2, "a")
    settle(shard, second, "a")
    assert shard.ahead is None
    assert first.published


def test_a_mark_that_was_found_stands_until_what_it_covers_is_read() -> None:
    """A second hand-over, while the rest of the first is read, repeats nothing either."""
    found = Ahead(50, ("a",))
    shard = of_types(2, value=10, found=found)
    assert shard.ahead == found
    settle(shard, with_types(shard, 20, "a"), "a")
    assert (shard.value, shard.ahead) == (20, found)
    with_types(shard, 30, "a")
    assert shard.ahead == found
    shard.skip(50, None)
    assert shard.ahead == found
    settle(shard, with_types(shard, 60, "a", "b"), "b")
    assert shard.ahead == Ahead(60, ("a",))
    assert shard.leaves(50, "a")
    assert not shard.leaves(50, "b")
    assert shard.leaves(51, "b")


def test_a_record_without_a_number_that_shares_one_is_not_covered() -> None:
    shard = of_types(2)
    settle(shard, with_types(shard, 1, "a", "b"), "b")
    with_types(shard, 1, "b")
    settle(shard, with_types(shard, 2, "a", "b"), "b")
    assert shard.ahead == Ahead(1, ("a",))


def test_what_a_drain_dropped_is_not_ahead() -> None:
    shard = of_types(2)
    settle(shard, with_types(shard, 1, "a", "b"), "b")
    with_types(shard, 2, "a")  # b lacks nothing of it
    with_types(shard, 3, "a", "b")
    assert [each.sequence for each in shard.drop_tail()] == [3, 2]
    assert (shard.opened, shard.ahead) == (1, Ahead(2, ("a",)))
    with_types(shard, 2, "a", "b")  # it is read again, by other rules
    assert shard.ahead == Ahead(1, ("a",))


def test_what_a_mark_covers_and_a_drain_dropped_is_ahead_for_who_lacks_nothing_of_it() -> None:
    found = Ahead(50, ("a", "b"))
    shard = of_types(3, value=10, found=found)
    with_types(shard, 20, "a")
    settle(shard, with_types(shard, 30, "b"), "b")
    with_types(shard, 40, "a")
    shard.skip(50, None)
    assert [each.sequence for each in shard.drop_tail()] == [40]
    assert (shard.opened, shard.ahead) == (30, Ahead(50, ("a",)))
    assert shard.drop_tail() == []
    assert shard.ahead == Ahead(50, ("a",))


def test_an_event_of_a_revoked_ticket_settles_nothing() -> None:
    shard = of_types(2)
    made = with_types(shard, 1, "a", "b")
    event = made.events[0]
    shard.revoke()
    shard.settle_event(event)
    assert (shard.value, shard.ahead, shard.behind) == (None, None, ())


def test_who_reads_on_begins_at_the_progress_of_who_read_before() -> None:
    found = Ahead(50, ("a",))
    shard = AckWatermark.of(Tenure("arn", "s0", 7), Progress("40", 3.0, ahead=found), ("a", "b"))
    assert (shard.value, shard.record_at, shard.found) == (40, 3.0, found)
    assert shard.event_types == ("a", "b")
    fresh = AckWatermark.of(Tenure("arn", "s0", 7), Progress(TRIM_HORIZON), ("a", "b"))
    assert (fresh.value, fresh.found, fresh.ahead) == (None, None, None)
