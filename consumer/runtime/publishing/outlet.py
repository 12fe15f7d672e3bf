"""An outlet: the way to one event type, with its queue, its state and a signal to its dispatcher.

Ownership: the origin puts events in; dispatcher and sender take them out. Every method is a plain
call, with no await between a check and what depends on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from msgspec.structs import replace

from consumer.core.backlog.queue import KeyOrderedQueue
from consumer.core.backlog.queued_event import Of_co
from consumer.core.publishing.flow import FlowState
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.reports.status import EventTypeStatus
    from consumer.runtime.publishing.event_type import EventType
    from consumer.runtime.publishing.origin import Origin


class Outlet(Generic[Of_co]):
    """The queue of the event type `name`.

    `changed` is notified when the dispatcher must decide again. `taken` counts the records of which
    an event was put into it.
    """

    def __init__(self, event_type: EventType, origin: Origin[Of_co]) -> None:
        self.name = event_type.name
        self.event_type = event_type
        self.limits = event_type.limits
        self.origin = origin
        self.queue: KeyOrderedQueue[Of_co] = KeyOrderedQueue()
        self.changed = Signal()
        self.taken = 0

    def status(self, wall: float) -> EventTypeStatus:
        """Return what `/status` shows. `wall` is in epoch seconds."""
        name, oldest = self.event_type.route.name, self.queue.ages.oldest(wall)
        return replace(
            self.event_type.status,
            route=name if name and name != self.name else None,
            records_taken=self.taken,
            waiting_events=self.queue.events,
            oldest_event_seconds=None if oldest is None else round(oldest, 3),
        )

    @property
    def publishes(self) -> bool:
        """Whether events are sent as they come: the event type is not stopped or backing off."""
        return self.event_type.flow.state is FlowState.PUBLISHING

    def hot_key_limit(self, seconds: float) -> float:
        """Return how many events of one key can be published in this time, at least 1."""
        return self.limits.hot_key_limit(self.event_type.round_trip, seconds)

    def settle(self, events: Sequence[QueuedEvent[Of_co]]) -> None:
        """Settle events that Nakadi accepted: at least one, and each the head of its key."""
        for event in events:
            self.queue.settle(event)
        self.origin.settled(events)
        self.changed.notify()

    def discard(self, event: QueuedEvent[Of_co]) -> None:
        """Remove a refused event that is kept in the dead letter queue; its key goes on."""
        self.queue.settle(event)
        self.changed.notify()

    def give_back(self, event: QueuedEvent[Of_co], not_before: float = 0.0) -> None:
        """Return one event to the head of its key, to be sent again from `not_before` on."""
        self.queue.give_back(event, not_before)
        self.origin.returned(event)
        self.changed.notify()

    def put_back(self, events: Sequence[QueuedEvent[Of_co]]) -> None:
        """Return the events of a request that failed as a whole; their keys go to the front."""
        self.queue.put_back(events)
        for event in events:
            self.origin.returned(event)
        self.changed.notify()

    def remove(self, events: Iterable[QueuedEvent[Of_co]]) -> int:
        """Remove revoked events and return the bytes freed.

        Those in flight are removed when their request ends.
        """
        freed = self.queue.remove(events)
        self.changed.notify()
        return freed
