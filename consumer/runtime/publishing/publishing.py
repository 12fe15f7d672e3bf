"""Publishing: everything between the readers of one worker and Nakadi.

Ownership: it builds backlog, outlets, dispatchers and the dead letter sender, and owns the group in
which they run.
"""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import TYPE_CHECKING

from consumer.runtime.publishing.backlog import Backlog
from consumer.runtime.publishing.dead_letters import DeadLetterSender
from consumer.runtime.publishing.definition_watch import DefinitionWatch
from consumer.runtime.publishing.dispatcher import Dispatcher
from consumer.runtime.publishing.event_type import EventType
from consumer.runtime.publishing.outlet import Outlet
from consumer.runtime.publishing.sender import Sender
from consumer.runtime.publishing.shared_slots import SharedSlots
from consumer.runtime.publishing.stream_origin import StreamOrigin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.backlog.ticket import SendingLimit
    from consumer.core.publishing.placement import Partitioning
    from consumer.core.routes.route import Route
    from consumer.ports import DeadLetterQueue, Definition, Publisher
    from consumer.runtime.instruments import Instruments


class Publishing:
    """The parts of publishing. Readers use `backlog`; `/status` shows `event_types`.

    `unfit` are the definitions that cannot take their route's events: nothing is sent to those
    event types until theirs has changed.

    With `earlier` it goes on in the state in which an earlier one ended: what is known of the event
    types, and the limit of dead letters. `letters_until` is until when letters may be sent, if that
    is another time than the `fence`.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        publishers: Mapping[str, Publisher],
        dead_letter_queue: DeadLetterQueue | None,
        queue_bytes: int,
        fence: SendingLimit,
        instruments: Instruments,
        partitionings: Mapping[str, Partitioning],
        unfit: Mapping[str, Definition] = MappingProxyType({}),
        *,
        earlier: Publishing | None = None,
        letters_until: SendingLimit | None = None,
    ) -> None:
        clock, chance = instruments.clock, instruments.chance
        self.backlog = Backlog(queue_bytes, instruments.metrics)
        self.event_types: tuple[EventType, ...] = (
            earlier.event_types
            if earlier is not None
            else tuple(
                EventType(
                    route,
                    clock,
                    chance,
                    partitionings.get(route.event_type),
                    event_types=len(routes),
                )
                for route in routes
            )
        )
        self.dead_letters: DeadLetterSender = DeadLetterSender(
            dead_letter_queue,
            self.backlog,
            letters_until or fence,
            instruments,
            None if earlier is None else earlier.dead_letters.unreadable,
        )
        origin = StreamOrigin(self.backlog, self.dead_letters, fence, instruments)
        for event_type in self.event_types:
            self.backlog.add_outlet(Outlet(event_type, origin))
        outlets = self.backlog.outlets
        slots = SharedSlots(
            max(outlet.limits.concurrency for outlet in outlets.values()),
            {name: outlet.changed for name, outlet in outlets.items()},
        )
        self._dispatchers = [
            Dispatcher(outlet, Sender(outlet, publishers[name], instruments), clock, slots)
            for name, outlet in outlets.items()
        ]
        self._watches = [
            DefinitionWatch(outlet.event_type, unfit[name], outlet.changed.notify)
            for name, outlet in outlets.items()
            if name in unfit
        ]

    @property
    def busy(self) -> bool:
        """Whether a request to Nakadi or to the dead letter queue is under way."""
        return self.dead_letters.calling or any(each.busy for each in self._dispatchers)

    def stored(self) -> frozenset[str]:
        """Return the event types in which an event was stored since the start."""
        return frozenset(each.name for each in self.event_types if each.published)

    async def run(self) -> None:
        """Send the events of the backlog, and dead letters of refused ones, until stopped."""
        async with asyncio.TaskGroup() as tasks:
            for dispatcher in self._dispatchers:
                tasks.create_task(dispatcher.run())
            for watch in self._watches:
                tasks.create_task(watch.run())
            tasks.create_task(self.dead_letters.run())

    def stop(self) -> None:
        """End `run` without waiting for requests in flight: every shard has been released."""
        for dispatcher in self._dispatchers:
            dispatcher.stop()
        for watch in self._watches:
            watch.stop()
        self.dead_letters.stop()
