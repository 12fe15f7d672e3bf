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
- Ready lanes stand in one list, or aside: in a list for each partition that is down, into which
  `take` sorts what it meets. So nothing is sorted while no partition is down.
- An illegal move raises ValueError and changes nothing.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from itertools import groupby
from typing import TYPE_CHECKING

from consumer.core.backlog.key_queue import KeyLane, Place
from consumer.core.backlog.ticket import TICKET_BYTES, TicketState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from consumer.core.backlog.ticket import Ticket

    Ready = OrderedDict[KeyLane, None]
    Sort = Callable[[Ticket], str | None]

SORTED_AT_ONCE = 2_000
"""Most lanes that one `take` puts aside: it runs in one go, some ten milliseconds of them."""


class KeyOrderedQueue:
    """Events of all shards of this process, in order per key.

    `events` and `bytes` count everything pushed and neither settled nor revoked.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, KeyLane] = {}
        self._ready: Ready = OrderedDict()
        self._aside: dict[str, Ready] = {}  # by partition
        self._doomed: Ready = OrderedDict()
        self._waiting: list[tuple[float, int, KeyLane]] = []  # a lane may have left before its time
        self._turns = 0  # equal times wake in the order they came
        self.events = 0
        self.bytes = 0

    def __len__(self) -> int:
        return self.events

    @property
    def ready(self) -> int:
        """How many lanes have a head that may be sent now; those that stand aside do not count."""
        return len(self._ready)

    def ready_aside(self, partition: str) -> int:
        """How many of those stand aside for a partition."""
        return len(self._aside.get(partition, ()))

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
            lane = self._lanes[ticket.key] = KeyLane(ticket.key)
        lane.append(ticket)
        self.events += 1
        self.bytes += ticket.cost
        if lane.place is Place.IDLE and not lane.in_flight:
            self._place(lane, front=False)
        return lane.length

    def take(
        self, now: float, events: int, size: int, run: int = 1, *, sort: Sort | None = None
    ) -> list[Ticket]:
        """The next batch: at most `events` tickets and `size` body bytes; empty if none is ready.

        A head larger than `size` goes alone. All returned tickets are in flight. `sort` names the
        partition for which a head has to stand aside, None for most; where there are too many of
        them at once, the batch is short.
        """
        self._wake(now)
        return self._take(self._ready, events, size, run, sort)

    def take_aside(
        self, partition: str, now: float, events: int, size: int, run: int = 1
    ) -> list[Ticket]:
        """The next batch of those that stand aside for a partition."""
        self._wake(now)
        return self._take(self._aside.get(partition, OrderedDict()), events, size, run, None)

    def rejoin(self, partition: str) -> None:
        """Nothing has to stand aside for this partition any more."""
        for lane in self._aside.pop(partition, ()):
            self._stand(lane, self._ready)

    def _take(
        self, ready: Ready, events: int, size: int, run: int, sort: Sort | None
    ) -> list[Ticket]:
        batch: list[Ticket] = []
        room, to_sort = size, SORTED_AT_ONCE
        while ready and len(batch) < events and to_sort:
            lane = next(iter(ready))
            ticket = lane.first
            if sort is not None and ticket is not None and (name := sort(ticket)) is not None:
                del ready[lane]
                self._stand(lane, self._aside.setdefault(name, OrderedDict()))
                to_sort -= 1
                continue
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
            lane.place = Place.IDLE
            lane.in_flight = taken
        return batch

    def take_doomed(self) -> Ticket | None:
        """The next head that can never be published; it is in flight until settled."""
        lane = next(iter(self._doomed), None)
        ticket = None if lane is None else lane.first
        if lane is None or ticket is None:
            return None
        del self._doomed[lane]
        lane.place = Place.IDLE
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
        lane.unlink(ticket)
        self._discount(ticket)
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
            lane.unlink(ticket)
            self._discount(ticket)
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

    def _sift(self, lane: KeyLane) -> None:
        head = lane.first
        for ticket in lane.sift():
            self._discount(ticket)
        if lane.first is not head:  # then none was in flight
            if lane.place is Place.READY and lane.stands_in is not None:
                del lane.stands_in[lane]
            self._doomed.pop(lane, None)
            lane.not_before = 0.0
            self._place(lane, front=False)

    def _discount(self, ticket: Ticket) -> None:
        self.events -= 1
        self.bytes -= ticket.cost

    def _stand(self, lane: KeyLane, ready: Ready) -> None:
        lane.place = Place.READY
        lane.stands_in = ready
        ready[lane] = None

    def _place(self, lane: KeyLane, *, front: bool) -> None:
        head = lane.first
        if head is None:
            lane.place = Place.IDLE
            del self._lanes[lane.key]
        elif lane.not_before:
            lane.place = Place.WAITING
            self._turns += 1
            lane.turn = self._turns
            heapq.heappush(self._waiting, (lane.not_before, lane.turn, lane))
        elif head.body is None:
            lane.place = Place.DOOMED
            self._doomed[lane] = None
        else:
            self._stand(lane, self._ready)
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
            if lane.place is Place.WAITING and lane.turn == turn:
                return
            heapq.heappop(self._waiting)
