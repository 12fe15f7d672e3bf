"""Expiry: what waits too long for an event type to which nothing is sent becomes a dead letter.

Ownership: the dispatcher asks it before each of its turns. While the definition is wrong no request
is made, so that no sender meets the events that are too old. A head that is young enough is put
aside until the next look at all of them, so that between two such looks only new heads are asked.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Generic

from consumer.core.backlog.queue import ANYWHERE, NOWHERE
from consumer.core.backlog.queued_event import Of_co
from consumer.core.publishing.flow import DEFINITION
from consumer.core.publishing.reaction import EXPIRED, Refused

if TYPE_CHECKING:
    from consumer.core.backlog.queue import Destination
    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.ports import Clock
    from consumer.runtime.publishing.outlet import Outlet

TOGETHER = 100
"""Most events that are given up and not yet in the dead letter queue."""

PAUSE = 0.2
"""Seconds after which events are asked again that may not be given up yet."""

TOO_OLD = Refused(EXPIRED, "older than the limit")

_ANY_SIZE = 1 << 62


class Expiry(Generic[Of_co]):
    """Gives up the events of one outlet that are older than its limit."""

    def __init__(self, outlet: Outlet[Of_co], clock: Clock) -> None:
        self._outlet = outlet
        self._clock = clock
        self._all_at: float | None = None  # when all heads are looked at again

    def look(self) -> float:
        """Give up what is too old; return the seconds after which to look again, 0: at once."""
        outlet, now = self._outlet, self._clock.now()
        if outlet.limits.max_record_age is None or outlet.event_type.flow.reason != DEFINITION:
            if self._all_at is not None:
                outlet.queue.rejoin(NOWHERE)
                self._all_at = None
            return inf
        if self._all_at is None or now >= self._all_at:
            outlet.queue.rejoin(NOWHERE)
            self._all_at = now + outlet.limits.probe
        pause = outlet.origin.pause(now)
        if pause > 0:
            return pause
        room = TOGETHER - sum(1 for _ in outlet.queue.in_flight())
        if room > 0 and not self._give_up(room, now):
            return PAUSE
        if room > 0 and outlet.queue.ready():
            return 0.0
        return self._all_at - now  # what has become a letter makes its outlet look at once

    def _give_up(self, most: int, now: float) -> bool:
        """Give up at most `most` events that are too old; False: one could not be."""
        outlet = self._outlet
        oldest = outlet.limits.expired_before(self._clock.wall())

        def to(event: QueuedEvent[Of_co]) -> Destination | None:
            return None if event.created_at < oldest else NOWHERE

        done = True
        for event in outlet.queue.take(ANYWHERE, now, most, _ANY_SIZE, sort=to):
            if outlet.origin.may_send(event, now):
                outlet.origin.refused(event, TOO_OLD, None)
            else:
                outlet.give_back(event)
                done = False
        return done
