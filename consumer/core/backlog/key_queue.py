"""A key's queue: its events in the order of their changes. The first ones may be in flight."""

from __future__ import annotations

from enum import Enum, auto
from math import inf
from typing import TYPE_CHECKING, Final, Generic

from msgspec import Struct

from consumer.core.backlog.queued_event import REVOKED, Of_co

if TYPE_CHECKING:
    from collections import OrderedDict
    from collections.abc import Iterator

    from consumer.core.backlog.queued_event import QueuedEvent


class Place(Enum):
    """Where a key's queue is in the queue of the event type: in a list, or in none."""

    IDLE = auto()  # in none: empty, or with events in flight
    READY = auto()  # in the list of a destination
    WAITING = auto()  # among those that wait until `not_before`


IDLE: Final = Place.IDLE
READY: Final = Place.READY
WAITING: Final = Place.WAITING


class KeyQueue(Struct, Generic[Of_co], eq=False):
    """A linked list of events. `length` counts all, `in_flight` those in flight at its head.

    `stands_in` is the list of its destination while it is READY. `turn` is the number of its newest
    entry among the queues that wait.
    """

    key: str
    first: QueuedEvent[Of_co] | None = None
    last: QueuedEvent[Of_co] | None = None
    length: int = 0
    in_flight: int = 0
    not_before: float = 0.0
    place: Place = IDLE
    stands_in: OrderedDict[KeyQueue[Of_co], None] | None = None
    turn: int = 0

    @property
    def queued_at(self) -> float:
        """When its head was queued (injected clock), infinite if it is empty."""
        return inf if self.first is None else self.first.queued_at

    def flying(self) -> Iterator[QueuedEvent[Of_co]]:
        """Yield its events that are in flight."""
        event, flying = self.first, self.in_flight
        while event is not None and flying:
            yield event
            event = event.next_of_key
            flying -= 1

    def append(self, event: QueuedEvent[Of_co]) -> None:
        """Append an event."""
        if self.last is None:
            self.first = event
        else:
            self.last.next_of_key = event
        self.last = event
        self.length += 1

    def unlink(self, event: QueuedEvent[Of_co]) -> None:
        """Remove an event: the head, or one of its run. Raises ValueError if it is not here."""
        before, there = None, self.first
        while there is not event and there is not None:
            before, there = there, there.next_of_key
        if there is None:
            raise ValueError(f"event {event.content.sequence} is not in its key's queue")
        if before is None:
            self.first = event.next_of_key
        else:
            before.next_of_key = event.next_of_key
        if self.last is event:
            self.last = before
        event.next_of_key = None
        self.length -= 1

    def sift(self) -> list[QueuedEvent[Of_co]]:
        """Remove the revoked events that are not in flight, and return them."""
        gone: list[QueuedEvent[Of_co]] = []
        position, event, flying = 0, self.first, self.in_flight
        self.first = self.last = None
        self.length = 0
        while event is not None:
            following, event.next_of_key = event.next_of_key, None
            if event.state is REVOKED and position >= flying:
                gone.append(event)
            else:
                self.append(event)
            position += 1
            event = following
        return gone
