"""What a process remembers of the records that Lambda gave it, and will give it again.

Lambda repeats the first unsettled record and all behind it, also those that are stored. What this
process settled is not sent again; what it tried goes on to count its tries.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from consumer.core.backlog.queued_event import QueuedEvent, Tries

MOST: Final = 20_000
SECONDS: Final = 3_600.0
"""How many events are remembered as settled, and for how long; the same for tried ones."""

Name = tuple[str, str]
"""What is remembered: a record's eventID, and the event type of one of its events."""


class _Tried(NamedTuple):
    attempts: int
    tries: Tries
    company: int
    postponed: int
    first_attempt: float | None


class SettledMemory:
    """Remembers the newest events. All times are in seconds of the injected clock."""

    def __init__(self, most: int = MOST, seconds: float = SECONDS) -> None:
        self._most = most
        self._seconds = seconds
        self._settled: OrderedDict[Name, float] = OrderedDict()
        self._tried: OrderedDict[Name, tuple[float, _Tried]] = OrderedDict()

    def settled(self, name: Name, now: float) -> None:
        """Remember an event as settled: stored by Nakadi, or in the dead letter queue."""
        self._tried.pop(name, None)
        self._settled[name] = now
        self._settled.move_to_end(name)
        if len(self._settled) > self._most:
            self._settled.popitem(last=False)

    def is_settled(self, name: Name, now: float) -> bool:
        """Return whether an event is remembered as settled."""
        at = self._settled.get(name)
        return at is not None and now - at < self._seconds

    def tried(self, name: Name, event: QueuedEvent[object], now: float) -> None:
        """Remember the tries of an event that is not settled, if there were any.

        One that can never be published is never sent, but is postponed where there are too many.
        """
        if not (event.attempts or event.postponed):
            return
        self._tried[name] = (
            now,
            _Tried(
                event.attempts, event.tries, event.company, event.postponed, event.first_attempt
            ),
        )
        self._tried.move_to_end(name)
        if len(self._tried) > self._most:
            self._tried.popitem(last=False)

    def resume(self, name: Name, event: QueuedEvent[object], now: float) -> None:
        """Give an event the tries that it had, if they are remembered."""
        at, tried = self._tried.get(name, (now - self._seconds, None))
        if tried is None or now - at >= self._seconds:
            return
        event.attempts, event.tries, event.company = tried.attempts, tried.tries, tried.company
        event.postponed, event.first_attempt = tried.postponed, tried.first_attempt
