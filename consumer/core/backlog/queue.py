"""KeyOrderedQueue: a first-in-first-out queue for each ordering key, and lists of ready keys.

Rules
- A key with an event in flight is not ready: at most one request carries events of a key.
- A batch takes the head of each of many ready keys, in the order in which they became ready, and
  ends at the first head that does not fit, by its bytes or because it travels in less company. With
  `run` > 1 it takes up to that many of each key.
- Events in flight stay at the head of their key until they are settled or given back, so no event
  can pass them. A run is settled from its head on.
- Only a failure of the event itself makes its key wait (`not_before`). A failure of the whole
  request puts its keys back at the front.
- A revoked event in flight keeps its key busy until its request ends; then it leaves the queue.
- A key's queue is in one place at a time, which depends on its head; an empty queue is removed.
- Ready keys are in the list of their destination: ANYWHERE; a partition with a lane; DEAD_LETTER,
  if the head can never be published; or NOWHERE, if it has to wait. `take` moves a head to another
  list when it meets it, so that nothing is sorted while there is no lane.
- An illegal move raises ValueError and changes nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from enum import Enum, auto
from itertools import groupby
from math import inf
from typing import TYPE_CHECKING, Generic

from consumer.core.backlog.event_ages import EventAges
from consumer.core.backlog.key_queue import IDLE, READY, WAITING, KeyQueue
from consumer.core.backlog.queued_event import EVENT_BYTES, IN_FLIGHT, QUEUED, SETTLED, Of_co
from consumer.core.backlog.waiting_keys import WaitingKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from consumer.core.backlog.queued_event import QueuedEvent

    Sort = Callable[[QueuedEvent[Of_co]], "Destination | str | None"]


class Destination(Enum):
    """Where ready events go, if they do not travel in a lane."""

    ANYWHERE = auto()
    DEAD_LETTER = auto()
    NOWHERE = auto()


ANYWHERE = Destination.ANYWHERE
DEAD_LETTER = Destination.DEAD_LETTER
NOWHERE = Destination.NOWHERE

To = Destination | str  # a partition's name is text

SORTED_AT_ONCE = 2_000
"""Most keys that one `take` moves to other lists: it blocks the loop for about 10 ms of that."""


class KeyOrderedQueue(Generic[Of_co]):
    """Events of one event type, in order per key.

    `events`, `bytes` (their cost in memory) and `ages` are of what was pushed and has not left it.
    """

    def __init__(self) -> None:
        self._keys: dict[str, KeyQueue[Of_co]] = {}
        self._ready: dict[To, OrderedDict[KeyQueue[Of_co], None]] = {
            ANYWHERE: OrderedDict(),
            DEAD_LETTER: OrderedDict(),
        }
        self._anywhere = self._ready[ANYWHERE]
        self._waiting: WaitingKeys[Of_co] = WaitingKeys()
        self._flying: dict[KeyQueue[Of_co], None] = {}
        self._ready_since = inf
        self.events = 0
        self.bytes = 0
        self.ages = EventAges()

    def __len__(self) -> int:
        return self.events

    def ready(self, to: To = ANYWHERE) -> int:
        """Return how many keys have a head that may go to this destination now."""
        return len(self._ready.get(to, ()))

    @property
    def ready_since(self) -> float:
        """Since when the oldest of the heads that are ready for ANYWHERE has been queued.

        After a `take` that left heads behind, that of the first of them.
        """
        return self._ready_since

    @property
    def ready_bytes(self) -> float:
        """Estimated body bytes of the heads that are ready for ANYWHERE, from the average event."""
        if not self.events:
            return 0.0
        return len(self._anywhere) * (self.bytes / self.events - EVENT_BYTES)

    def leads(self, event: QueuedEvent[Of_co]) -> bool:
        """Return whether the event is the head of its key: only the head may be sent."""
        key_queue = self._keys.get(event.key)
        return key_queue is not None and key_queue.first is event

    def pending(self, key: str) -> int:
        """Return how many events of a key are in the queue."""
        return self._keys[key].length if key in self._keys else 0

    def in_flight(self) -> Iterator[QueuedEvent[Of_co]]:
        """Yield the events in flight: they are in a request, or become dead letters."""
        for key_queue in self._flying:
            yield from key_queue.flying()

    def oldest(self, key: str) -> QueuedEvent[Of_co] | None:
        """Return the head of a key, None if the key has no event."""
        key_queue = self._keys.get(key)
        return None if key_queue is None else key_queue.first

    def push(self, event: QueuedEvent[Of_co]) -> int:
        """Append an event to its key. Return how many events of that key are in the queue now."""
        key_queue = self._keys.get(event.key)
        if key_queue is None:
            key_queue = self._keys[event.key] = KeyQueue(event.key)
        key_queue.append(event)
        self.events += 1
        self.bytes += event.cost
        self.ages.add(event.created_at)
        if key_queue.place is IDLE and not key_queue.in_flight:
            self._place(key_queue, front=False)
        return key_queue.length

    def take(
        self,
        to: To,
        now: float,
        events: int,
        size: int,
        run: int = 1,
        *,
        sort: Sort[Of_co] | None = None,
    ) -> list[QueuedEvent[Of_co]]:
        """Take the next batch for a destination: at most `events` of them and `size` body bytes.

        A head larger than `size` goes alone. All returned events are in flight. `sort` returns the
        partition in whose lane a head has to travel, or NOWHERE, or None: all but the last are
        moved to that list. After `SORTED_AT_ONCE` of them the batch ends, even if it is not full.
        """
        letters = to is DEAD_LETTER
        if not letters:
            self._wake(now)
        batch: list[QueuedEvent[Of_co]] = []
        ready = self._ready.get(to)
        room, to_sort = size, SORTED_AT_ONCE
        while ready and len(batch) < events and to_sort:
            key_queue = next(iter(ready))
            event = key_queue.first
            if sort is not None and event is not None and (name := sort(event)) is not None:
                del ready[key_queue]
                self._stand(key_queue, name)
                to_sort -= 1
                continue
            taken = 0
            while event is not None and taken < run and len(batch) < events:
                body = event.body
                if (body is None) is not letters:
                    break  # it goes elsewhere once it is the head
                length = 0 if body is None else len(body)
                if (length > room and batch) or event.company <= len(batch):
                    break
                event.state = IN_FLIGHT
                events = min(events, event.company)
                room -= length
                batch.append(event)
                taken += 1
                event = event.next_of_key
            if not taken:
                break
            del ready[key_queue]
            key_queue.place = IDLE
            key_queue.in_flight = taken
            self._flying[key_queue] = None
        if to is ANYWHERE:
            left = next(iter(self._anywhere), None)
            self._ready_since = inf if left is None else left.queued_at
        return batch

    def rejoin(self, to: To) -> None:
        """Move the keys of this list to ANYWHERE: the partition's lane is closed, or they go on."""
        for key_queue in self._ready.pop(to, ()):
            self._stand(key_queue, ANYWHERE)

    def settle(self, event: QueuedEvent[Of_co]) -> None:
        """Remove an event in flight: it is settled. Raises ValueError unless it is the head."""
        key_queue = self._keys.get(event.key)
        if key_queue is None or key_queue.first is not event or not key_queue.in_flight:
            raise ValueError(f"event {event.content.sequence} is not the head in flight of its key")
        key_queue.unlink(event)
        self._discount(event)
        if event.state is IN_FLIGHT:  # it may be revoked meanwhile
            event.state = SETTLED
        self._land(key_queue, front=False)

    def give_back(
        self, event: QueuedEvent[Of_co], not_before: float = 0.0, *, front: bool = False
    ) -> None:
        """Return an event in flight to the queue, unsent or failed; it keeps its position.

        It is not sent again before `not_before`. A revoked event leaves the queue. Of a run that is
        not settled, all events are given back, or all behind one that stays in flight, before
        anything else happens to the key. Raises ValueError if the event is not in flight.
        """
        key_queue = self._keys.get(event.key)
        if key_queue is None or not key_queue.in_flight or event.state in (QUEUED, SETTLED):
            raise ValueError(f"event {event.content.sequence} is not in flight")
        if event.state is IN_FLIGHT:
            event.state = QUEUED
            key_queue.not_before = max(key_queue.not_before, not_before)
        else:
            key_queue.unlink(event)
            self._discount(event)
        self._land(key_queue, front=front)

    def put_back(self, events: Sequence[QueuedEvent[Of_co]]) -> None:
        """Give back all events of a request: their keys go to the front, in the order they had."""
        runs = [list(run) for _, run in groupby(events, key=lambda event: event.key)]
        for run in reversed(runs):
            for event in run:
                self.give_back(event, front=True)

    def remove(self, events: Iterable[QueuedEvent[Of_co]]) -> int:
        """Remove revoked events and return the bytes freed.

        Those in flight stay until their request ends.
        """
        before = self.bytes
        for key in dict.fromkeys(event.key for event in events):
            key_queue = self._keys.get(key)
            if key_queue is not None:
                self._sift(key_queue)
        return before - self.bytes

    def next_wake(self) -> float | None:
        """Return when the earliest waiting key becomes ready, None if none waits."""
        return self._waiting.next_at()

    def _sift(self, key_queue: KeyQueue[Of_co]) -> None:
        head = key_queue.first
        for event in key_queue.sift():
            self._discount(event)
        if key_queue.first is not head:  # then none was in flight
            if key_queue.place is READY and key_queue.stands_in is not None:
                del key_queue.stands_in[key_queue]
            key_queue.not_before = 0.0
            self._place(key_queue, front=False)

    def _discount(self, event: QueuedEvent[Of_co]) -> None:
        self.events -= 1
        self.bytes -= event.cost
        self.ages.remove(event.created_at)

    def _stand(self, key_queue: KeyQueue[Of_co], to: To) -> None:
        ready = self._anywhere if to is ANYWHERE else self._ready.get(to)
        if ready is None:
            ready = self._ready[to] = OrderedDict()
        key_queue.place = READY
        key_queue.stands_in = ready
        ready[key_queue] = None
        if to is ANYWHERE and (since := key_queue.queued_at) < self._ready_since:
            self._ready_since = since

    def _place(self, key_queue: KeyQueue[Of_co], *, front: bool) -> None:
        head = key_queue.first
        if head is None:
            key_queue.place = IDLE
            del self._keys[key_queue.key]
        elif key_queue.not_before:
            key_queue.place = WAITING
            self._waiting.add(key_queue)
        elif head.body is None:
            self._stand(key_queue, DEAD_LETTER)
        else:
            self._stand(key_queue, ANYWHERE)
            if front:
                self._anywhere.move_to_end(key_queue, last=False)

    def _land(self, key_queue: KeyQueue[Of_co], *, front: bool) -> None:
        key_queue.in_flight -= 1
        if not key_queue.in_flight:
            del self._flying[key_queue]
            self._place(key_queue, front=front)

    def _wake(self, now: float) -> None:
        while (key_queue := self._waiting.pop(now)) is not None:
            key_queue.not_before = 0.0
            self._place(key_queue, front=False)
