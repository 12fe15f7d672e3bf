"""A queued event: what an outlet's queue holds, until it is stored, refused for good, or revoked.

It knows its event type, its key and how often it was tried. What it was made of (`of`: a ticket of
the stream, a dead letter) no queue and no sender looks at; only its origin does.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from msgspec import Struct

from consumer.core.event.event import Event, Unbuildable

if TYPE_CHECKING:
    from collections.abc import Iterable

Of_co = TypeVar("Of_co", covariant=True)


class EventState(Enum):
    """Where an event is. SETTLED and REVOKED are final."""

    QUEUED = auto()
    IN_FLIGHT = auto()
    SETTLED = auto()
    REVOKED = auto()


class Tries(NamedTuple):
    """Answers that count against an event.

    `refused`: the answer called it the bad one (422). `failed`: others of its partition were stored
    and it was not (207).
    """

    refused: int = 0
    failed: int = 0


UNTRIED = Tries()


class QueuedEvent(Struct, Generic[Of_co], eq=False):
    """One event of one event type.

    `attempts` counts requests that carried it, `postponed` times it was to become a dead letter
    and there were too many. `created_at` is the change's time (epoch seconds), `queued_at` ours
    (seconds of the injected clock). `body` is what to publish, None where there is no event.
    """

    of: Of_co
    content: Event | Unbuildable
    event_type: str
    key: str
    created_at: float
    cost: int
    queued_at: float = 0.0
    state: EventState = EventState.QUEUED
    attempts: int = 0
    tries: Tries = UNTRIED
    postponed: int = 0
    first_attempt: float | None = None
    last_attempt: float | None = None
    body: bytes | None = None
    next_of_key: QueuedEvent[Of_co] | None = None

    def __post_init__(self) -> None:
        self.body = self.content.body if isinstance(self.content, Event) else None


EVENT_BYTES = 900
"""What an event, its ticket and their places in all orders cost in memory beside the bytes."""


def cost_of(content: Event | Unbuildable) -> int:
    """Return the bytes of memory that an event of this content counts with."""
    if isinstance(content, Event):
        return len(content.body) + EVENT_BYTES
    return len(content.record) + len(content.body or b"") + EVENT_BYTES


def bytes_of(events: Iterable[QueuedEvent[object]]) -> int:
    """Return the bytes of the events' bodies, without the commas between them."""
    return sum(len(event.body or b"") for event in events)
