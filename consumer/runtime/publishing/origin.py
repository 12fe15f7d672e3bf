"""The origin of events: it puts events into an outlet, and is told what happens to each.

Rule: these are plain calls. `may_send` is called right before each request, with no await in
between; a refused event stays in flight until its origin settles it or gives it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.publishing.reaction import Refused

Of_contra = TypeVar("Of_contra", contravariant=True)


class Origin(Protocol[Of_contra]):
    """There is one for events of the stream, and one for the dead letters of a redrive."""

    def pause(self, now: float) -> float:
        """Return the seconds for which nothing may be sent; 0 if something may be sent now."""
        ...

    def may_send(self, event: QueuedEvent[Of_contra], now: float) -> bool:
        """Return whether this event may be sent at `now` (injected clock)."""
        ...

    def settled(self, events: Sequence[QueuedEvent[Of_contra]]) -> None:
        """Take note that Nakadi has accepted these events, which have left the queue."""
        ...

    def returned(self, event: QueuedEvent[Of_contra]) -> None:
        """Take note that this event is in the queue again, or was revoked and has left it."""
        ...

    def refused(self, event: QueuedEvent[Of_contra], why: Refused, flow_id: str | None) -> None:
        """Take over an event that can never be stored. `flow_id` is that of the answer, if any."""
        ...
