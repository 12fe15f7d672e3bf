"""Faults in how much is sent at a time, and in what is too old to be sent."""

from typing import Any

from consumer.core.publishing.flow import Flow
from consumer.core.publishing.next_send import Send, Wait
from consumer.runtime.publishing.dispatcher import Dispatcher
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
