"""AckWatermark: how far a shard is settled.

Rules
- Tickets are opened in sequence order and settled in any order. `value` is the highest sequence
  number up to which every record is settled.
- Only unsettled tickets are kept. Each counts for itself and for the settled records right behind
  it. Settling a ticket passes that count to the ticket before it, whatever the distance, so the
  time it takes is constant.
- The unsettled events of each event type are in a chain, so that it is known how far the shard is
  settled but for some event types (`ahead`).
- A record whose sequence number cannot be read has the number of the record before it. So equal
  numbers are in order, and reading on after that number reads that record again.
- A creation time of 0.0 means that it could not be read.
- An illegal move raises ValueError and changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.backlog.ahead import DroppedTail, Oldest, fewest_repeats
from consumer.core.backlog.event_chain import EventChain
from consumer.core.backlog.ticket import OPEN, TicketState
from consumer.core.leases.checkpoint import sequence_of
from consumer.core.leases.mark import Ahead

if TYPE_CHECKING:
    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.backlog.tenure import Tenure
    from consumer.core.backlog.ticket import Ticket
    from consumer.core.leases.progress import Progress

SPAN_RECORDS = 1_000_000
"""A shard reads at most this many records beyond its watermark."""


class AckWatermark:
    """How far one shard is settled without a hole, in one tenure.

    `value` is None until something is settled. `record_at` is the creation time (epoch seconds) of
    the record at `value`. `span` counts the records read beyond it, settled ones included.

    `event_types` are those that are published to, `found` is what an earlier owner had settled
    beyond the position from which this tenure reads on.
    """

    __slots__ = (
        "chains",
        "dropped",
        "dropped_at",
        "event_types",
        "found",
        "head",
        "opened",
        "read",
        "record_at",
        "span",
        "tail",
        "tenure",
        "unsettled",
        "value",
    )

    def __init__(
        self,
        tenure: Tenure,
        value: int | None,
        record_at: float | None = None,
        *,
        event_types: tuple[str, ...] = (),
        found: Ahead | None = None,
    ) -> None:
        self.tenure = tenure
        self.event_types = event_types
        self.found = found
        self.chains: dict[str, EventChain] = {}
        self.read = 0  # records counted
        self.value = value
        self.record_at = record_at
        self.opened = value  # the newest sequence number, settled or not
        self.head: Ticket | None = None
        self.tail: Ticket | None = None
        self.span = 0
        self.unsettled = 0
        self.dropped_at: float | None = None  # creation time of the oldest that was revoked
        self.dropped: DroppedTail | None = None

    @classmethod
    def of(cls, tenure: Tenure, progress: Progress, event_types: tuple[str, ...]) -> AckWatermark:
        """Return the watermark of an owner that reads on from this progress."""
        value = sequence_of(progress.checkpoint)
        found = progress.ahead
        return cls(tenure, value, progress.record_at, event_types=event_types, found=found)

    @property
    def oldest_at(self) -> float | None:
        """Creation time of the oldest record that was read and is not settled, or was revoked."""
        return self.dropped_at if self.head is None else self.head.created_at

    @property
    def empty(self) -> bool:
        """Whether there is no unsettled ticket."""
        return self.head is None

    @property
    def full(self) -> bool:
        """Whether reading must wait until the oldest ticket is settled."""
        return self.span >= SPAN_RECORDS

    @property
    def behind(self) -> tuple[str, ...]:
        """The event types that have unsettled events."""
        return tuple(name for name, chain in self.chains.items() if chain.first is not None)

    @property
    def ahead(self) -> Ahead | None:
        """What is settled beyond `value`, if some event types are left out.

        None if that says nothing: what another owner would repeat is what it would repeat anyway.
        """
        to, read, dropped = self.dropped or DroppedTail(self.opened, self.read, {})
        if self.found is not None and (to or 0) < self.found.to:
            return self.found  # of the records up to there, only events of `behind` are made
        oldest = sorted({**dropped, **self._oldest()}.values())
        count = fewest_repeats(oldest, read, len(self.event_types)) if oldest else 0
        if not count:
            return None
        if count < len(oldest):
            to = oldest[count].before
        if to is None or to <= (self.value or 0):
            return None
        behind = tuple(sorted(each.event_type for each in oldest[:count]))
        return Ahead(to, behind, self.event_types)

    def _oldest(self) -> dict[str, Oldest]:
        """Return the oldest unsettled event of each event type that has any."""
        return {
            name: Oldest(chain.first.of.place, name, self._settled_before(chain.first.of))
            for name, chain in self.chains.items()
            if chain.first is not None
        }

    def leaves(self, sequence: int, event_type: str) -> bool:
        """Return whether the event of this type of a record may be unsettled, as `found` says."""
        return self.found is None or self.found.leaves(sequence, event_type)

    def open(self, ticket: Ticket) -> None:
        """Add the next record's ticket, with its events. Raises ValueError if out of order."""
        self._ascend(ticket.sequence)
        ticket.place = self.read
        self.read += 1
        for event in ticket.events:
            chain = self.chains.get(event.event_type)
            if chain is None:
                chain = self.chains[event.event_type] = EventChain()
            chain.append(event)
        ticket.before = self.tail
        if self.tail is None:
            self.head = ticket
        else:
            self.tail.after = ticket
        self.tail = ticket
        self.span += 1
        self.unsettled += 1

    def skip(self, sequence: int, created_at: float | None) -> None:
        """Count a record that yields no event as settled. Raises ValueError if out of order."""
        self._ascend(sequence)
        self.read += 1
        if self.tail is None:
            self._raise_to(sequence, created_at)
            return
        self.tail.through = sequence
        self.tail.through_at = created_at or self.tail.through_at
        self.tail.records += 1
        self.span += 1

    def settle_event(self, event: QueuedEvent[Ticket]) -> None:
        """Settle an event of an open ticket, and the ticket with its last one."""
        ticket = event.of
        if ticket.state is not OPEN:
            return
        self.chains[event.event_type].remove(event)
        ticket.settle(event)
        if not ticket.events:
            self.settle(ticket)

    def settle(self, ticket: Ticket) -> None:
        """Remove a ticket whose events are all settled. Raises ValueError if it is not open."""
        if ticket.state is not OPEN:
            msg = (
                f"ticket {ticket.sequence} of {self.tenure.shard_id} is {ticket.state.name} already"
            )
            raise ValueError(msg)
        before = ticket.before
        if before is None and ticket is not self.head:
            msg = f"ticket {ticket.sequence} is not open in {self.tenure.shard_id}"
            raise ValueError(msg)
        ticket.state = TicketState.SETTLED
        if ticket.events:
            self._unchain(ticket)
            ticket.events = ()
        if before is None:
            self._raise_to(ticket.through, ticket.through_at)
            self.span -= ticket.records
        else:
            before.through = ticket.through
            before.through_at = ticket.through_at or before.through_at
            before.records += ticket.records
            before.published = True
        self._unlink(ticket)

    def drop_tail(self) -> list[Ticket]:
        """Revoke the tickets behind the last record with an event that is published or in flight.

        A drain calls it: no event of these records is settled or in flight, so the next owner may
        read them again; so may it the records among them that yield no event. Return the revoked
        tickets, newest first.
        """
        dropped: list[Ticket] = []
        if self.dropped is None:
            self.dropped = DroppedTail(self.opened, self.read, {})
        while (last := self.tail) is not None and last.untouched:
            last.revoke()
            before = self._settled_before(last)
            for event in last.events:
                name = event.event_type
                self.dropped.oldest[name] = Oldest(last.place, name, before)
            self._unchain(last)
            self.span -= last.records
            self.read -= last.records
            self._unlink(last)
            dropped.append(last)
            self.dropped_at = last.created_at
        self.opened = self.value if self.tail is None else self.tail.through
        return dropped

    def revoke(self) -> list[Ticket]:
        """Revoke every ticket: this tenure ends, or reading pauses. Return them, oldest first.

        Their records still count in `oldest_at`, until the next record is read.
        """
        if self.head is not None:
            self.dropped_at = self.head.created_at
        revoked: list[Ticket] = []
        ticket = self.head
        while ticket is not None:
            following = ticket.after
            ticket.revoke()
            ticket.before = ticket.after = None
            for event in ticket.events:
                event.before = event.after = None
            revoked.append(ticket)
            ticket = following
        self.head = self.tail = None
        self.span = self.unsettled = 0
        self.chains.clear()
        return revoked

    def _settled_before(self, ticket: Ticket) -> int | None:
        """Return the number of the last record before that of a ticket."""
        return self.value if ticket.before is None else ticket.before.through

    def _ascend(self, sequence: int) -> None:
        if self.opened is not None and sequence < self.opened:
            msg = f"record {sequence} of {self.tenure.shard_id} comes after {self.opened}"
            raise ValueError(msg)
        self.opened = sequence
        self.dropped_at = self.dropped = None

    def _raise_to(self, sequence: int, created_at: float | None) -> None:
        self.value = sequence
        self.record_at = created_at or self.record_at

    def _unchain(self, ticket: Ticket) -> None:
        for event in ticket.events:
            self.chains[event.event_type].remove(event)

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
