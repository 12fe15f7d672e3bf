"""A ticket: one record that was read and is not settled yet.

It stands in two orders at once: in its shard's (the AckWatermark links `before` and `after`) and in
its key's (the KeyOrderedQueue links `next_of_key`). Both link it themselves so that a settled
ticket leaves no trace in either.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.event.event import Event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.core.backlog.watermark import AckWatermark
    from consumer.core.event.event import Unbuildable

TICKET_BYTES = 900
"""What a ticket and its place in both orders cost in memory beside the event's bytes."""


class TicketState(Enum):
    """Where a ticket is. SETTLED and REVOKED are final."""

    QUEUED = auto()
    IN_FLIGHT = auto()
    SETTLED = auto()
    REVOKED = auto()


class Ticket(Struct, eq=False):
    """One unsettled record.

    `attempts` counts requests that carried it, `refused` answers that called it the bad one (422),
    `failed` answers in which others of its partition were stored and it was not (207), `postponed`
    times it was to be a dead letter and there were too many.
    `created_at` is the change's (epoch seconds), `read_at` ours (seconds of the injected clock).
    `body` is the event to publish, None for a record of which no event could be built.
    `through`, `through_at` and `records` describe the run of settled records that follows it.
    """

    content: Event | Unbuildable
    sequence: int
    key: str
    created_at: float
    cost: int
    watermark: AckWatermark
    read_at: float = 0.0
    state: TicketState = TicketState.QUEUED
    attempts: int = 0
    refused: int = 0
    failed: int = 0
    postponed: int = 0
    first_attempt: float | None = None
    last_attempt: float | None = None
    body: bytes | None = None
    through: int = 0
    through_at: float = 0.0
    records: int = 1
    before: Ticket | None = None
    after: Ticket | None = None
    next_of_key: Ticket | None = None

    def __post_init__(self) -> None:
        self.body = self.content.body if isinstance(self.content, Event) else None
        self.through = self.sequence
        self.through_at = self.created_at


def bytes_of(tickets: Iterable[Ticket]) -> int:
    """Bytes of their events, as a request's body counts them (without the commas)."""
    return sum(len(ticket.body or b"") for ticket in tickets)


def cost_of(content: Event | Unbuildable) -> int:
    """Bytes of memory that a ticket for this content counts with."""
    if isinstance(content, Event):
        return len(content.body) + TICKET_BYTES
    return len(content.record) + len(content.body or b"") + TICKET_BYTES
