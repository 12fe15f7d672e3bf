"""Faults in how much is sent at a time."""

from typing import Any

from consumer.core.backlog.queued_event import QueuedEvent
from consumer.core.backlog.ticket import Ticket
from consumer.core.publishing.flow import Flow
from consumer.core.publishing.next_send import Send, Wait
from consumer.core.publishing.next_send import next_send as original
from consumer.runtime.publishing import dispatcher
from consumer.runtime.publishing.stream_origin import StreamOrigin
from tests.simulation.mutants.plant import plant


def requests_overfilled() -> None:
    plant(Flow, "batch_events", property(lambda self: self._limits.batch_events + 1))


def more_requests_than_slots() -> None:
    def next_send(now: float, **known: Any) -> Send | Wait:
        return original(now, **{**known, "slots": 1})

    plant(dispatcher, "next_send", next_send)


def halves_not_asked_about_again() -> None:
    """An event that may be sent once may be sent until its batch has been dealt with."""
    may_send, returned = StreamOrigin.may_send, StreamOrigin.returned
    settled, refused = StreamOrigin.settled, StreamOrigin.refused
    allowed: dict[int, QueuedEvent[Ticket]] = {}

    def asked_once(self: StreamOrigin, event: QueuedEvent[Ticket], now: float) -> bool:
        if id(event) in allowed or may_send(self, event, now):
            allowed[id(event)] = event
            return True
        return False

    def back(self: StreamOrigin, event: QueuedEvent[Ticket]) -> None:
        allowed.pop(id(event), None)
        returned(self, event)

    def stored(self: StreamOrigin, events: Any) -> None:
        for event in events:
            allowed.pop(id(event), None)
        settled(self, events)

    def lettered(self: StreamOrigin, event: QueuedEvent[Ticket], *why: Any) -> None:
        allowed.pop(id(event), None)
        refused(self, event, *why)

    plant(StreamOrigin, "may_send", asked_once)
    plant(StreamOrigin, "returned", back)
    plant(StreamOrigin, "settled", stored)
    plant(StreamOrigin, "refused", lettered)
