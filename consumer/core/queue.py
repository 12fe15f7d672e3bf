"""KeyOrderedQueue: a first-in-first-out lane per ordering key, and a list of ready lanes.

Rules
- A lane with an event in flight is not ready: at most one request carries events of a key.
- A batch takes the head of each of many ready lanes, in the order they became ready, and closes at
  the first head that does not fit. `run` > 1 lets it take several from the head of one lane.
- Events in flight stay at the head of their lane until they are settled or given back, so nothing
  can pass them. A run is settled from its head; what it leaves in flight is its beginning.
- Only a failure of the event itself makes its lane wait (`not_before`). A failure of the whole
  request puts its lanes back at the front.
- A revoked ticket in flight keeps its key busy until its request ends, then only frees the key.
- A lane stands in one place at a time, by its head; an empty one is forgotten at once.
- An illegal move raises ValueError and changes nothing.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from enum import Enum, auto
from itertools import groupby
from typing import TYPE_CHECKING

from consumer.core.ticket import TICKET_BYTES, TicketState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.core.ticket import Ticket


class _Place(Enum):
    IDLE = auto()  # empty, or busy with events in flight
    READY = auto()
    WAITING = auto()  # until not_before
    DOOMED = auto()  # its head can never be published and waits for the dead letter queue


class _Lane:
    __slots__ = ("first", "in_flight", "key", "last", "length", "not_before", "place", "turn")

    def __init__(self, key: str) -> None:
        self.key = key
        self.first: Ticket | None = None
        self.last: Ticket | None = None
        self.length = 0
        self.in_flight = 0
        self.not_before = 0.0
        self.place = _Place.IDLE
        self.turn = 0  # of its newest place among the waiting


class KeyOrderedQueue:
    """Events of all shards of this process, in order per key.

    `events` and `bytes` count everything pushed and neither settled nor revoked.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}
        self._ready: OrderedDict[_Lane, None] = OrderedDict()
        self._doomed: OrderedDict[_Lane, None] = OrderedDict()
        self._waiting: list[tuple[float, int, _Lane]] = []  # a lane may have left before its time
        self._turns = 0  # equal times wake in the order they came
        self.events = 0
        self.bytes = 0

    def __len__(self) -> int:
        return self.events

    @property
    def ready(self) -> int:
        """How many lanes have a head that may be sent now."""
        return len(self._ready)

    @property
    def ready_bytes(self) -> float:
        """About how many body bytes the ready heads have, if they are like the average event."""
        if not self.events:
            return 0.0
        return len(self._ready) * (self.bytes / self.events - TICKET_BYTES)

    @property
    def doomed(self) -> int:
        """How many lanes wait for their head's dead letter."""
        return len(self._doomed)

    def leads(self, ticket: Ticket) -> bool:
        """Is it the head of its key's lane? If not, something before it must be settled first."""
        lane = self._lanes.get(ticket.key)
        return lane is not None and lane.first is ticket

    def pending(self, key: str) -> int:
        """How many events of a key are not settled."""
        lane = self._lanes.get(key)
        return 0 if lane is None else lane.length

    def push(self, ticket: Ticket) -> int:
        """Append to its key's lane; returns the lane's length."""
        lane = self._lanes.get(ticket.key)
        if lane is None:
            lane = self._lanes[ticket.key] = _Lane(ticket.key)
        if lane.last is None:
            lane.first = ticket
        else:
            lane.last.next_of_key = ticket
        lane.last = ticket
        lane.length += 1
        self.events += 1
        self.bytes += ticket.cost
        if lane.place is _Place.IDLE and not lane.in_flight:
            self._place(lane, front=False)
        return lane.length

    def take(self, now: float, events: int, size: int, run: int = 1) -> list[Ticket]:
        """The next batch: at most `events` tickets and `size` body bytes; empty if none is ready.

        A head larger than `size` goes alone. All returned tickets are in flight.
        """
        self._wake(now)
        batch: list[Ticket] = []
        room = size
        ready = self._ready
        while ready and len(batch) < events:
            lane = next(iter(ready))
            ticket = lane.first
            taken = 0
            while ticket is not None and taken < run and len(batch) < events:
                body = ticket.body
                if body is None or (len(body) > room and batch):
                    break
                ticket.state = TicketState.IN_FLIGHT
                room -= len(body)
                batch.append(ticket)
                taken += 1
                ticket = ticket.next_of_key
            if not taken:
                break
            del ready[lane]
            lane.place = _Place.IDLE
            lane.in_flight = taken
        return batch

    def take_doomed(self) -> Ticket | None:
        """The next head that can never be published; it is in flight until settled."""
        lane = next(iter(self._doomed), None)
        ticket = None if lane is None else lane.first
        if lane is None or ticket is None:
            return None
        del self._doomed[lane]
        lane.place = _Place.IDLE
        lane.in_flight = 1
        ticket.state = TicketState.IN_FLIGHT
        return ticket

    def settle(self, ticket: Ticket) -> None:
        """Take a ticket in flight out of its lane; it must be the head.

        The caller settles its watermark, too, unless the ticket is revoked.
        """
        lane = self._lanes.get(ticket.key)
        if lane is None or lane.first is not ticket or not lane.in_flight:
            raise ValueError(f"ticket {ticket.sequence} is not the head in flight of its key")
        lane.first = ticket.next_of_key
        if lane.first is None:
            lane.last = None
        self._discount(lane, ticket)
        lane.in_flight -= 1
        if not lane.in_flight:
            self._place(lane, front=False)

    def give_back(self, ticket: Ticket, not_before: float = 0.0, *, front: bool = False) -> None:
        """Return a ticket in flight to its place in its lane, unsent or failed.

        A revoked one leaves the lane. Of a run that is not settled all are given back, or all
        behind the one that stays in flight, before anything else happens to the lane.
        """
        lane = self._lanes.get(ticket.key)
        flying = ticket.state is TicketState.IN_FLIGHT or ticket.state is TicketState.REVOKED
        if lane is None or not lane.in_flight or not flying:
            raise ValueError(f"ticket {ticket.sequence} is not in flight")
        if ticket.state is TicketState.REVOKED:
            self._unlink(lane, ticket)
        else:
            ticket.state = TicketState.QUEUED
            lane.not_before = max(lane.not_before, not_before)
        lane.in_flight -= 1
        if not lane.in_flight:
            self._place(lane, front=front)

    def put_back(self, tickets: Sequence[Ticket]) -> None:
        """The whole request failed: its lanes go to the front, in the order they had."""
        runs = [list(run) for _, run in groupby(tickets, key=lambda ticket: ticket.key)]
        for run in reversed(runs):
            for ticket in run:
                self.give_back(ticket, front=True)

    def remove(self, tickets: Iterable[Ticket]) -> int:
        """Take out revoked tickets and return the bytes freed.

        Those in flight stay until their request ends.
        """
        before = self.bytes
        for key in dict.fromkeys(ticket.key for ticket in tickets):
            lane = self._lanes.get(key)
            if lane is not None:
                self._sift(lane)
        return before - self.bytes

    def next_wake(self) -> float | None:
        """When the earliest waiting lane becomes ready, None if none waits."""
        self._shed_departed()
        return self._waiting[0][0] if self._waiting else None

    def _sift(self, lane: _Lane) -> None:
        kept: Ticket | None = None
        position = 0
        head = lane.first
        ticket, lane.first, lane.last = lane.first, None, None
        lane.length = 0
        while ticket is not None:
            following, ticket.next_of_key = ticket.next_of_key, None
            if ticket.state is TicketState.REVOKED and position >= lane.in_flight:
                self.events -= 1
                self.bytes -= ticket.cost
            else:
                if kept is None:
                    lane.first = ticket
                else:
                    kept.next_of_key = ticket
                kept = lane.last = ticket
                lane.length += 1
            position += 1
            ticket = following
        if lane.first is not head:  # then none was in flight
            self._ready.pop(lane, None)
            self._doomed.pop(lane, None)
            lane.not_before = 0.0
            self._place(lane, front=False)

    def _unlink(self, lane: _Lane, ticket: Ticket) -> None:
        """Take a ticket out from where it is: at the head, or a few behind it in a run."""
        before, there = None, lane.first
        while there is not None and there is not ticket:
            before, there = there, there.next_of_key
        if there is None:
            raise ValueError(f"ticket {ticket.sequence} is not in its key's lane")
        if before is None:
            lane.first = ticket.next_of_key
        else:
            before.next_of_key = ticket.next_of_key
        if lane.last is ticket:
            lane.last = before
        self._discount(lane, ticket)

    def _discount(self, lane: _Lane, ticket: Ticket) -> None:
        ticket.next_of_key = None
        lane.length -= 1
        self.events -= 1
        self.bytes -= ticket.cost

    def _place(self, lane: _Lane, *, front: bool) -> None:
        head = lane.first
        if head is None:
            lane.place = _Place.IDLE
            del self._lanes[lane.key]
        elif lane.not_before:
            lane.place = _Place.WAITING
            self._turns += 1
            lane.turn = self._turns
            heapq.heappush(self._waiting, (lane.not_before, lane.turn, lane))
        elif head.body is None:
            lane.place = _Place.DOOMED
            self._doomed[lane] = None
        else:
            lane.place = _Place.READY
            self._ready[lane] = None
            if front:
                self._ready.move_to_end(lane, last=False)

    def _wake(self, now: float) -> None:
        while (at := self.next_wake()) is not None and at <= now:
            lane = heapq.heappop(self._waiting)[2]
            lane.not_before = 0.0
            self._place(lane, front=False)

    def _shed_departed(self) -> None:
        """Drop heap entries of lanes whose waiting head was revoked: they have moved on."""
        while self._waiting:
            _, turn, lane = self._waiting[0]
            if lane.place is _Place.WAITING and lane.turn == turn:
                return
            heapq.heappop(self._waiting)
