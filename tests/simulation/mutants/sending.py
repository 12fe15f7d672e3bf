"""Faults in how much is sent at a time, and in what is too old to be sent."""

from typing import Any

from consumer.core.backlog.ticket import Ticket
from consumer.core.publishing.flow import Flow, FlowState
from consumer.core.publishing.next_send import Send, Wait
from consumer.runtime.publishing.backlog import Backlog
from consumer.runtime.publishing.dispatcher import Dispatcher
from consumer.runtime.publishing.outlet import Outlet
from consumer.runtime.publishing.sender import Sender
from tests.simulation.mutants.plant import plant


def requests_overfilled() -> None:
    plant(Flow, "batch_events", property(lambda self: self._limits.batch_events + 1))


def more_requests_than_slots() -> None:
    decide = Dispatcher._next

    def next_send(self: Dispatcher[Any]) -> Send | Wait:
        self.in_flight -= 1
        try:
            return decide(self)
        finally:
            self.in_flight += 1

    plant(Dispatcher, "_next", next_send)


def a_stop_of_one_event_type_stops_another() -> None:
    original_add, original_next = Backlog.add_outlet, Dispatcher._next
    others: dict[int, Backlog] = {}  # by the identity of an outlet

    def add_outlet(self: Backlog, outlet: Outlet[Ticket]) -> None:
        original_add(self, outlet)
        others[id(outlet)] = self

    def next_send(self: Dispatcher[Any]) -> Send | Wait:
        mine = self._outlet
        backlog = others.get(id(mine))  # None: a redrive's
        outlets = () if backlog is None else backlog.outlets.values()
        flows = [each.event_type.flow for each in outlets if each.name != mine.name]
        if any(flow.state is FlowState.STOPPED for flow in flows):
            return Wait(mine.limits.probe)
        return original_next(self)

    plant(Backlog, "add_outlet", add_outlet)
    plant(Dispatcher, "_next", next_send)


class _WallClock:
    def __init__(self, clock: Any) -> None:
        self.now = clock.now
        self.wall = clock._machine.wall


def expiry_by_the_own_wall_clock() -> None:
    original = Sender._sendable

    def sendable(self: Sender[Any], part: list[Any]) -> list[Any]:
        clock = self._clock
        self._clock = _WallClock(clock)  # type: ignore[assignment]
        try:
            return original(self, part)
        finally:
            self._clock = clock

    plant(Sender, "_sendable", sendable)
