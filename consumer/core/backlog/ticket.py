"""A ticket: one record that was read and is not settled yet, with the events made of it.

It stands in its shard's order (the AckWatermark links `before` and `after`); its events stand in
the orders of their keys. It is settled when all of them are, and revoked as a whole.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.backlog.queued_event import EventState, QueuedEvent

if TYPE_CHECKING:
    from consumer.core.backlog.tenure import Tenure
    from consumer.core.leases.fence import Fence


class TicketState(Enum):
    """Where a ticket is. SETTLED and REVOKED are final."""

    OPEN = auto()
    SETTLED = auto()
    REVOKED = auto()


class Ticket(Struct, eq=False):
    """One unsettled record.

    `created_at` is the change's time in epoch seconds. `unsettled` counts its events that are not
    accepted yet. `through`, `through_at` and `records` describe the run of settled records that
    follows it. `events` is emptied at its end, so that no objects point at each other in a circle.
    """

    sequence: int
    created_at: float
    tenure: Tenure
    events: tuple[QueuedEvent[Ticket], ...] = ()
    unsettled: int = 0
    state: TicketState = TicketState.OPEN
    through: int = 0
    through_at: float = 0.0
    records: int = 1
    before: Ticket | None = None
    after: Ticket | None = None

    def __post_init__(self) -> None:
        self.through = self.sequence
        self.through_at = self.created_at

    def carry(self, events: tuple[QueuedEvent[Ticket], ...]) -> None:
        """Take the events that were made of this record: at least one."""
        self.events = events
        self.unsettled = len(events)

    @property
    def untouched(self) -> bool:
        """Is every event of it queued: none settled, none in flight?"""
        return all(event.state is EventState.QUEUED for event in self.events)

    @property
    def retrying(self) -> bool:
        """Was one of its events sent more than once?"""
        return any(event.attempts > 1 for event in self.events)

    def count_settled(self) -> bool:
        """Count an event as settled. Return True if it was the last one of an open ticket."""
        self.unsettled -= 1
        return not self.unsettled and self.state is TicketState.OPEN

    def revoke(self) -> None:
        """Revoke it and every event of it that is not settled."""
        self.state = TicketState.REVOKED
        for event in self.events:
            if event.state is not EventState.SETTLED:
                event.state = EventState.REVOKED


def is_ours(event: QueuedEvent[Ticket], fence: Fence, now: float) -> bool:
    """May this worker send the event at `now`? Only while its shard's tenure and the fence last."""
    return event.state is not EventState.REVOKED and fence.holds(now, event.of.tenure.epoch)
