"""KeyOrderedQueue: rule by rule. Any history against a naive model is in the second half."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from consumer.core.backlog.queue import ANYWHERE, DEAD_LETTER, SORTED_AT_ONCE, KeyOrderedQueue
from consumer.core.backlog.queued_event import EventState
from consumer.core.backlog.ticket import Ticket
from tests.unit.core.events import Queued, event, unpublishable, watermark

Queue = KeyOrderedQueue[Ticket]

MANY = 1_000
LATER = 1e12


def pushed(queue: Queue, *keys: str, size: int = 10) -> list[Queued]:
    events = [event(number, key, size=size) for number, key in enumerate(keys, 1)]
    for each in events:
        queue.push(each)
    return events


def take(queue: Queue, now: float = 0.0, run: int = 1) -> list[Queued]:
    return queue.take(ANYWHERE, now, MANY, MANY, run)


def letter(queue: Queue) -> Queued | None:
    """The next head that can never be published."""
    taken = queue.take(DEAD_LETTER, 0.0, 1, 0)
    return taken[0] if taken else None


def revoke(queue: Queue, *events: Queued) -> int:
    for each in events:
        each.state = EventState.REVOKED
    return queue.remove(events)


def picture(queue: Queue, *events: Queued) -> tuple[object, ...]:
    numbers = (len(queue), queue.bytes, queue.ready(), queue.ready(DEAD_LETTER), queue.next_wake())
    each = [(one.state, queue.leads(one), queue.pending(one.key)) for one in events]
    return (*numbers, each)


def test_an_empty_queue_has_nothing() -> None:
    queue = Queue()
    assert take(queue) == []
    assert letter(queue) is None
    assert picture(queue) == (0, 0, 0, 0, None, [])
    assert queue.pending("k") == 0
    assert not queue.leads(event(1))


def test_the_oldest_of_a_key_is_its_head_in_flight_or_not() -> None:
    queue = Queue()
    assert queue.oldest("a") is None
    first, _ = pushed(queue, "a", "a")
    assert queue.oldest("a") is first
    assert take(queue) == [first]
    assert queue.oldest("a") is first
    queue.settle(first)
    assert queue.oldest("a") is not first


def test_in_flight_is_what_was_taken_and_has_not_come_back() -> None:
    queue = Queue()
    first, second, other, _ = pushed(queue, "a", "a", "b", "c")
    assert list(queue.in_flight()) == []
    taken = queue.take(ANYWHERE, 0.0, 3, MANY, 2)
    assert taken == [first, second, other]
    assert list(queue.in_flight()) == taken
    queue.settle(first)
    queue.give_back(other)
    assert list(queue.in_flight()) == [second]
    revoke(queue, second)
    assert list(queue.in_flight()) == [second]
    queue.give_back(second)
    assert list(queue.in_flight()) == []


def test_push_counts_and_returns_the_length_of_the_lane() -> None:
    queue = Queue()
    first, second, other = event(1, "a"), event(2, "a"), event(3, "b")
    assert [queue.push(each) for each in (first, second, other)] == [1, 2, 1]
    assert (len(queue), queue.events, queue.ready()) == (3, 3, 2)
    assert queue.bytes == sum(each.cost for each in (first, second, other))
    assert queue.pending("a") == 2
    assert queue.leads(first)
    assert not queue.leads(second)


def test_ready_bytes_are_those_of_the_ready_heads_if_all_events_are_average() -> None:
    queue = Queue()
    assert queue.ready_bytes == 0.0
    pushed(queue, "a", "b", "b", size=10)
    assert queue.ready_bytes == 20.0
    queue.push(event(4, "c", size=50))
    assert queue.ready_bytes == 3 * 20.0
    take(queue)
    assert queue.ready_bytes == 0.0


def test_a_batch_takes_the_head_of_each_ready_key_in_order() -> None:
    queue = Queue()
    a, b, _, c = pushed(queue, "a", "b", "a", "c")
    assert take(queue) == [a, b, c]
    assert {each.state for each in (a, b, c)} == {EventState.IN_FLIGHT}
    assert take(queue) == []
    assert queue.ready() == 0


def test_a_key_in_flight_is_not_ready_until_its_event_is_settled() -> None:
    queue = Queue()
    first, second = pushed(queue, "a", "a")
    assert take(queue) == [first]
    queue.push(event(3, "a"))
    assert take(queue) == []
    queue.settle(first)
    assert take(queue) == [second]
    assert (len(queue), queue.bytes) == (2, 2 * second.cost)


def test_an_emptied_lane_is_forgotten() -> None:
    queue = Queue()
    (first,) = pushed(queue, "a")
    take(queue)
    queue.settle(first)
    assert (len(queue), queue.bytes, queue.pending("a"), queue.leads(first)) == (0, 0, 0, False)
    assert queue._keys == {}


def test_a_batch_is_bounded_by_events() -> None:
    queue = Queue()
    a, b, c = pushed(queue, "a", "b", "c")
    assert queue.take(ANYWHERE, 0.0, 2, MANY) == [a, b]
    assert queue.take(ANYWHERE, 0.0, 2, MANY) == [c]


def test_a_batch_closes_at_the_first_head_that_does_not_fit() -> None:
    queue = Queue()
    a, b, c = event(1, "a", size=60), event(2, "b", size=50), event(3, "c", size=40)
    for each in (a, b, c):
        queue.push(each)
    assert queue.take(ANYWHERE, 0.0, MANY, 100) == [a]  # c would fit, but b comes first
    assert queue.ready() == 2
    assert queue.take(ANYWHERE, 0.0, MANY, 90) == [b, c]  # to the byte


@pytest.mark.parametrize("run", [1, 3])
def test_a_larger_event_goes_alone(run: int) -> None:
    queue = Queue()
    large, after, other = event(1, "a", size=101), event(2, "a", size=1), event(3, "b", size=1)
    for each in (large, after, other):
        queue.push(each)
    assert queue.take(ANYWHERE, 0.0, MANY, 100, run) == [large]
    assert queue.take(ANYWHERE, 0.0, MANY, 100, run) == [other]


def test_a_run_takes_several_from_the_head() -> None:
    queue = Queue()
    a1, a2, b1, a3, a4 = pushed(queue, "a", "a", "b", "a", "a")
    assert take(queue, run=3) == [a1, a2, a3, b1]
    assert take(queue, run=3) == []
    for each in (a1, a2):
        queue.settle(each)
    assert take(queue, run=3) == []  # a3 is still in flight
    queue.settle(a3)
    assert take(queue, run=3) == [a4]


def test_a_run_is_bounded_by_events_and_bytes_too() -> None:
    queue = Queue()
    a1, a2, a3 = pushed(queue, "a", "a", "a", size=40)
    assert queue.take(ANYWHERE, 0.0, 2, MANY, 9) == [a1, a2]
    queue.put_back([a1, a2])
    assert queue.take(ANYWHERE, 0.0, MANY, 100, 9) == [a1, a2]
    assert a3.state is EventState.QUEUED


@pytest.mark.parametrize("run", [1, 9])
def test_a_request_has_as_many_events_as_each_of_them_allows(run: int) -> None:
    queue = Queue()
    a, b, c, d, e, f = pushed(queue, *"abcdef")
    b.company = 3
    assert take(queue, run=run) == [a, b, c]
    e.company = 1
    assert take(queue, run=run) == [d]
    assert take(queue, run=run) == [e]
    assert take(queue, run=run) == [f]


def test_a_run_is_as_long_as_its_events_allow() -> None:
    queue = Queue()
    first, second, third = pushed(queue, *"aaa")
    second.company = 2
    assert take(queue, run=3) == [first, second]
    for each in (second, first):
        queue.give_back(each)
    first.company = 1
    assert take(queue, run=3) == [first]
    assert third.state is EventState.QUEUED


def test_the_oldest_ready_head_says_since_when_something_waits() -> None:
    queue = Queue()
    assert queue.ready_since == inf
    a, a2, b = event(1, "a"), event(2, "a"), event(3, "b")
    a.queued_at, a2.queued_at, b.queued_at = 10.0, 11.0, 30.0
    for each in (a, a2, b):
        queue.push(each)
    assert queue.ready_since == 10.0
    assert queue.take(ANYWHERE, 0.0, 1, MANY) == [a]
    assert queue.ready_since == 30.0
    queue.settle(a)
    assert queue.ready_since == 11.0
    assert take(queue) == [b, a2]
    assert queue.ready_since == inf


def test_a_run_ends_before_what_cannot_be_published() -> None:
    queue = Queue()
    first, poison, last = event(1, "a"), unpublishable(2, "a"), event(3, "a")
    for each in (first, poison, last):
        queue.push(each)
    assert take(queue, run=9) == [first]
    assert letter(queue) is None
    queue.settle(first)
    assert take(queue) == []
    assert (queue.ready(), queue.ready(DEAD_LETTER)) == (0, 1)
    assert letter(queue) is poison
    assert (poison.state, queue.ready(DEAD_LETTER)) == (EventState.IN_FLIGHT, 0)
    assert take(queue) == []
    queue.settle(poison)
    assert take(queue) == [last]


def test_what_the_dead_letter_queue_refused_waits_and_is_doomed_again() -> None:
    queue = Queue()
    poison = unpublishable(1, "a")
    queue.push(poison)
    assert letter(queue) is poison
    queue.give_back(poison, 30.0)
    assert letter(queue) is None
    assert take(queue, now=30.0) == []
    assert letter(queue) is poison


def test_a_failed_event_waits_and_so_does_its_key_only() -> None:
    queue = Queue()
    a1, a2, b = pushed(queue, "a", "a", "b")
    assert take(queue) == [a1, b]
    queue.give_back(a1, 5.0)
    queue.settle(b)
    assert queue.next_wake() == 5.0
    assert take(queue, now=4.9) == []
    assert take(queue, now=5.0) == [a1]
    assert queue.next_wake() is None
    queue.settle(a1)
    assert take(queue) == [a2]


def test_those_who_wait_wake_in_the_order_of_their_times() -> None:
    queue = Queue()
    a, b, c = pushed(queue, "a", "b", "c")
    take(queue)
    queue.give_back(a, 5.0)
    queue.give_back(b, 4.0)
    queue.give_back(c, 5.0)
    assert take(queue, now=9.0) == [b, a, c]


def test_given_back_unsent_it_queues_up_behind_the_others() -> None:
    queue = Queue()
    a, b = pushed(queue, "a", "b")
    assert queue.take(ANYWHERE, 0.0, 1, MANY) == [a]
    queue.give_back(a)
    assert a.state is EventState.QUEUED
    assert take(queue) == [b, a]


def test_a_failed_request_goes_back_to_the_front_in_order() -> None:
    queue = Queue()
    a1, a2, b, c = pushed(queue, "a", "a", "b", "c")
    assert queue.take(ANYWHERE, 0.0, 3, MANY, 2) == [a1, a2, b]
    queue.put_back([a1, a2, b])
    assert queue.next_wake() is None  # nobody's own fault
    assert take(queue, run=2) == [a1, a2, b, c]


def test_after_a_partial_failure_the_run_is_sent_from_the_first_that_is_not_settled() -> None:
    queue = Queue()
    a1, a2, a3, a4 = pushed(queue, "a", "a", "a", "a")
    assert take(queue, run=3) == [a1, a2, a3]
    queue.settle(a1)
    queue.give_back(a2, 2.0)
    assert take(queue, now=3.0, run=3) == []  # a3 is still in flight
    queue.give_back(a3)
    assert take(queue, now=1.0, run=3) == []  # the failed one's time holds for its key
    assert take(queue, now=2.0, run=3) == [a2, a3, a4]


def test_a_settled_head_has_waited_enough() -> None:
    queue = Queue()
    a1, a2 = pushed(queue, "a", "a")
    take(queue)
    queue.give_back(a1, 2.0)
    assert take(queue, now=2.0) == [a1]
    queue.settle(a1)
    assert take(queue, now=0.0) == [a2]


def test_a_dead_letter_under_way_holds_up_the_rest_of_its_run() -> None:
    queue = Queue()
    a1, a2 = pushed(queue, "a", "a")
    take(queue, run=2)
    queue.give_back(a2)  # a1 is with the dead letter queue
    assert take(queue, run=2) == []
    assert revoke(queue, a2) == a2.cost  # it does not leave with a1
    queue.settle(a1)
    assert len(queue) == 0


def test_losing_a_shard_frees_what_is_queued_at_once() -> None:
    queue = Queue()
    a1, a2, b = pushed(queue, "a", "a", "b")
    assert revoke(queue, a1, a2) == a1.cost + a2.cost
    assert (len(queue), queue.bytes, queue.ready()) == (1, b.cost, 1)
    assert queue.pending("a") == 0
    assert take(queue) == [b]


def test_a_shared_lane_keeps_the_others_in_order() -> None:
    queue = Queue()
    a1, a2, a3, a4 = pushed(queue, "a", "a", "a", "a")
    assert revoke(queue, a1, a3) == a1.cost + a3.cost
    assert queue.leads(a2)
    a5 = event(5, "a")
    assert queue.push(a5) == 3
    assert take(queue, run=9) == [a2, a4, a5]


def test_the_tail_of_a_shared_lane_may_go() -> None:
    queue = Queue()
    a1, a2 = pushed(queue, "a", "a")
    assert revoke(queue, a2) == a2.cost
    a3 = event(3, "a")
    queue.push(a3)
    assert take(queue, run=9) == [a1, a3]


def test_removing_what_is_gone_already_frees_nothing() -> None:
    queue = Queue()
    (a1,) = pushed(queue, "a")
    assert revoke(queue, a1) == a1.cost
    assert queue.remove([a1]) == 0


@pytest.mark.parametrize("end", ["settle", "give_back", "put_back"])
def test_revoked_in_flight_it_keeps_its_key_busy_and_then_frees_it(end: str) -> None:
    queue = Queue()
    (old,) = pushed(queue, "a")
    take(queue)
    assert revoke(queue, old) == 0
    again = event(1, "a")  # the same change, read again under a new lease
    queue.push(again)
    assert take(queue) == []
    match end:
        case "settle":
            queue.settle(old)
        case "give_back":
            queue.give_back(old, 60.0)
        case _:
            queue.put_back([old])
    assert old.state is EventState.REVOKED
    assert (len(queue), queue.bytes) == (1, again.cost)
    assert take(queue) == [again]  # no waiting: what failed is gone


def test_a_run_whose_middle_is_revoked_goes_back_without_it() -> None:
    queue = Queue()
    a1, a2, a3 = pushed(queue, "a", "a", "a")
    assert take(queue, run=3) == [a1, a2, a3]
    revoke(queue, a2)
    queue.put_back([a1, a2, a3])
    assert (len(queue), queue.bytes) == (2, a1.cost + a3.cost)
    assert take(queue, run=3) == [a1, a3]


def test_a_run_whose_end_is_revoked_goes_back_without_it() -> None:
    queue = Queue()
    a1, a2 = pushed(queue, "a", "a")
    assert take(queue, run=2) == [a1, a2]
    revoke(queue, a2)
    queue.put_back([a1, a2])
    a3 = event(3, "a")
    queue.push(a3)
    assert take(queue, run=3) == [a1, a3]


def test_a_revoked_head_does_not_make_its_followers_wait() -> None:
    queue = Queue()
    a1, a2, b = pushed(queue, "a", "a", "b")
    assert queue.take(ANYWHERE, 0.0, 2, MANY) == [a1, b]
    queue.give_back(a1, 60.0)
    queue.give_back(b, 50.0)
    revoke(queue, a1)
    assert take(queue) == [a2]
    queue.give_back(a2, 80.0)
    assert take(queue, now=50.0) == [b]
    assert queue.next_wake() == 80.0  # the time of the revoked one means nothing now
    assert take(queue, now=79.0) == []


def test_when_the_last_that_waits_is_revoked_nothing_wakes() -> None:
    queue = Queue()
    (a,) = pushed(queue, "a")
    take(queue)
    queue.give_back(a, 60.0)
    revoke(queue, a)
    assert queue.next_wake() is None


def test_a_lane_is_ready_or_doomed_by_the_head_it_has_now() -> None:
    queue = Queue()
    poison, good = unpublishable(1, "a"), event(2, "a")
    well, bad = event(3, "b"), unpublishable(4, "b")
    for each in (poison, good, well, bad):
        queue.push(each)
    assert (queue.ready(), queue.ready(DEAD_LETTER)) == (1, 1)
    revoke(queue, poison, well)
    assert (queue.ready(), queue.ready(DEAD_LETTER)) == (1, 1)
    assert take(queue) == [good]
    assert letter(queue) is bad


def test_lanes_of_a_lost_shard_do_not_pile_up() -> None:
    queue = Queue()
    for _ in range(3):  # nothing is sent meanwhile: Nakadi is down
        tickets = [*pushed(queue, "a", "b", "c"), unpublishable(9, "d")]
        queue.push(tickets[-1])
        revoke(queue, *tickets)
    assert (queue.ready(), queue.ready(DEAD_LETTER), len(queue), queue.bytes) == (0, 0, 0, 0)
    assert len(queue._keys) == sum(map(len, queue._ready.values())) == 0


@pytest.mark.parametrize("move", ["settle", "give_back"])
def test_a_ticket_that_is_not_in_flight_raises_and_changes_nothing(move: str) -> None:
    queue = Queue()
    queued, stranger = pushed(queue, "a")[0], event(1, "z")
    settled = event(2, "b")
    queue.push(settled)
    assert queue.take(ANYWHERE, 0.0, 2, MANY) == [queued, settled]
    queue.give_back(queued)
    queue.settle(settled)
    before = picture(queue, queued, stranger, settled)
    for wrong in (queued, stranger, settled):
        with pytest.raises(ValueError, match="in flight"):
            queue.settle(wrong) if move == "settle" else queue.give_back(wrong, 5.0)
        assert picture(queue, queued, stranger, settled) == before


def test_settling_behind_the_head_raises_and_changes_nothing() -> None:
    queue = Queue()
    a1, a2 = pushed(queue, "a", "a")
    take(queue, run=2)
    before = picture(queue, a1, a2)
    with pytest.raises(ValueError, match="event 2 is not the head in flight of its key"):
        queue.settle(a2)
    assert picture(queue, a1, a2) == before


def test_giving_back_what_is_revoked_and_gone_raises_and_changes_nothing() -> None:
    queue = Queue()
    a1, a2 = pushed(queue, "a", "a")
    take(queue)
    revoke(queue, a2)
    before = picture(queue, a1, a2)
    with pytest.raises(ValueError, match="event 2 is not in its key's queue"):
        queue.give_back(a2)
    assert picture(queue, a1, a2) == before


# Aside


def aside(queue: Queue, *keys: str, events: int = MANY) -> list[Queued]:
    """A batch while these keys belong to the partition "3", which is down."""

    def sort(each: Queued) -> str | None:
        return "3" if each.key in keys else None

    return queue.take(ANYWHERE, 0.0, events, MANY, sort=sort)


def test_what_belongs_to_a_partition_that_is_down_stands_aside() -> None:
    queue = Queue()
    a, b, c, d = pushed(queue, "a", "b", "c", "d")
    assert aside(queue, "a", "c") == [b, d]
    assert (queue.ready(), queue.ready("3"), queue.ready("4")) == (0, 2, 0)
    assert take(queue) == []
    assert queue.take("4", 0.0, MANY, MANY) == []
    assert queue.take("3", 0.0, 1, MANY) == [a]
    assert queue.take("3", 0.0, MANY, MANY) == [c]


def test_what_stands_aside_rejoins_the_others_behind_them() -> None:
    queue = Queue()
    a, b, c = pushed(queue, "a", "b", "c")
    assert aside(queue, "a", events=1) == [b]
    queue.rejoin("3")
    queue.rejoin("4")
    assert (queue.ready(), queue.ready("3")) == (2, 0)
    assert take(queue) == [c, a]


def test_a_failed_event_stands_aside_again_only_when_it_is_met() -> None:
    queue = Queue()
    (a,) = pushed(queue, "a")
    aside(queue, "a")
    assert queue.take("3", 0.0, MANY, MANY) == [a]
    queue.give_back(a, 5.0)
    assert queue.take("3", 5.0, MANY, MANY) == []
    assert queue.ready() == 1
    assert aside(queue, "a") == []
    assert queue.ready("3") == 1


def test_a_lost_shard_takes_its_events_from_aside_too() -> None:
    queue = Queue()
    a, a2, b = pushed(queue, "a", "a", "b")
    aside(queue, "a", "b")
    revoke(queue, a, b)
    assert (queue.ready(), queue.ready("3")) == (1, 0)
    assert take(queue) == [a2]


def test_no_more_than_some_are_put_aside_at_once() -> None:
    queue = Queue()
    keys = [str(number) for number in range(SORTED_AT_ONCE + 5)]
    pushed(queue, *keys)
    assert aside(queue, *keys) == []
    assert queue.ready() == 5
    assert queue.ready("3") == SORTED_AT_ONCE


# The model: lists, and nothing clever.


@dataclass(eq=False)
class Lane:
    tickets: list[Queued] = field(default_factory=list)
    flying: list[Queued] = field(default_factory=list)
    wait: float = 0.0


def events_of(tickets: list[Ticket]) -> list[Queued]:
    return [each for one in tickets for each in one.events]


KEYS = "abc"
SHARDS = 3
sizes = st.integers(1, 40)


class Histories(RuleBasedStateMachine):
    """Every move of readers, publisher, dead letter sender and coordinator, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = Queue()
        self.shards = [watermark(shard_id=f"s{n}") for n in range(SHARDS)]
        self.lanes = {key: Lane() for key in KEYS}
        self.ready: list[str] = []
        self.doomed: list[str] = []
        self.waiting: list[str] = []  # in the order they came
        self.down: set[str] = set()  # keys of the partition that is down
        self.aside: list[str] = []
        self.requests: list[list[Queued]] = []
        self.letters: list[Queued] = []
        self.done: list[Queued] = []  # settled or removed
        self.now = 1.0
        self.sequence = 0

    @initialize(run=st.sampled_from([1, 1, 2, 3]))
    def configure(self, run: int) -> None:
        self.run_events = run

    # What the model says.

    def place(self, key: str, *, front: bool = False) -> None:
        lane = self.lanes[key]
        for places in (self.ready, self.aside, self.doomed, self.waiting):
            if key in places:
                places.remove(key)
        if lane.flying or not lane.tickets:
            return
        if lane.wait:
            self.waiting.append(key)
        elif lane.tickets[0].body is None:
            self.doomed.append(key)
        else:
            self.ready.insert(0 if front else len(self.ready), key)

    def wake(self) -> None:
        due = [key for key in self.waiting if self.lanes[key].wait <= self.now]
        for key in sorted(due, key=lambda key: self.lanes[key].wait):
            self.lanes[key].wait = 0.0
            self.place(key)

    def batch(self, ready: list[str], events: int, size: int) -> list[Queued]:
        batch: list[Queued] = []
        for key in list(ready):
            if len(batch) == events:
                break
            if key in self.down and ready is self.ready:
                ready.remove(key)
                self.aside.append(key)
                continue
            run: list[Queued] = []
            for each in self.lanes[key].tickets[: self.run_events]:
                if each.body is None or len(batch) == events:
                    break
                total = sum(len(one.body or b"") for one in [*batch, each])
                if batch and total > size:
                    break
                run.append(each)
                batch.append(each)
            if not run:
                break
            ready.remove(key)
            self.lanes[key].flying = run
        return batch

    def leave(self, each: Queued) -> None:
        lane = self.lanes[each.key]
        lane.tickets.remove(each)
        if each in lane.flying:
            lane.flying.remove(each)
        self.done.append(each)

    def land(self, each: Queued, not_before: float = 0.0, *, front: bool = False) -> None:
        """Given back: a revoked one leaves."""
        lane = self.lanes[each.key]
        if each.state is EventState.REVOKED:
            self.leave(each)
        else:
            lane.flying.remove(each)
            lane.wait = max(lane.wait, not_before)
        if not lane.flying:
            self.place(each.key, front=front)

    # The moves.

    @rule(key=st.sampled_from(KEYS), size=sizes, poison=st.integers(0, 5), n=st.integers(0, 2))
    def push(self, key: str, size: int, poison: int, n: int) -> None:
        self.sequence += 1
        shard = self.shards[n]
        made = (
            unpublishable(self.sequence, key, shard=shard)
            if poison == 0
            else event(self.sequence, key, size=size, shard=shard)
        )
        shard.open(made.of)
        lane = self.lanes[key]
        fresh = not lane.tickets
        lane.tickets.append(made)
        if fresh:
            self.place(key)
        assert self.queue.push(made) == len(lane.tickets)

    @rule(events=st.integers(1, 4), size=st.integers(1, 80))
    def take(self, events: int, size: int) -> None:
        self.wake()
        expected = self.batch(self.ready, events, size)
        sort = self.sort if self.down else None
        taken = self.queue.take(ANYWHERE, self.now, events, size, self.run_events, sort=sort)
        assert taken == expected
        self.fly(taken)

    def sort(self, each: Queued) -> str | None:
        return "p" if each.key in self.down else None

    @rule(events=st.integers(1, 4), size=st.integers(1, 80))
    def take_aside(self, events: int, size: int) -> None:
        self.wake()
        expected = self.batch(self.aside, events, size)
        taken = self.queue.take("p", self.now, events, size, self.run_events)
        assert taken == expected
        self.fly(taken)

    @rule(key=st.sampled_from(KEYS))
    def goes_down(self, key: str) -> None:
        self.down.add(key)

    @rule()
    def comes_up(self) -> None:
        self.down.clear()
        self.queue.rejoin("p")
        self.ready.extend(self.aside)
        self.aside.clear()

    def fly(self, taken: list[Queued]) -> None:
        assert all(each.state is EventState.IN_FLIGHT for each in taken)
        if taken:
            self.requests.append(taken)

    @rule()
    def take_doomed(self) -> None:
        taken = letter(self.queue)
        if not self.doomed:
            assert taken is None
            return
        lane = self.lanes[self.doomed.pop(0)]
        assert taken is lane.tickets[0]
        assert taken.state is EventState.IN_FLIGHT
        lane.flying = [taken]
        self.letters.append(taken)

    def settle(self, each: Queued) -> None:
        self.queue.settle(each)
        if each.state is not EventState.REVOKED:
            (shard,) = [shard for shard in self.shards if shard.tenure is each.of.tenure]
            shard.settle(each.of)
        lane = self.lanes[each.key]
        assert lane.tickets[0] is each  # the order of its key
        self.leave(each)
        lane.wait = 0.0
        if not lane.flying:
            self.place(each.key)

    def give_back(self, each: Queued, not_before: float = 0.0) -> None:
        self.queue.give_back(each, not_before)
        self.land(each, not_before)

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def request_failed(self, data: st.DataObject) -> None:
        request = self.requests.pop(data.draw(st.integers(0, len(self.requests) - 1)))
        self.queue.put_back(request)
        keys = list(dict.fromkeys(each.key for each in request))
        for key in reversed(keys):
            for each in request:
                if each.key == key:
                    self.land(each, front=True)

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def answered(self, data: st.DataObject) -> None:
        """Of each run some are stored; the first that is not fails or becomes a dead letter."""
        request = self.requests.pop(data.draw(st.integers(0, len(self.requests) - 1)))
        for key in dict.fromkeys(each.key for each in request):
            run = [each for each in request if each.key == key]
            stored = data.draw(st.integers(0, len(run)))
            for each in run[:stored]:
                self.settle(each)
            for each in run[stored : stored + 1]:
                if data.draw(st.booleans()):
                    self.letters.append(each)
                else:
                    self.give_back(each, data.draw(st.sampled_from([0.0, self.now + 3])))
            for each in run[stored + 1 :]:
                self.give_back(each)

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def held_up(self, data: st.DataObject) -> None:
        """Before a part is sent, what must not go is given back, with all behind it of its key."""
        index = data.draw(st.integers(0, len(self.requests) - 1))
        request = self.requests[index]
        key = data.draw(st.sampled_from([each.key for each in request]))
        run = [each for each in request if each.key == key]
        kept = data.draw(st.integers(0, len(run)))
        for each in run[kept:]:
            request.remove(each)
            self.give_back(each)
        if not request:
            self.requests.pop(index)

    @precondition(lambda self: self.letters)
    @rule(data=st.data(), accepted=st.booleans(), wait=st.booleans())
    def letter_answered(self, data: st.DataObject, accepted: bool, wait: bool) -> None:
        each = self.letters.pop(data.draw(st.integers(0, len(self.letters) - 1)))
        if accepted:
            self.settle(each)
        else:
            self.give_back(each, self.now + 5 if wait else 0.0)

    def remove(self, revoked: list[Queued]) -> None:
        free = [each for each in revoked if each not in self.lanes[each.key].flying]
        heads = {key: lane.tickets[:1] for key, lane in self.lanes.items()}
        for each in free:
            self.leave(each)
        for key in dict.fromkeys(each.key for each in revoked):
            lane = self.lanes[key]
            if lane.tickets[:1] != heads[key]:
                lane.wait = 0.0
                self.place(key)
        assert self.queue.remove(revoked) == sum(each.cost for each in free)

    @rule(n=st.integers(0, SHARDS - 1))
    def lose_shard(self, n: int) -> None:
        self.remove(events_of(self.shards[n].revoke()))
        self.shards[n] = watermark(shard_id=f"s{n}")

    @rule(n=st.integers(0, SHARDS - 1))
    def drain_shard(self, n: int) -> None:
        self.remove(events_of(self.shards[n].drop_tail()))

    @rule(seconds=st.floats(0.5, 4))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    # What always holds.

    @invariant()
    def it_counts_exactly(self) -> None:
        queue = self.queue
        pending = [each for lane in self.lanes.values() for each in lane.tickets]
        assert queue.events == len(queue) == len(pending)
        assert queue.bytes == sum(each.cost for each in pending)
        assert queue.ages.oldest(0.0) == (0.0 if pending else None)
        oldest = min((each.created_at for each in pending), default=None)
        assert queue.ages.oldest(LATER) == (None if oldest is None else LATER - oldest)
        assert (queue.ready(), queue.ready(DEAD_LETTER)) == (len(self.ready), len(self.doomed))
        assert queue.ready("p") == len(self.aside)
        times = [self.lanes[key].wait for key in self.waiting]
        assert queue.next_wake() == (min(times) if times else None)
        for key, lane in self.lanes.items():
            assert queue.pending(key) == len(lane.tickets)
            for each in lane.tickets:
                assert queue.leads(each) == (each is lane.tickets[0])

    @invariant()
    def one_request_carries_a_key(self) -> None:
        flying = [{each.key for each in request} for request in self.requests]
        for key in KEYS:
            assert sum(key in keys for keys in flying) <= 1

    @invariant()
    def in_flight_is_the_beginning_of_a_lane(self) -> None:
        for lane in self.lanes.values():
            assert lane.tickets[: len(lane.flying)] == lane.flying

    def teardown(self) -> None:
        """No lane is lost: whatever happened, everything still gets its turn."""
        while self.letters:
            self.settle(self.letters.pop(0))
        for request in self.requests:
            for each in request:
                self.settle(each)
        self.now += MANY
        self.queue.rejoin("p")
        for _ in range(self.sequence + 1):
            for each in self.queue.take(ANYWHERE, self.now, MANY, MANY, 1):
                self.settle(each)
            while (each_doomed := letter(self.queue)) is not None:
                self.settle(each_doomed)
        assert len(self.done) == self.sequence
        assert (len(self.queue), self.queue.bytes, self.queue._keys) == (0, 0, {})
        assert sum(map(len, self.queue._ready.values())) == 0


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
