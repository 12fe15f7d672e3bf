"""A ticket: one record that was read and is not settled yet, with the events made of it.

The AckWatermark keeps the tickets of a shard in order (it links `before` and `after`); the events
of a ticket are in the queues of their keys. A ticket is settled when all of its events are, and is
revoked as a whole.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

from consumer.core.backlog.queued_event import QUEUED, REVOKED, QueuedEvent

if TYPE_CHECKING:
    from consumer.core.backlog.tenure import Tenure


class SendingLimit(Protocol):
    """Until when this process may send: a worker's fence, or the time that an invocation has."""

    @property
    def epoch(self) -> int:
        """The epoch of what is opened now."""
        ...

    def holds(self, now: float, epoch: int) -> bool:
        """Return whether something opened in `epoch` may be sent at `now`."""
        ...


class TicketState(Enum):
    """The state of a ticket. SETTLED and REVOKED are final."""

    OPEN = auto()
    SETTLED = auto()
    REVOKED = auto()


OPEN: Final = TicketState.OPEN


class Ticket(Struct, eq=False):
    """One unsettled record.

    `created_at` is the change's time in epoch seconds. `place` counts the records as they were
    read. The settled records right behind it count with it: `through` and `through_at` are number
    and time of the last one, `records` counts them and itself. `published` says that an event of it
    or of one of them was. `events` are those that are not settled; it is emptied when the ticket
    ends, so that no reference cycle is left.
    """

    sequence: int
    created_at: float
    tenure: Tenure
    events: tuple[QueuedEvent[Ticket], ...] = ()
    place: int = 0
    state: TicketState = OPEN
    through: int = 0
    through_at: float = 0.0
    records: int = 1
    published: bool = False
    before: Ticket | None = None
    after: Ticket | None = None

    def __post_init__(self) -> None:
        self.through = self.sequence
        self.through_at = self.created_at

    def carry(self, events: tuple[QueuedEvent[Ticket], ...]) -> None:
        """Add the events that were made of this record, at least one."""
        self.events = events

    @property
    def untouched(self) -> bool:
        """Whether every event of it, and of what counts with it, is queued: none was published."""
        if self.published:
            return False
        return all(event.state is QUEUED for event in self.events)

    @property
    def retrying(self) -> bool:
        """Whether one of its events was sent more than once."""
        return any(event.attempts > 1 for event in self.events)

    def settle(self, settled: QueuedEvent[Ticket]) -> None:
        """Take out an event that is settled, so that its bytes are kept no longer."""
        events = self.events
        if len(events) == 1 and events[0] is settled:
            self.events = ()
        else:
            self.events = tuple([event for event in events if event is not settled])
        self.published = True

    def revoke(self) -> None:
        """Revoke the ticket and each of its events that is not settled."""
        self.state = TicketState.REVOKED
        for event in self.events:
            event.state = REVOKED


def is_ours(event: QueuedEvent[Ticket], fence: SendingLimit, now: float) -> bool:
    """Return whether this worker may send the event: its tenure has not ended, the fence holds."""
    return event.state is not REVOKED and fence.holds(now, event.of.tenure.epoch)
