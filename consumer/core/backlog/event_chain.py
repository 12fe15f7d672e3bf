"""A chain: the unsettled events of one event type in one shard, in the order of their records.

Every move takes constant time. An event is in one chain at most; once it has left, nothing of the
chain refers to it, so that what is settled can be freed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.backlog.ticket import Ticket


class EventChain:
    """`first` is the oldest unsettled event of the event type, None if all are settled."""

    __slots__ = ("first", "last")

    def __init__(self) -> None:
        self.first: QueuedEvent[Ticket] | None = None
        self.last: QueuedEvent[Ticket] | None = None

    def __iter__(self) -> Iterator[QueuedEvent[Ticket]]:
        """Yield its events, the oldest first."""
        event = self.first
        while event is not None:
            yield event
            event = event.after

    def append(self, event: QueuedEvent[Ticket]) -> None:
        """Add an event of the newest record."""
        event.before = self.last
        if self.last is None:
            self.first = event
        else:
            self.last.after = event
        self.last = event

    def remove(self, event: QueuedEvent[Ticket]) -> None:
        """Take an event out: it is settled or revoked."""
        before, after = event.before, event.after
        if before is None:
            self.first = after
        else:
            before.after = after
        if after is None:
            self.last = before
        else:
            after.before = before
        event.before = event.after = None
