"""The keys that wait: their heads have failed, and are not to be sent before a time."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Generic

from consumer.core.backlog.key_queue import Place
from consumer.core.backlog.queued_event import Of_co

if TYPE_CHECKING:
    from consumer.core.backlog.key_queue import KeyQueue


class WaitingKeys(Generic[Of_co]):
    """Queues of keys by the time until which they wait; those of one time in the order added."""

    def __init__(self) -> None:
        # An entry may be outdated: its key waits no longer, or has a newer entry.
        self._entries: list[tuple[float, int, KeyQueue[Of_co]]] = []
        self._turns = 0

    def add(self, key_queue: KeyQueue[Of_co]) -> None:
        """Add a key's queue that waits until its `not_before`."""
        self._turns += 1
        key_queue.turn = self._turns
        heapq.heappush(self._entries, (key_queue.not_before, key_queue.turn, key_queue))

    def next_at(self) -> float | None:
        """Return the earliest time until which a key waits, None if none waits."""
        while self._entries:
            at, turn, key_queue = self._entries[0]
            if key_queue.place is Place.WAITING and key_queue.turn == turn:
                return at
            heapq.heappop(self._entries)  # its head was revoked
        return None

    def pop(self, now: float) -> KeyQueue[Of_co] | None:
        """Remove the first key that waits no longer at `now`, and return it; None if all wait."""
        at = self.next_at()
        return None if at is None or at > now else heapq.heappop(self._entries)[2]
