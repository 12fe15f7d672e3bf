"""The origin of events: what puts them into an outlet, and is told what becomes of each.

Rule: these are plain calls. `may_send` is asked right before each request, with no await in
between; a refused event stays in flight until its origin settles it or gives it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.publishing.settlement import Refused

Of_contra = TypeVar("Of_contra", contravariant=True)


class Origin(Protocol[Of_contra]):
    """Events of the stream have one, and those of dead letters that are redriven another."""

    def pause(self, now: float) -> float:
        """Return the seconds for which nothing may be sent; 0 if something may be sent now."""
        ...

    def may_send(self, event: QueuedEvent[Of_contra], now: float) -> bool:
        """May this event be sent at `now` (the injected clock)?"""
        ...

    def settled(self, events: Sequence[QueuedEvent[Of_contra]]) -> None:
        """These have been accepted, and have left the queue."""
        ...

    def returned(self, event: QueuedEvent[Of_contra]) -> None:
        """This one waits in the queue again, or has left it because it was revoked."""
        ...

    def refused(self, event: QueuedEvent[Of_contra], why: Refused, flow_id: str | None) -> None:
        """This one can never be stored. `flow_id` is that of the answer, None without one."""
        ...
