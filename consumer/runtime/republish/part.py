"""The part of a run that publishes to one event type.

Ownership: it is the origin of the events of its route. Its outlet sends them as that of the service
does, the events of an ordering key one after the other. A refused one is no dead letter and holds
up no other. It says when nothing more can be sent to its event type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from consumer.core.backlog.queued_event import QueuedEvent
from consumer.core.publishing.early_end import PATIENCE_SECONDS, dead_end
from consumer.core.publishing.logged_detail import logged_detail
from consumer.core.republish.item_event import Refusal
from consumer.runtime.publishing.dispatcher import Dispatcher
from consumer.runtime.publishing.event_type import EventType
from consumer.runtime.publishing.outlet import Outlet
from consumer.runtime.publishing.sender import Sender

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.core.event.event import Event
    from consumer.core.publishing.answer import Answer
    from consumer.core.publishing.reaction import Refused
    from consumer.core.republish.rate_limit import RateLimit
    from consumer.core.republish.table.read_item import ReadItem
    from consumer.core.routes.route import Route
    from consumer.ports import Clock, Publisher
    from consumer.runtime.instruments import Instruments

WHEN_STOPPED = "this run sends it nothing more"
"""What a stop of the event type means for a run. The log line begins with what ends it."""

TOO_MANY_REQUESTS = 429


class Pending(Struct):
    """An item of which `left` events are not settled."""

    item: ReadItem
    left: int
    stored: int = 0
    refusals: list[Refusal] = field(default_factory=list)


class Publication(Protocol):
    """The run, as a part sees it."""

    @property
    def ending(self) -> str | None:
        """Why nothing more is sent, None while the run goes on."""
        ...

    def moved(self) -> None:
        """Take note that an event was settled, or that a request has failed."""
        ...


class LimitedPublisher:
    """Publisher port that counts what is sent against a limit, and halves it on a 429."""

    def __init__(self, port: Publisher, limit: RateLimit, clock: Clock) -> None:
        self._port = port
        self._limit = limit
        self._clock = clock

    async def publish(self, bodies: Sequence[bytes]) -> Answer:
        """Send one request with these events, in this order."""
        sent_at = self._clock.now()
        self._limit.used(sent_at, len(bodies))
        answer = await self._port.publish(bodies)
        if answer.status == TOO_MANY_REQUESTS:
            self._limit.throttled(self._clock.now(), sent_at)
        return answer


class Part:
    """Sends batches one after the other; the state of the event type is kept between them."""

    def __init__(
        self,
        route: Route,
        port: Publisher,
        run: Publication,
        limit: RateLimit,
        instruments: Instruments,
    ) -> None:
        self._run = run
        self._limit = limit
        self._clock = instruments.clock
        # What is read now is of any age. One request at a time, of no more events than the limit
        # allows in a second: else a limit is a row of bursts.
        limits = replace(
            route.limits,
            max_record_age=None,
            concurrency=1,
            batch_events=max(1, min(route.limits.batch_events, int(limit.whole))),
        )
        self._event_type = EventType(
            replace(route, limits=limits),
            instruments.clock,
            instruments.chance,
            when_stopped=WHEN_STOPPED,
        )
        self._outlet: Outlet[Pending] = Outlet(self._event_type, self)
        limited = LimitedPublisher(port, limit, instruments.clock)
        self._sender = Sender(self._outlet, limited, instruments)
        self._progress_at = 0.0

    @property
    def left(self) -> int:
        """The number of events that are not settled."""
        return self._outlet.queue.events

    def begin(self, events: Iterable[tuple[Pending, Event]]) -> Dispatcher[Pending]:
        """Queue the events of a batch, in their order. Return what sends them."""
        now, name = self._clock.now(), self._event_type.name
        for pending, made in events:
            key, created_at = made.ordering_key, made.created_at
            self._outlet.queue.push(QueuedEvent(pending, made, name, key, created_at, now))
        self._progress_at = now
        return Dispatcher(self._outlet, self._sender, self._clock)

    def why_end(self) -> str | None:
        """Return why nothing more can be sent, None as long as something can."""
        if not self.left:
            return None
        idle = self._clock.now() - self._progress_at
        why = dead_end(self._event_type.flow, self._event_type.trouble.last, idle)
        return None if why is None else f"{self._event_type.name}: {why}"

    def wake(self) -> None:
        """Have it decided again whether something may be sent."""
        self._outlet.changed.notify()

    # The methods of Origin, which the outlet and its sender call.

    def pause(self, now: float) -> float:
        """Return the seconds for which nothing may be sent."""
        return PATIENCE_SECONDS if self._run.ending is not None else self._limit.wait(now)

    def may_send(
        self,
        event: QueuedEvent[Pending],  # noqa: ARG002 - the protocol's
        now: float,  # noqa: ARG002 - the protocol's
    ) -> bool:
        """Return whether it may be sent: until the run ends."""
        return self._run.ending is None

    def settled(self, events: Sequence[QueuedEvent[Pending]]) -> None:
        """Count the events that Nakadi has stored."""
        for event in events:
            event.of.stored += 1
            event.of.left -= 1
        self._progress()

    def returned(self, event: QueuedEvent[Pending]) -> None:
        """Wake the run after a request of this event has failed."""
        if event.attempts:
            self._run.moved()

    def refused(
        self,
        event: QueuedEvent[Pending],
        why: Refused,
        flow_id: str | None,  # noqa: ARG002 - the protocol's
    ) -> None:
        """Count an event that can never be stored. Its key goes on."""
        detail = logged_detail(why.detail, event.body)
        event.of.refusals.append(Refusal(self._event_type.name, why.reason, detail))
        event.of.left -= 1
        self._outlet.discard(event)
        self._progress()

    def _progress(self) -> None:
        self._progress_at = self._clock.now()
        self._run.moved()
