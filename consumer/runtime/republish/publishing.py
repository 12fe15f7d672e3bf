"""Publishing of items that were read: a batch at a time, until each event is stored or refused.

Ownership: it has a part for each event type; they send at the same time and share one limit. When
`publish` returns, or raises, nothing is in flight. An event type that is stopped or down ends the
run: what was read is not kept, and a run that resumes reads it again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from consumer.core.publishing.early_end import CALLED_OFF
from consumer.core.republish.outcome import Outcome
from consumer.observability.conditions import Conditions
from consumer.observability.metrics import Metrics
from consumer.runtime.instruments import Instruments
from consumer.runtime.republish.part import Part, Pending
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.event.event import Event
    from consumer.core.republish.item_events import ItemEvents
    from consumer.core.republish.rate_limit import RateLimit
    from consumer.core.republish.table.read_item import ReadItem
    from consumer.core.routes.route import Route
    from consumer.ports import Chance, Clock, Publisher
    from consumer.runtime.publishing.dispatcher import Dispatcher

NAP_SECONDS = 1.0
"""Longest pause between two looks at whether the run must end."""


class RepublishEnded(Exception):
    """The run must end. `outcomes` are those of the items of the batch that were settled.

    `stored` counts the events that are stored of the others.
    """

    def __init__(self, why: str, outcomes: Sequence[Outcome], stored: int = 0) -> None:
        super().__init__(why)
        self.outcomes = outcomes
        self.stored = stored


class Republisher:
    """Publishes items to the event types of the routes that take part.

    `limit` is in events a second, for all event types together.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        publishers: Mapping[str, Publisher],
        events: ItemEvents,
        limit: RateLimit,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._events = events
        instruments = Instruments(clock, chance, Metrics(), Conditions(clock.now))
        self._parts = {
            route.event_type: Part(route, publishers[route.event_type], self, limit, instruments)
            for route in routes
        }
        self._signal = Signal()
        self._ending: str | None = None

    @property
    def ending(self) -> str | None:
        """Why nothing more is sent, None while the run goes on."""
        return self._ending

    def stop(self) -> None:
        """End after the requests in flight (SIGTERM or SIGINT)."""
        self._ending = self._ending or CALLED_OFF
        self._signal.notify()

    def moved(self) -> None:
        """Take note that an event was settled, or that a request has failed."""
        self._signal.notify()

    async def publish(self, items: Sequence[ReadItem]) -> list[Outcome]:
        """Publish S or D of these items; return what became of each, in their order.

        Return when each event is stored or refused. Raise RepublishEnded.
        """
        pendings: list[Pending] = []
        events: dict[str, list[tuple[Pending, Event]]] = {}
        for item in items:
            made = self._events.made_of(item)
            pending = Pending(item, len(made.events), refusals=[*made.refusals])
            pendings.append(pending)
            for each in made.events:
                events.setdefault(each.event_type, []).append((pending, each.event))
        parts = [self._parts[event_type] for event_type in events]
        sending = [part.begin(its) for part, its in zip(parts, events.values(), strict=True)]
        await self._send(parts, sending)
        outcomes = [_outcome(pending) for pending in pendings if not pending.left]
        if self._ending is not None and len(outcomes) < len(pendings):
            stored = sum(pending.stored for pending in pendings if pending.left)
            raise RepublishEnded(self._ending, outcomes, stored)
        return outcomes

    async def _send(self, parts: Sequence[Part], sending: Sequence[Dispatcher[Pending]]) -> None:
        """Send until nothing is left, or the run ends; then nothing is in flight."""
        async with asyncio.TaskGroup() as tasks:
            for dispatcher in sending:
                tasks.create_task(dispatcher.run())
            while self._left(parts) or any(dispatcher.busy for dispatcher in sending):
                await self._signal.wait(NAP_SECONDS)
                self._decide(parts)
            for dispatcher in sending:
                dispatcher.stop()

    def _left(self, parts: Sequence[Part]) -> bool:
        return self._ending is None and any(part.left for part in parts)

    def _decide(self, parts: Sequence[Part]) -> None:
        for part in parts:
            self._ending = self._ending or part.why_end()
        if self._ending is not None:
            for part in parts:
                part.wake()


def _outcome(pending: Pending) -> Outcome:
    item = pending.item
    return Outcome(item.keys, pending.stored, tuple(pending.refusals), gone=item.item is None)
