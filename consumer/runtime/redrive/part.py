"""The part of a redrive that publishes to one event type.

Ownership: it is the origin of the events of its route. Its outlet sends them as that of the service
does, the events of a key one after the other, by sequence. A refused one does not hold up the
others, as when it became a dead letter. It decides when nothing more can be sent to its event type;
the other event types go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import structlog
from msgspec.structs import replace

from consumer.core.backlog.queued_event import EventState, QueuedEvent
from consumer.core.publishing.early_end import PATIENCE_SECONDS, dead_end
from consumer.core.publishing.logged_detail import logged_detail
from consumer.runtime.publishing.dispatcher import Dispatcher
from consumer.runtime.publishing.event_type import EventType
from consumer.runtime.publishing.outlet import Outlet
from consumer.runtime.publishing.sender import Sender

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.core.dead_letters.redrive import Deliverable, RouteEvent
    from consumer.core.publishing.reaction import Refused
    from consumer.core.routes.route import Route
    from consumer.ports import Publisher
    from consumer.runtime.instruments import Instruments

log = structlog.get_logger()

WHEN_STOPPED = "this run sends it nothing more, and its letters stay in the queue"
"""What a stop of the event type means for a redrive. The log line begins with what ends it."""


class Letters(Protocol):
    """The window's letters, as a part sees them: may they be sent, and what became of them?"""

    def pause(self, now: float) -> float:
        """Return the seconds for which nothing may be sent."""
        ...

    def may_send(self, letter: Deliverable, now: float) -> bool:
        """Return whether an event of this letter may be sent."""
        ...

    def accepted(self, event_type: str, letters: Sequence[Deliverable]) -> None:
        """Take note that an event of each of these letters was stored."""
        ...

    def refused(self, event_type: str, letter: Deliverable, reason: str, told: str) -> bool:
        """Take note that an event of a letter was refused. Return whether it is to be logged.

        `told` is the reason with Nakadi's words.
        """
        ...

    def returned(self) -> None:
        """Take note that a request has failed: the part may have to end."""
        ...


class Part:
    """Sends windows one after the other; the state of the event type is kept between them.

    `ended` says why nothing more is sent to it.
    """

    def __init__(
        self, route: Route, port: Publisher, letters: Letters, instruments: Instruments
    ) -> None:
        self._letters = letters
        self._clock = instruments.clock
        # A redrive publishes events of any age. Outside of lanes there is one request at a time,
        # since the calls of the queue take longer, and a request has one event of a key, so that
        # a refused one does not hold up another.
        limits = replace(route.limits, max_record_age=None, concurrency=1, key_run_events=1)
        self._event_type = EventType(
            replace(route, limits=limits),
            instruments.clock,
            instruments.chance,
            when_stopped=WHEN_STOPPED,
        )
        self._outlet: Outlet[Deliverable] = Outlet(self._event_type, self)
        self._sender = Sender(self._outlet, port, instruments)
        self._events: list[QueuedEvent[Deliverable]] = []
        self._progress_at = 0.0
        self.ended: str | None = None

    @property
    def event_type(self) -> str:
        """The name of the event type."""
        return self._event_type.name

    @property
    def left(self) -> int:
        """The number of events that are not settled."""
        return self._outlet.queue.events

    @property
    def resent(self) -> int:
        """The number of events that were sent again because an answer was lost."""
        return self._event_type.unknown

    def begin(self, events: Iterable[tuple[Deliverable, RouteEvent]]) -> Dispatcher[Deliverable]:
        """Queue the events of a window, in the order of each key. Return what sends them."""
        now = self._clock.now()
        self._events = [
            QueuedEvent(letter, made.event, self.event_type, made.key, made.event.created_at, now)
            for letter, made in sorted(events, key=_place)
        ]
        for event in self._events:
            self._outlet.queue.push(event)
        self._progress_at = now
        return Dispatcher(self._outlet, self._sender, self._clock)

    def wake(self) -> None:
        """Have it decided again whether something may be sent."""
        self._outlet.changed.notify()

    def decide_end(self) -> None:
        """Decide whether nothing more can be sent."""
        if self.ended is None and self.left:
            idle = self._clock.now() - self._progress_at
            self.ended = dead_end(self._event_type.flow, self._event_type.trouble.last, idle)

    def give_up(self) -> list[Deliverable]:
        """Remove all events. Return the letters of those that were not settled."""
        left = [event for event in self._events if event.state is EventState.QUEUED]
        for event in left:
            event.state = EventState.REVOKED
        self._outlet.remove(left)
        return [event.of for event in left]

    # The methods of Origin, which the outlet and its sender call.

    def pause(self, now: float) -> float:
        """Return the seconds for which nothing may be sent."""
        return PATIENCE_SECONDS if self.ended is not None else self._letters.pause(now)

    def may_send(self, event: QueuedEvent[Deliverable], now: float) -> bool:
        """Return whether it may be sent."""
        return self.ended is None and self._letters.may_send(event.of, now)

    def settled(self, events: Sequence[QueuedEvent[Deliverable]]) -> None:
        """Tell the window that Nakadi has stored these events."""
        self._progress_at = self._clock.now()
        self._letters.accepted(self.event_type, [event.of for event in events])

    def returned(self, event: QueuedEvent[Deliverable]) -> None:
        """Wake the window after a request of this event has failed."""
        if event.attempts:
            self._letters.returned()

    def refused(self, event: QueuedEvent[Deliverable], why: Refused, flow_id: str | None) -> None:
        """Leave the message in the queue, and count it. The letter is not changed."""
        letter = event.of.letter
        attempts = letter.attempts + event.attempts
        detail = logged_detail(why.detail, event.body)
        self._progress_at = self._clock.now()
        told = _why_refused(why.reason, detail, attempts)
        is_news = self._letters.refused(self.event_type, event.of, why.reason, told)
        self._outlet.discard(event)
        if is_news:
            log.error(
                "event_refused",
                message=event.of.message_id,
                event_type=self.event_type,
                shard=letter.shard_id,
                sequence=event.content.sequence,
                reason=why.reason,
                attempts=attempts,
                receptions=event.of.receptions,
                flow_id=flow_id,
                detail=detail,
                action="remove the cause that reason and detail name, then redrive again; the "
                "letter stays in the queue as it was",
            )


def _why_refused(reason: str, detail: str, attempts: int) -> str:
    """Return the reason with Nakadi's words, which the report may cut off.

    They are those of the log: what a scheduled redrive prints is kept like a log.
    """
    tried = f"{reason}, tried {attempts} times"
    return f"{tried}: {detail}" if detail else tried


def _place(sent: tuple[Deliverable, RouteEvent]) -> tuple[str, int]:
    """Return the place of an event: its stream, whose ARN ends in its time, then its sequence."""
    letter, made = sent
    return letter.letter.stream_arn, made.event.sequence
