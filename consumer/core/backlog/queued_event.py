"""A queued event: an event in an outlet's queue, until it is settled or revoked.

It has its event type, its key and the count of its tries. `of` is what it was made of: a ticket of
the stream, or a dead letter. Only the origin of the event reads it, no queue and no sender does.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from msgspec import Struct

from consumer.core.event.event import Event, Unbuildable

if TYPE_CHECKING:
    from collections.abc import Iterable

Of_co = TypeVar("Of_co", covariant=True)


class EventState(Enum):
    """The state of an event. SETTLED and REVOKED are final."""

    QUEUED = auto()
    IN_FLIGHT = auto()
    SETTLED = auto()
    REVOKED = auto()


QUEUED: Final = EventState.QUEUED
IN_FLIGHT: Final = EventState.IN_FLIGHT
SETTLED: Final = EventState.SETTLED
REVOKED: Final = EventState.REVOKED


class Tries(NamedTuple):
    """How many answers count against an event.

    `refused` counts answers that named it as the cause (422). `failed` counts failures while other
    events of its partition were stored. `failed_at` is the time of its last failure, counted or not
    (injected clock), as far as it was named or alone in its request.
    """

    refused: int = 0
    failed: int = 0
    failed_at: float = float("-inf")


UNTRIED = Tries()

ANY_COMPANY = 1 << 30
"""The value of `company` while nothing limits it."""


class QueuedEvent(Struct, Generic[Of_co], eq=False):
    """One event of one event type.

    `company` is the most events, this one included, of a request that carries it: larger ones have
    failed, and it may be the cause. `attempts` counts the requests that carried it. `postponed`
    counts how often it was refused and could not become a dead letter, because there were too many.
    `created_at` is the time of the change, `first_attempt` and `last_attempt` those of requests
    (epoch seconds); `queued_at` is in seconds of the injected clock. `cost` is in bytes of memory.
    `body` is what to publish, None if no event can be made. `before` and `after` are its neighbours
    in the chain of its event type and shard; only the watermark sets them.
    """

    of: Of_co
    content: Event | Unbuildable
    event_type: str
    key: str
    created_at: float
    queued_at: float = 0.0
    state: EventState = QUEUED
    attempts: int = 0
    tries: Tries = UNTRIED
    company: int = ANY_COMPANY
    postponed: int = 0
    first_attempt: float | None = None
    last_attempt: float | None = None
    body: bytes | None = None
    cost: int = 0
    next_of_key: QueuedEvent[Of_co] | None = None
    before: QueuedEvent[Of_co] | None = None
    after: QueuedEvent[Of_co] | None = None

    def __post_init__(self) -> None:
        content = self.content
        self.body = content.body if isinstance(content, Event) else None
        self.cost = cost_of(content)


EVENT_BYTES = 900
"""Bytes of memory of an event, its ticket and its entries in queues, beside those of the body."""


def cost_of(content: Event | Unbuildable) -> int:
    """Return the bytes of memory that are counted for an event of this content."""
    body, record = content.body, content.record
    return EVENT_BYTES + (len(body) if body else 0) + (len(record) if record else 0)


def bytes_of(events: Iterable[QueuedEvent[object]]) -> int:
    """Return the bytes of the events' bodies, without the commas between them."""
    return sum(len(event.body or b"") for event in events)
