"""A key's lane: its events in the order of their changes, the first ones perhaps in flight."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from consumer.core.backlog.ticket import TicketState

if TYPE_CHECKING:
    from collections import OrderedDict

    from consumer.core.backlog.ticket import Ticket


class Place(Enum):
    """Where the queue keeps a lane."""

    IDLE = auto()  # empty, or busy with events in flight
    READY = auto()
    WAITING = auto()  # until not_before
    DOOMED = auto()  # its head can never be published and waits for the dead letter queue


class KeyLane:
    """A linked list of tickets; `length` counts them, `in_flight` those at its head that fly.

    `stands_in` is the list of ready lanes it stands in while READY, `turn` that of its newest place
    among the waiting.
    """

    __slots__ = (
        *("first", "in_flight", "key", "last", "length", "not_before", "place"),
        *("stands_in", "turn"),
    )

    def __init__(self, key: str) -> None:
        self.key = key
        self.first: Ticket | None = None
        self.last: Ticket | None = None
        self.length = 0
        self.in_flight = 0
        self.not_before = 0.0
        self.place = Place.IDLE
        self.stands_in: OrderedDict[KeyLane, None] | None = None
        self.turn = 0

    def append(self, ticket: Ticket) -> None:
        """Put a ticket last."""
        if self.last is None:
            self.first = ticket
        else:
            self.last.next_of_key = ticket
        self.last = ticket
        self.length += 1

    def unlink(self, ticket: Ticket) -> None:
        """Take a ticket out from where it is: at the head, or a few behind it in a run."""
        before, there = None, self.first
        while there is not None and there is not ticket:
            before, there = there, there.next_of_key
        if there is None:
            raise ValueError(f"ticket {ticket.sequence} is not in its key's lane")
        if before is None:
            self.first = ticket.next_of_key
        else:
            before.next_of_key = ticket.next_of_key
        if self.last is ticket:
            self.last = before
        ticket.next_of_key = None
        self.length -= 1

    def sift(self) -> list[Ticket]:
        """Take out the revoked tickets that do not fly; returns them."""
        gone: list[Ticket] = []
        position, ticket, flying = 0, self.first, self.in_flight
        self.first = self.last = None
        self.length = 0
        while ticket is not None:
            following, ticket.next_of_key = ticket.next_of_key, None
            if ticket.state is TicketState.REVOKED and position >= flying:
                gone.append(ticket)
            else:
                self.append(ticket)
            position += 1
            ticket = following
        return gone
