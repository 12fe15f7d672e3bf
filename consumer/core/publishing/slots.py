"""Slots: how many requests the event types of a worker may have in flight together.

Each event type has one slot of its own, so none has to wait for others. The further ones, up to
those that its settings allow it, come from slots that all share. With these, all event types
together have at most four times as many as one may have; but where that is not enough for a slot of
its own for each, a single busy one still finds all that it may have.

A shared slot goes to the event type that has the fewest requests in flight, of several to the one
that has waited longest. One that backs off or is stopped has one request in flight at most, which
is in its own slot.
"""

from __future__ import annotations

from collections import Counter
from itertools import count

TOGETHER = 4
"""All event types together have at most as many slots as this number of them could use."""


class Slots:
    """The slots of one worker for requests of one kind. Nothing here sends, or waits.

    `most` is how many one event type may use; the caller keeps to it.
    """

    def __init__(self, event_types: int, most: int) -> None:
        self._shared = max(most - 1, TOGETHER * most - event_types)
        self._in_use: Counter[str] = Counter()
        self._waiting: dict[str, int] = {}  # since when, as a number that rises
        self._turn = count()

    def take(self, name: str) -> bool:
        """Take a slot for an event type that has a request to send; return whether there was one.

        If there was none, the event type waits for a shared one, until it takes it or calls it off.
        """
        if not self._may_take(name):
            self._waiting.setdefault(name, next(self._turn))
            return False
        if self._in_use[name]:  # one that waits keeps its turn while it takes its own again
            self._waiting.pop(name, None)
        self._in_use[name] += 1
        return True

    def give_back(self, name: str) -> None:
        """Give back a slot: its request has ended, or there was nothing to send."""
        self._in_use[name] -= 1

    def call_off(self, name: str) -> bool:
        """Wait no longer: nothing is to be sent now. Return whether the event type did wait."""
        return self._waiting.pop(name, None) is not None

    def next(self) -> list[str]:
        """Return the event types that wait, and would be given a slot now."""
        return [name for name in self._waiting if self._may_take(name)]

    def _may_take(self, name: str) -> bool:
        if not self._in_use[name]:
            return True
        free = self._shared - sum(max(0, used - 1) for used in self._in_use.values())
        before = sum(self._rank(other) < self._rank(name) for other in self._waiting)
        return before < free

    def _rank(self, name: str) -> tuple[int, float]:
        return self._in_use[name], self._waiting.get(name, float("inf"))
