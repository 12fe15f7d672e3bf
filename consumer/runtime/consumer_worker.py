"""One worker, built on ports: a process runs one, a simulation runs many.

Ownership: it builds every part of the runtime, and owns the group in which dispatcher, dead letter
sender and coordinator run. They end when the coordinator has handed everything over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.core.leases.fence import Fence
from consumer.core.shard.pace import Polling
from consumer.runtime.cancellation import ending_group
from consumer.runtime.discovery.discovery import Discovery
from consumer.runtime.leases.coordinator import Coordinator
from consumer.runtime.leases.heartbeat import Heartbeat
from consumer.runtime.publishing.backlog import Backlog
from consumer.runtime.publishing.dead_letters import DeadLetterSender
from consumer.runtime.publishing.dispatcher import Dispatcher
from consumer.runtime.publishing.event_type import EventType
from consumer.runtime.publishing.outlet import Outlet
from consumer.runtime.publishing.sender import Sender
from consumer.runtime.publishing.stream_origin import StreamOrigin
from consumer.runtime.shard.instruments import Instruments
from consumer.runtime.shard.shard_factory import ShardFactory

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.core.event.event import EventFormat
    from consumer.core.leases.lease import Worker
    from consumer.core.limits import LeaseTiming, PollTiming, PublishLimits
    from consumer.core.publishing.placement import Partitioning
    from consumer.observability.metrics import Metrics
    from consumer.ports import Chance, Clock, DeadLetterQueue, LeaseStore, Publisher, StreamClient
    from consumer.runtime.discovery.bootstrap import Source


@dataclass(frozen=True, slots=True)
class Outside:
    """The ports of a worker; `dead_letters` is None without a dead letter queue."""

    streams: StreamClient
    store: LeaseStore
    publisher: Publisher
    dead_letters: DeadLetterQueue | None
    clock: Clock
    chance: Chance


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker reads and publishes, and its limits; `queue_bytes` is those of the backlog.

    `format_of` gives the event format for the ARN of a stream. `partitioning` is how the event type
    assigns events to partitions, None while that is not known.
    """

    source: Source
    event_type: str
    format_of: Callable[[str], EventFormat]
    timing: LeaseTiming
    poll: PollTiming
    limits: PublishLimits
    queue_bytes: int
    partitioning: Partitioning | None = None


class ConsumerWorker:
    """Everything between the stream and Nakadi for one worker; `row` is its row to begin with."""

    def __init__(self, outside: Outside, job: Job, row: Worker, metrics: Metrics) -> None:
        self._outside = outside
        self._job = job
        self._metrics = metrics
        clock, chance = outside.clock, outside.chance
        self._fence = Fence(job.timing)
        self.backlog = Backlog(job.queue_bytes, metrics)
        self.event_type = EventType(job.event_type, job.limits, clock, chance, job.partitioning)
        self._dead_letters = DeadLetterSender(
            outside.dead_letters, self.backlog, self._fence, clock, chance, metrics
        )
        origin = StreamOrigin(self.backlog, self._dead_letters, self._fence, clock, metrics)
        outlet = Outlet(self.event_type, origin)
        self.backlog.add_outlet(outlet)
        sender = Sender(outlet, outside.publisher, clock, chance, metrics)
        self._dispatcher = Dispatcher(outlet, sender, clock)
        self.heartbeat = Heartbeat(outside.store, clock, job.timing, self._fence, row)
        self.coordinator = self._new_coordinator()

    def _new_coordinator(self) -> Coordinator:
        outside, job = self._outside, self._job
        discovery = Discovery(
            outside.store, outside.streams, outside.clock, job.timing, job.source, self._metrics
        )
        polling = Polling(job.poll)
        shards = ShardFactory(
            worker_id=self.heartbeat.worker_id,
            client=outside.streams,
            store=outside.store,
            lineage=discovery,
            backlog=self.backlog,
            fence=self._fence,
            format_of=job.format_of,
            timing=job.timing,
            polling=polling,
            instruments=Instruments(outside.clock, outside.chance, self._metrics),
        )
        return Coordinator(
            store=outside.store,
            streams=outside.streams,
            clock=outside.clock,
            chance=outside.chance,
            timing=job.timing,
            source=job.source,
            heartbeat=self.heartbeat,
            fence=self._fence,
            discovery=discovery,
            factory=shards,
            polling=polling,
            metrics=self._metrics,
        )

    def stop(self) -> None:
        """Hand everything over; `run` then ends."""
        self.coordinator.stop()

    async def run(self) -> None:
        """Read and publish until stopped and everything is handed over.

        Raises Fatal, possibly inside an exception group.
        """
        async with ending_group() as tasks:
            tasks.create_task(self._dispatcher.run(), name="dispatcher")
            tasks.create_task(self._dead_letters.run(), name="dead letters")
            await self.coordinator.run()
            self._dispatcher.stop()
            self._dead_letters.stop()
