"""What an outlet does next, decision by decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from consumer.core.backlog.queue import ANYWHERE, KeyOrderedQueue
from consumer.core.limits import PublishLimits
from consumer.core.publishing.flow import DEAD_LETTER_LIMIT, Flow
from consumer.core.publishing.lanes import LANE_SLOTS, Lanes
from consumer.core.publishing.next_send import IDLE_PAUSE, Send, Wait, next_send
from consumer.core.publishing.partition_outcome import PartitionOutcome
from consumer.core.publishing.placement import Partitioning, Placement
from tests.unit.core.events import Queued, event

if TYPE_CHECKING:
    from consumer.core.backlog.ticket import Ticket

LIMITS = PublishLimits(batch_events=4, batch_bytes=1_000, linger=0.5, concurrency=3)
NOW = 100.0


@dataclass
class Outlet:
    """Everything that the decision is made of; nothing is to be sent at first."""

    limits: PublishLimits = LIMITS
    queue: KeyOrderedQueue[Ticket] = field(default_factory=KeyOrderedQueue)
    pause: float = 0.0

    def __post_init__(self) -> None:
        self.flow = Flow(self.limits)
        self.lanes = Lanes(self.limits, Placement(Partitioning()))

    def push(self, *keys: str, size: int = 10, at: float = NOW) -> None:
        for number, key in enumerate(keys, 1):
            pushed = event(number, key, size=size)
            pushed.queued_at = at
            self.queue.push(pushed)

    def down(self, name: str = "3") -> None:
        """A partition took nothing: it has a lane from now on, and the key `d` belongs to it."""
        outcome = PartitionOutcome(name, [event(number) for number in range(9)], failed=True)
        self.lanes.failed(outcome, NOW, NOW, 0.0)

    def put_aside(self, key: str, name: str = "3") -> None:
        def sort(each: Queued) -> str | None:
            return name if each.key == key else None

        self.queue.take(ANYWHERE, NOW, 1_000, 1, sort=sort)

    def next(
        self,
        now: float = NOW,
        slots: int | None = None,
        lane_slots: int = LANE_SLOTS,
        in_flight: int = 1,
    ) -> Send | Wait:
        return next_send(
            now,
            flow=self.flow,
            lanes=self.lanes,
            queue=self.queue,
            slots=self.flow.allowed if slots is None else slots,
            lane_slots=lane_slots,
            in_flight=in_flight,
            pause=self.pause,
            limits=self.limits,
        )


def test_with_nothing_to_send_it_idles() -> None:
    assert Outlet().next() == Wait(IDLE_PAUSE)


@pytest.mark.parametrize("keys", [4, 5])
def test_a_full_batch_goes_at_once(keys: int) -> None:
    outlet = Outlet()
    outlet.push(*map(str, range(keys)))
    assert outlet.next() == Send(None, 4, 1_000)


def test_a_batch_that_is_full_by_bytes_goes_at_once() -> None:
    outlet = Outlet()
    outlet.push("a", "b", size=500)
    assert outlet.next() == Send(None, 4, 1_000)


def test_a_thin_batch_lingers_from_when_its_first_event_was_queued() -> None:
    outlet = Outlet()
    outlet.push("a")
    assert outlet.next() == Wait(0.5)
    outlet.push("b", at=NOW + 0.2)
    assert outlet.next(NOW + 0.25) == Wait(0.25)
    assert outlet.next(NOW + 0.5) == Send(None, 4, 1_000)


def test_with_nothing_in_flight_a_thin_batch_goes_at_once() -> None:
    outlet = Outlet()
    outlet.push("a")
    assert outlet.next(in_flight=0) == Send(None, 4, 1_000)
    assert outlet.next(in_flight=1) == Wait(0.5)


def test_an_event_that_has_waited_behind_others_of_its_key_does_not_linger() -> None:
    outlet = Outlet()
    outlet.push("a", "a", at=NOW - 0.5)
    (taken,) = outlet.queue.take(ANYWHERE, NOW, 1, 1_000)
    outlet.push("b")
    assert outlet.next() == Wait(0.5)
    outlet.queue.settle(taken)
    assert outlet.next() == Send(None, 4, 1_000)


def test_without_linger_nothing_waits() -> None:
    outlet = Outlet(PublishLimits(linger=0.0))
    outlet.push("a")
    assert isinstance(outlet.next(), Send)


def test_what_is_queued_after_a_batch_has_left_lingers_anew() -> None:
    outlet = Outlet()
    outlet.push("a", at=NOW - 60.0)
    outlet.queue.take(ANYWHERE, NOW, 1, 1_000)
    assert outlet.next() == Wait(IDLE_PAUSE)
    outlet.push("b")
    assert outlet.next() == Wait(0.5)


def test_what_waits_in_the_queue_ends_the_wait_and_then_goes() -> None:
    outlet = Outlet()
    outlet.push("a")
    (taken,) = outlet.queue.take(ANYWHERE, NOW, 1, 1_000)
    outlet.queue.give_back(taken, NOW + 2.0)
    assert outlet.next() == Wait(2.0)
    assert outlet.next(NOW + 2.0) == Send(None, 4, 1_000)


def test_no_slot_no_request() -> None:
    outlet = Outlet()
    outlet.push("a", "b", "c", "d")
    assert outlet.next(slots=0) == Wait(IDLE_PAUSE)
    assert isinstance(outlet.next(slots=1), Send)


def test_the_origin_may_allow_no_request_at_all() -> None:
    outlet = Outlet(pause=0.2)
    outlet.push("a", "b", "c", "d")
    outlet.down()
    outlet.put_aside("a")
    assert outlet.next(NOW + 60.0) == Wait(0.2)
    outlet.pause = 60.0
    assert outlet.next(NOW + 60.0) == Wait(IDLE_PAUSE)


def test_an_outage_pauses_and_is_probed_by_one_request() -> None:
    outlet = Outlet()
    outlet.push("a", "b", "c", "d")
    outlet.flow.outage(NOW, NOW, "http_503", 7.0, 0.0)
    assert outlet.next() == Wait(IDLE_PAUSE)
    assert outlet.flow.allowed == 1
    assert isinstance(outlet.next(NOW + 7.0), Send)


def test_a_stopped_event_type_tries_one_event() -> None:
    outlet = Outlet()
    outlet.push("a", "b", "c", "d")
    outlet.flow.stop(NOW, DEAD_LETTER_LIMIT)
    assert outlet.next(NOW + LIMITS.probe) == Send(None, 1, 1_000)


def test_a_lane_has_its_own_turn_and_its_own_size() -> None:
    outlet = Outlet()
    outlet.push("a", "b")
    outlet.down()
    outlet.put_aside("a")
    decided = outlet.next(NOW + 30.0)
    assert isinstance(decided, Send)
    assert decided.lane is not None
    assert (decided.lane.name, decided.size) == ("3", decided.lane.bytes)


def test_a_lane_that_pauses_holds_up_nobody() -> None:
    outlet = Outlet()
    outlet.push("a", "b", "c", "d", "e", "f")
    outlet.down()
    outlet.put_aside("a")
    (lane,) = outlet.lanes._open.values()
    lane.not_before = NOW + 1.0
    assert outlet.next() == Send(None, 4, 1_000)
    assert outlet.next(slots=0) == Wait(1.0)  # its turn comes before the idle pause ends


def test_a_lane_needs_none_of_the_slots_while_the_event_type_publishes() -> None:
    outlet = Outlet()
    outlet.push("a")
    outlet.down()
    outlet.put_aside("a")
    assert isinstance(outlet.next(NOW + 30.0, slots=0), Send)


def test_while_it_backs_off_its_only_request_travels_in_no_lane_if_there_is_one() -> None:
    outlet = Outlet()
    outlet.push("a", "b", "c", "d", "e", "f")
    outlet.down()
    outlet.put_aside("a")
    outlet.flow.outage(NOW, NOW, "http_503", None, 0.0)
    assert outlet.next(NOW + 30.0) == Send(None, 4, 1_000)


def test_while_it_backs_off_a_lane_probes_if_nothing_else_is_left() -> None:
    outlet = Outlet()
    outlet.push("a")
    outlet.down()
    outlet.put_aside("a")
    outlet.flow.outage(NOW + 20.0, NOW, "http_503", 10.0, 0.0)
    assert outlet.next(NOW + 28.0) == Wait(2.0)
    assert outlet.next(NOW + 28.0, slots=0) == Wait(IDLE_PAUSE)
    decided = outlet.next(NOW + 30.0)
    assert isinstance(decided, Send)
    assert decided.lane is not None
    decided.lane.busy = True
    assert outlet.next(NOW + 30.0) == Wait(IDLE_PAUSE)


def test_without_a_slot_for_lanes_only_others_are_sent() -> None:
    outlet = Outlet()
    outlet.push("d", "e")
    outlet.down()
    outlet.put_aside("d")
    now = NOW + 100.0
    assert outlet.next(now).lane is not None  # type: ignore[union-attr]
    outlet.push("a")
    assert outlet.next(now, lane_slots=0) == Send(None, 4, 1_000)
    assert isinstance(outlet.next(now, slots=0, lane_slots=0), Wait)


def test_lanes_share_their_slots() -> None:
    outlet = Outlet()
    names = [str(number) for number in range(LANE_SLOTS + 1)]
    for name in names:
        outlet.push(name)
        outlet.down(name)
        outlet.put_aside(name, name)
    for _ in range(LANE_SLOTS):
        decided = outlet.next(NOW + 30.0)
        assert isinstance(decided, Send)
        assert decided.lane is not None
        decided.lane.busy = True
    assert isinstance(outlet.next(NOW + 30.0), Wait)
