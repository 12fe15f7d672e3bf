"""The relay of a process of Lambda: it publishes one batch after the other.

Ownership: it keeps what outlasts an invocation: the state of the event types, the limit of dead
letters, and what is remembered as settled. All tasks of an invocation end with it, whatever they
do: one that were left behind would send in the next invocation, old events after new ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from consumer.core.event.items.shapes import Shapes
from consumer.core.invocation.sending_time import Next, Patience, SendingTime, next_step
from consumer.core.preflight.check_result import CheckResult
from consumer.core.routes.assembler import Assembler
from consumer.runtime.cancellation import ending_group
from consumer.runtime.invocation.batch import Batch
from consumer.runtime.publishing.publishing import Publishing
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.invocation.batch_answer import Unsettled
    from consumer.core.invocation.settled_memory import SettledMemory
    from consumer.core.invocation.stream_batch import StreamBatch
    from consumer.core.publishing.placement import Partitioning
    from consumer.core.routes.route import Route
    from consumer.ports import DeadLetterQueue, Definition, Publisher
    from consumer.runtime.instruments import Instruments
    from consumer.runtime.publishing.event_type import EventType

NAP_SECONDS: Final = 0.2
"""Longest pause between two looks at whether the invocation has to end."""


class RelayLimits(Struct, frozen=True):
    """The longest request to Nakadi and to the queue, and the longest time without progress.

    These are in seconds. `queue_bytes` is the memory for events; `start` is in epoch seconds, None
    for all records.
    """

    publish: float
    letter: float
    patience: float
    queue_bytes: int
    start: float | None = None


class Relay:
    """Publishes the batches of one process. `publishers` are by event type, like the others.

    `unfit` are the definitions that cannot take their route's events. They are asked again in later
    invocations, and nothing is sent to those event types meanwhile.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        publishers: Mapping[str, Publisher],
        dead_letter_queue: DeadLetterQueue | None,
        partitionings: Mapping[str, Partitioning],
        unfit: Mapping[str, Definition],
        limits: RelayLimits,
        memory: SettledMemory,
        instruments: Instruments,
    ) -> None:
        # A batch is all that there is: there is nothing to wait for that would fill a request.
        self._routes = [replace(each, limits=replace(each.limits, linger=0.0)) for each in routes]
        self._publishers = publishers
        self._queue = dead_letter_queue
        self._partitionings = partitionings
        self._unfit = {**unfit}
        self._limits = limits
        self._memory = memory
        self._instruments = instruments
        self._clock = instruments.clock
        self._shapes = Shapes()
        self._assemblers: dict[str, Assembler] = {}
        self._asked_at = self._clock.now()
        self._publishing: Publishing | None = None

    async def relay(self, batch: StreamBatch, ends_at: float) -> Unsettled | None:
        """Publish a batch; return what is unsettled when all is settled, or the time has ended.

        `ends_at` is when the invocation is over (injected clock).
        """
        limits, patience = self._limits, Patience(self._limits.patience, self._clock.now())
        events = SendingTime(ends_at, limits.publish, patience)
        letters = SendingTime(ends_at, limits.letter, patience)
        changed = Signal()
        publishing = self._begin(events, letters)
        work = Batch(
            batch,
            self._assembler(batch.stream_arn),
            publishing.backlog,
            self._memory,
            limits.start,
            changed.notify,
            self._instruments,
        )
        work.fill()
        try:
            async with ending_group() as tasks:
                tasks.create_task(publishing.run())
                for event_type in publishing.event_types:
                    if event_type.name in self._unfit and self._is_due(event_type):
                        tasks.create_task(self._ask(event_type, publishing))
                step = Next.SEND
                while step is not Next.ANSWER:
                    step = self._look(work, publishing, patience, events, letters)
                    if step is Next.SEND and work.wants_more:
                        work.fill()
                    if step is not Next.ANSWER:
                        await changed.wait(NAP_SECONDS)
        finally:
            work.end()
            publishing.backlog.observe(self._clock.wall())
        return work.unsettled

    def _begin(self, events: SendingTime, letters: SendingTime) -> Publishing:
        """Return what publishes in this invocation, in the state in which the last one ended."""
        earlier = self._publishing
        self._publishing = publishing = Publishing(
            self._routes,
            self._publishers,
            self._queue,
            self._limits.queue_bytes,
            events,
            self._instruments,
            self._partitionings,
            earlier=earlier,
            letters_until=letters,
        )
        if earlier is None:
            for event_type in publishing.event_types:
                if event_type.name in self._unfit:
                    event_type.unfit(self._unfit[event_type.name].wrong)
        return publishing

    def _assembler(self, stream_arn: str) -> Assembler:
        if stream_arn not in self._assemblers:
            self._assemblers[stream_arn] = Assembler(self._routes, stream_arn, self._shapes)
        return self._assemblers[stream_arn]

    def _look(
        self,
        work: Batch,
        publishing: Publishing,
        patience: Patience,
        events: SendingTime,
        letters: SendingTime,
    ) -> Next:
        now = self._clock.now()
        if work.look():
            patience.settled(now)
        return next_step(
            now,
            left=work.left,
            busy=publishing.busy,
            letters=publishing.dead_letters.waiting,
            events=events,
            letter=letters,
        )

    def _is_due(self, event_type: EventType) -> bool:
        return self._clock.now() - self._asked_at >= event_type.limits.probe

    async def _ask(self, event_type: EventType, publishing: Publishing) -> None:
        """Ask whether a definition that could not take the route's events can now."""
        self._asked_at = self._clock.now()
        found = await self._unfit[event_type.name].ask()
        if isinstance(found, CheckResult):
            event_type.unfit(found)
        elif found is not None:
            event_type.fits(found)
            del self._unfit[event_type.name]
            publishing.backlog.outlets[event_type.name].changed.notify()
