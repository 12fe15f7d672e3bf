"""AckWatermark: how far a shard is settled.

Rules: tickets open in sequence order; they settle in any order; `value` is the highest sequence
number with everything before it settled. Only unsettled tickets are kept. Each stands for itself
and for the settled records right behind it, so settling one hands that run to its predecessor and
costs the same however far apart they are. An illegal move raises ValueError and changes nothing.

A record whose sequence number cannot be read stands with the one before it, so equal numbers are in
order: reading on after that number reads it again. A creation time of 0.0 could not be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.backlog.ticket import TicketState

if TYPE_CHECKING:
    from consumer.core.backlog.tenure import Tenure
    from consumer.core.backlog.ticket import Ticket

SPAN_RECORDS = 1_000_000
"""A shard reads at most this many records beyond its watermark."""


class AckWatermark:
    """The contiguous acknowledgement of one shard in one tenure.

    `value` is None until something is settled. `record_at` is the creation time (epoch seconds) of
    the record at `value`. `span` counts the records read beyond it, settled ones included.
    """

    __slots__ = (
        "dropped_at",
        "head",
        "opened",
        "record_at",
        "span",
        "tail",
        "tenure",
        "unsettled",
        "value",
    )

    def __init__(self, tenure: Tenure, value: int | None, record_at: float | None = None) -> None:
        self.tenure = tenure
        self.value = value
        self.record_at = record_at
        self.opened = value  # the newest sequence number seen, settled or not
        self.head: Ticket | None = None
        self.tail: Ticket | None = None
        self.span = 0
        self.unsettled = 0
        self.dropped_at: float | None = None  # creation of the oldest that was taken out unsettled

    @property
    def oldest_at(self) -> float | None:
        """Creation time of the oldest record that was read and is not settled, dropped or not."""
        return self.dropped_at if self.head is None else self.head.created_at

    @property
    def empty(self) -> bool:
        """Everything read is settled."""
        return self.head is None

    @property
    def full(self) -> bool:
        """No more may be read until the oldest ticket is settled."""
        return self.span >= SPAN_RECORDS

    def open(self, ticket: Ticket) -> None:
        """Add the next record's ticket. Raises ValueError if out of order."""
        self._ascend(ticket.sequence)
        ticket.before = self.tail
        if self.tail is None:
            self.head = ticket
        else:
            self.tail.after = ticket
        self.tail = ticket
        self.span += 1
        self.unsettled += 1

    def skip(self, sequence: int, created_at: float | None) -> None:
        """Count a record that yields no event: settled at once, in its place in the order."""
        self._ascend(sequence)
        if self.tail is None:
            self._raise_to(sequence, created_at)
            return
        self.tail.through = sequence
        self.tail.through_at = created_at or self.tail.through_at
        self.tail.records += 1
        self.span += 1

    def settle(self, ticket: Ticket) -> None:
        """Take out a ticket whose events have all been accepted."""
        if ticket.state is not TicketState.OPEN:
            msg = (
                f"ticket {ticket.sequence} of {self.tenure.shard_id} is {ticket.state.name} already"
            )
            raise ValueError(msg)
        before = ticket.before
        if before is None and ticket is not self.head:
            msg = f"ticket {ticket.sequence} is not open in {self.tenure.shard_id}"
            raise ValueError(msg)
        ticket.state = TicketState.SETTLED
        ticket.events = ()
        if before is None:
            self._raise_to(ticket.through, ticket.through_at)
            self.span -= ticket.records
        else:
            before.through = ticket.through
            before.through_at = ticket.through_at or before.through_at
            before.records += ticket.records
        self._unlink(ticket)

    def drop_tail(self) -> list[Ticket]:
        """Revoke the records above the highest one of which an event is settled or in flight.

        A drain calls it: nothing above has left the process, so the next owner may read it again
        without a duplicate. Returns the revoked tickets, newest first.
        """
        dropped: list[Ticket] = []
        while (
            (last := self.tail) is not None
            and last.untouched
            and last.records == 1  # nothing settled right behind it
        ):
            last.revoke()
            self.span -= 1
            self._unlink(last)
            dropped.append(last)
            self.dropped_at = last.created_at
        self.opened = self.value if self.tail is None else self.tail.through
        return dropped

    def revoke(self) -> list[Ticket]:
        """The shard is lost, or stands still for a while: revoke every ticket, oldest first.

        What they stand for still ages, until somebody reads it again.
        """
        if self.head is not None:
            self.dropped_at = self.head.created_at
        revoked: list[Ticket] = []
        ticket = self.head
        while ticket is not None:
            following = ticket.after
            ticket.revoke()
            ticket.before = ticket.after = None
            revoked.append(ticket)
            ticket = following
        self.head = self.tail = None
        self.span = self.unsettled = 0
        return revoked

    def _ascend(self, sequence: int) -> None:
        if self.opened is not None and sequence < self.opened:
            msg = f"record {sequence} of {self.tenure.shard_id} comes after {self.opened}"
            raise ValueError(msg)
        self.opened = sequence
        self.dropped_at = None

    def _raise_to(self, sequence: int, created_at: float | None) -> None:
        self.value = sequence
        self.record_at = created_at or self.record_at

    def _unlink(self, ticket: Ticket) -> None:
        before, after = ticket.before, ticket.after
        if before is None:
            self.head = after
        else:
            before.after = after
        if after is None:
            self.tail = before
        else:
            after.before = before
        ticket.before = ticket.after = None
        self.unsettled -= 1
