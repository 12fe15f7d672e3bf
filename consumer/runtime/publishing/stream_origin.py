"""The origin of events that come from the stream: fence, backlog, dead letters.

Ownership: it tells outlets which events may be sent, and the backlog what has happened to them; it
decides nothing about requests. An event may be sent while its shard's tenure lasts and the fence
holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.core.backlog.ticket import is_ours
from consumer.core.publishing.logged_detail import logged_detail
from consumer.core.publishing.reaction import EXPIRED
from consumer.runtime.publishing.hot_keys import HotKeys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.backlog.ticket import SendingLimit, Ticket
    from consumer.core.publishing.reaction import Refused
    from consumer.runtime.instruments import Instruments
    from consumer.runtime.publishing.backlog import Backlog
    from consumer.runtime.publishing.dead_letters import DeadLetterSender

log = structlog.get_logger()

FENCE_PAUSE = 0.2
"""Seconds between checks of a fence that has passed; a successful heartbeat renews it."""


class StreamOrigin:
    """The Origin of all events that a process reads from the stream."""

    def __init__(
        self,
        backlog: Backlog,
        dead_letters: DeadLetterSender,
        fence: SendingLimit,
        instruments: Instruments,
    ) -> None:
        self._backlog = backlog
        self._dead_letters = dead_letters
        self._fence = fence
        self._clock = instruments.clock
        self._hot_keys = HotKeys(instruments.metrics, instruments.conditions)

    def pause(self, now: float) -> float:
        """Return the seconds for which nothing may be sent: 0 while the fence holds."""
        return 0.0 if self._fence.holds(now, self._fence.epoch) else FENCE_PAUSE

    def may_send(self, event: QueuedEvent[Ticket], now: float) -> bool:
        """Return whether this worker may still send the event."""
        return is_ours(event, self._fence, now)

    def settled(self, events: Sequence[QueuedEvent[Ticket]]) -> None:
        """Settle events that Nakadi has accepted: at least one, and all of one event type."""
        outlet = self._backlog.outlets[events[0].event_type]
        self._hot_keys.look(events, outlet, self._clock.now())
        self._backlog.settled(events)
        self._dead_letters.unblocked(events)

    def returned(self, event: QueuedEvent[Ticket]) -> None:
        """Tell the backlog that an event is in its queue again, or has left it as revoked."""
        self._backlog.returned(event)

    def refused(self, event: QueuedEvent[Ticket], why: Refused, flow_id: str | None) -> None:
        """Pass it to the dead letter sender; without a dead letter queue it blocks its key.

        An event that was refused before, and postponed, is not logged again.
        """
        if why.reason != EXPIRED and not event.postponed:
            log.error(
                "event_refused",
                event_type=event.event_type,
                shard=event.of.tenure.shard_id,
                sequence=event.of.sequence,
                reason=why.reason,
                attempts=event.attempts,
                flow_id=flow_id,
                detail=logged_detail(why.detail, event.body),
                action="remove the cause that the reason and the letter's detail name, then run "
                "`consumer redrive`; without a dead letter queue its key waits",
            )
        self._dead_letters.accept(event, why)
