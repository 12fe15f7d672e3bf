"""One worker, wired up on ports: what a process runs, and what a simulation runs many of.

Ownership: it builds every part of the runtime and owns the group that publisher, dead letter sender
and coordinator run in. They end when the coordinator has handed everything over.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.core.event.transcode import Transcoder
from consumer.core.leases.fence import Fence
from consumer.core.stream.stream import Stream
from consumer.runtime.cancellation import heed_cancellation
from consumer.runtime.discovery.discovery import Discovery
from consumer.runtime.leases.coordinator import Coordinator
from consumer.runtime.leases.heartbeat import Keeper
from consumer.runtime.publishing.backlog import Backlog
from consumer.runtime.publishing.dead_letters import DeadLetterSender
from consumer.runtime.publishing.dispatcher import Publisher
from consumer.runtime.publishing.event_type import EventType
from consumer.runtime.publishing.sender import Delivery
from consumer.runtime.shard.lease_writer import LeaseWriter
from consumer.runtime.shard.relay import Relay
from consumer.runtime.shard.shard_consumer import ShardConsumer

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.core.event.event import EventFormat
    from consumer.core.leases.lease import Lease, StreamRow, Worker
    from consumer.core.limits import LeaseTiming, PollTiming, PublishLimits
    from consumer.core.publishing.placement import Partitioning
    from consumer.observability.metrics import Metrics
    from consumer.ports import Chance, Clock, DeadLetterQueue, LeaseStore, StreamClient
    from consumer.ports import Publisher as PublisherPort
    from consumer.runtime.discovery.bootstrap import Source


@dataclass(frozen=True, slots=True)
class Outside:
    """The world as a worker sees it."""

    streams: StreamClient
    store: LeaseStore
    publisher: PublisherPort
    dead_letters: DeadLetterQueue | None
    clock: Clock
    chance: Chance


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is for. `format_of` gives the event format of a stream's ARN.

    `partitioning` is None while nothing is known of how the event type spreads its events.
    """

    source: Source
    event_type: str
    format_of: Callable[[str], EventFormat]
    timing: LeaseTiming
    poll: PollTiming
    limits: PublishLimits
    queue_bytes: int
    partitioning: Partitioning | None = None


class _HandedOverError(Exception):
    """Ends the group: no lease is held here any more."""


class ConsumerWorker:
    """Everything between the stream and Nakadi for one worker id."""

    def __init__(self, outside: Outside, job: Job, row: Worker, metrics: Metrics) -> None:
        self._outside = outside
        self._job = job
        self._metrics = metrics
        clock, chance = outside.clock, outside.chance
        self._fence = Fence(job.timing)
        self.backlog = Backlog(job.queue_bytes, metrics)
        self.event_type = EventType(job.event_type, job.limits, clock, chance, job.partitioning)
        self._dead_letters = DeadLetterSender(
            port=outside.dead_letters,
            backlog=self.backlog,
            event_type=self.event_type,
            fence=self._fence,
            limits=job.limits,
            clock=clock,
            chance=chance,
            metrics=metrics,
        )
        delivery = Delivery(
            port=outside.publisher,
            backlog=self.backlog,
            dead_letters=self._dead_letters,
            event_type=self.event_type,
            fence=self._fence,
            limits=job.limits,
            clock=clock,
            chance=chance,
            metrics=metrics,
        )
        self._publisher = Publisher(
            delivery=delivery,
            backlog=self.backlog,
            event_type=self.event_type,
            fence=self._fence,
            limits=job.limits,
            clock=clock,
        )
        self.keeper = Keeper(outside.store, clock, job.timing, self._fence, row)
        self.coordinator = self._new_coordinator(delivery)
        self.relay.hurry = lambda: self.coordinator.peer_drains

    def _new_coordinator(self, delivery: Delivery) -> Coordinator:
        outside, job = self._outside, self._job
        discovery = Discovery(
            outside.store, outside.streams, outside.clock, job.timing, job.source, self._metrics
        )
        self.relay = Relay(
            client=outside.streams,
            store=outside.store,
            lineage=discovery,
            backlog=self.backlog,
            delivery=delivery,
            fence=self._fence,
            clock=outside.clock,
            chance=outside.chance,
            metrics=self._metrics,
            timing=job.timing,
            poll=job.poll,
            limits=job.limits,
        )
        return Coordinator(
            store=outside.store,
            streams=outside.streams,
            clock=outside.clock,
            chance=outside.chance,
            timing=job.timing,
            source=job.source,
            keeper=self.keeper,
            fence=self._fence,
            discovery=discovery,
            factory=self._consumer_of,
            metrics=self._metrics,
        )

    def _consumer_of(self, row: StreamRow, lease: Lease, epoch: int) -> ShardConsumer:
        outside, job = self._outside, self._job
        writer = LeaseWriter(
            outside.store,
            outside.clock,
            outside.chance,
            row.key,
            lease,
            self.keeper.worker_id,
            job.timing,
        )
        return ShardConsumer(
            relay=self.relay,
            stream=Stream(row.arn, row.table, row.label),
            row=row,
            writer=writer,
            transcoder=Transcoder(job.format_of(row.arn)),
            epoch=epoch,
        )

    def stop(self) -> None:
        """SIGTERM: hand everything over; `run` then ends."""
        self.coordinator.stop()

    async def run(self) -> None:
        """Work until stopped and drained. Raises Fatal, maybe in a group."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._publisher.run(), name="publisher")
                tasks.create_task(self._dead_letters.run(), name="dead letters")
                await self.coordinator.run()
                self._publisher.stop()
                self._dead_letters.stop()
                raise _HandedOverError  # what they still do is not this worker's any more
        except* _HandedOverError:
            heed_cancellation()
