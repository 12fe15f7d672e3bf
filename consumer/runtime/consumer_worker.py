"""One worker, built on ports: a process runs one, a simulation runs many.

Ownership: it builds every part of the runtime, and owns the group in which publishing and
coordinator run. They end when the coordinator has handed everything over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from consumer.core.event.items.shapes import Shapes
from consumer.core.leases.fence import Fence
from consumer.core.reports.condition import conditions, worker_report, worst
from consumer.core.reports.readiness import unready
from consumer.core.shard.pace import Polling
from consumer.observability.conditions import Conditions
from consumer.runtime.cancellation import ending_group
from consumer.runtime.discovery.discovery import Discovery
from consumer.runtime.discovery.purpose_keeper import PurposeKeeper
from consumer.runtime.instruments import Instruments
from consumer.runtime.leases.coordinator import Coordinator
from consumer.runtime.leases.heartbeat import Heartbeat
from consumer.runtime.leases.held_shards import HeldShards
from consumer.runtime.leases.readability_check import ReadabilityCheck
from consumer.runtime.leases.watched_table import WatchedTable
from consumer.runtime.publishing.publishing import Publishing
from consumer.runtime.shard.shard_factory import ShardFactory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.core.leases.lease import Worker
    from consumer.core.leases.worker_report import WorkerReport
    from consumer.core.limits import LeaseTiming, PollTiming
    from consumer.core.publishing.placement import Partitioning
    from consumer.core.reports.condition import Condition
    from consumer.core.routes.route import Route
    from consumer.core.shard.shard_view import ShardView
    from consumer.observability.metrics import Metrics
    from consumer.ports import (
        Chance,
        Clock,
        DeadLetterQueue,
        Definition,
        LeaseStore,
        Publisher,
        StreamClient,
    )
    from consumer.runtime.discovery.source import Source
    from consumer.runtime.publishing.event_type import EventType


class Ports(Struct, frozen=True):
    """The ports of a worker. `publishers` are by event type.

    `dead_letters` is None without a dead letter queue. `unfit` are the definitions of those event
    types that cannot take their route's events.
    """

    streams: StreamClient
    store: LeaseStore
    publishers: Mapping[str, Publisher]
    dead_letters: DeadLetterQueue | None
    clock: Clock
    chance: Chance
    unfit: Mapping[str, Definition] = field(default_factory=dict)


class WorkerConfig(Struct, frozen=True):
    """What a worker reads and publishes, and its limits; `queue_bytes` is that of the backlog.

    `partitionings` says by event type how its events are spread, as far as that is known.
    """

    source: Source
    routes: tuple[Route, ...]
    timing: LeaseTiming
    poll: PollTiming
    queue_bytes: int
    partitionings: Mapping[str, Partitioning] = field(default_factory=dict)


class ConsumerWorker:
    """Everything between the stream and Nakadi for one worker; `row` is its row to begin with."""

    def __init__(self, ports: Ports, config: WorkerConfig, row: Worker, metrics: Metrics) -> None:
        self._fence = Fence(config.timing)
        instruments = Instruments(ports.clock, ports.chance, metrics, Conditions(ports.clock.now))
        self.publishing = Publishing(
            config.routes,
            ports.publishers,
            ports.dead_letters,
            config.queue_bytes,
            self._fence,
            instruments,
            config.partitionings,
            ports.unfit,
        )
        self._table = WatchedTable(ports.store, ports.clock)
        self.heartbeat = Heartbeat(self._table, ports.clock, config.timing, self._fence, row)
        self.coordinator = self._new_coordinator(ports, config, instruments)
        self.heartbeat.report = self._report

    def _new_coordinator(
        self, ports: Ports, config: WorkerConfig, instruments: Instruments
    ) -> Coordinator:
        metrics = instruments.metrics
        discovery = Discovery(
            self._table, ports.streams, ports.clock, config.timing, config.source, metrics
        )
        self.purpose = PurposeKeeper(
            self._table, ports.clock, config.source, self.publishing.stored
        )
        polling = Polling(config.poll)
        shards = ShardFactory(
            worker_id=self.heartbeat.worker_id,
            client=ports.streams,
            store=self._table,
            lineage=discovery,
            backlog=self.publishing.backlog,
            fence=self._fence,
            shapes=Shapes(),
            timing=config.timing,
            polling=polling,
            instruments=instruments,
        )
        heartbeat = self.heartbeat
        held = HeldShards(self._table, config.timing, heartbeat, self._fence, shards, instruments)
        return Coordinator(
            store=self._table,
            timing=config.timing,
            source=config.source,
            heartbeat=heartbeat,
            fence=self._fence,
            discovery=discovery,
            held=held,
            readability=ReadabilityCheck(ports.streams, heartbeat, held, instruments),
            polling=polling,
            purpose=self.purpose,
            clock=ports.clock,
        )

    def unready(self) -> str | None:
        """Return why the worker is not ready, None if it is; whatever Nakadi does."""
        return unready(self._table.calls, self.coordinator.first_steps)

    def refused(self) -> tuple[EventType, ...]:
        """Return the event types that keep this worker from being ready."""
        before = self.purpose.stored_before
        return tuple(each for each in self.publishing.event_types if each.refused(before))

    def condition(self) -> Condition:
        """Return the worst of what is wrong with this worker."""
        return self._condition(self._views())

    def _condition(self, views: list[ShardView]) -> Condition:
        event_types = [event_type.status for event_type in self.publishing.event_types]
        unable_since = self.heartbeat.unable_since
        return worst(conditions(self._table.calls, views, event_types, unable_since))

    def _report(self) -> WorkerReport:
        views = self._views()
        return worker_report(self._condition(views), views)

    def _views(self) -> list[ShardView]:
        return [shard.view() for shard in self.coordinator.shards]

    def stop(self) -> None:
        """Hand everything over; `run` then ends."""
        self.coordinator.stop()

    async def run(self) -> None:
        """Read and publish until stopped and everything is handed over.

        Raises Fatal, possibly inside an exception group.
        """
        async with ending_group() as tasks:
            tasks.create_task(self.publishing.run(), name="publishing")
            await self.coordinator.run()
            self.publishing.stop()
