"""The workers of a run: each on a node of its own, with its own way to every service."""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from consumer.adapters.clock import AwsClock
from consumer.core.event.event import EventFormat
from consumer.core.event.selection.attribute_path import AttributePath
from consumer.core.event.selection.selection import Selection
from consumer.core.leases.lease import Worker
from consumer.core.leases.streams.purpose import Purpose
from consumer.core.limits import PublishLimits
from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.routes.route import Route
from consumer.core.stream.stream import Stream, ViewType
from consumer.core.time_of_day import ENOUGH
from consumer.errors import NotReleased, first_in
from consumer.find_stream import known_streams
from consumer.runtime.consumer_worker import ConsumerWorker, Ports, WorkerConfig
from consumer.runtime.discovery.source import Source
from consumer.runtime.shard.shard_consumer import ShardConsumer
from tests.simulation.checks.memory import Memory
from tests.simulation.checks.narrowing import (
    HIDDEN,
    PATTERNS,
    PICKED,
    Narrowing,
    Rules,
    Showing,
)
from tests.simulation.checks.truth import fits, wall
from tests.simulation.clock import SimClock
from tests.simulation.faults.random_faults import nakadi_port
from tests.simulation.faults.wire import Wire
from tests.simulation.loop import Node, SimTask
from tests.simulation.scenario import Scenario
from tests.simulation.twins.metrics_twin import SilentMetrics
from tests.simulation.twins.nakadi_twin import KNOWN, SimNakadi
from tests.simulation.twins.queue_twin import SimQueue
from tests.simulation.twins.stream_twin import SimStreams
from tests.simulation.twins.table_twin import SimLeaseTable
from tests.twins.lease_table import stream_as_read

if TYPE_CHECKING:
    from tests.simulation.world import World

WHOLE = 1_000_000
"""Rows of a page where each read is answered whole."""

DATED = ("streams", "table")
"""The ports whose answers come from AWS and teach the clock."""

HOUR = 3600.0

SELECTIONS = {
    Showing.HIDES: Selection(exclude=(AttributePath((HIDDEN,)),)),
    Showing.PICKS: Selection(include=tuple(AttributePath((name,)) for name in PICKED)),
}
"""What an event type shows, as the service is told."""

EXIT_SECONDS = 3.0 + 0.5
"""After the drain time a worker must be gone; half a second for what is under way."""


def _start_position(scenario: Scenario) -> str:
    if scenario.has("latest"):
        return "LATEST"
    if scenario.start is None:
        return "TRIM_HORIZON"
    return datetime.fromtimestamp(wall(scenario.start), UTC).isoformat()


def route_of(name: str, limits: PublishLimits, rules: Rules) -> Route:
    """The route of an event type, as a worker is given it."""
    pattern = PATTERNS.get(rules.narrowing)
    asked = None if pattern is None else read_filter(pattern)
    selection = SELECTIONS.get(rules.showing)
    return Route(
        name,
        EventFormat(name, ("id",), selection=selection),
        limits,
        ("id",),
        asked,
        name=name,
        otherwise=rules.narrowing is Narrowing.REST,
        changed=(AttributePath(("kind",)),) if rules.showing is Showing.CHANGES else (),
        skip_unchanged=selection is not None,
    )


def _held(worker: ConsumerWorker) -> list[ShardConsumer]:
    shards = worker.coordinator.shards
    return [shard for shard in shards if isinstance(shard, ShardConsumer) and shard.view().held]


@dataclass(eq=False)
class Process:
    """One start of a worker."""

    name: str
    node: Node
    worker: ConsumerWorker
    machine: SimClock
    clock: AwsClock
    task: "asyncio.Task[None] | None" = None
    stopping: bool = False
    ended: bool = False
    pauses: int = 0

    @property
    def alive(self) -> bool:
        return not self.ended and not self.node.crashed

    @property
    def serving(self) -> bool:
        return self.alive and not self.stopping

    @property
    def held(self) -> frozenset[str]:
        """The shards whose lease it holds."""
        return frozenset(shard.view().shard_id for shard in _held(self.worker))


class Cluster:
    """All processes that ever were."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.processes: list[Process] = []

    @property
    def serving(self) -> list[Process]:
        return [process for process in self.processes if process.serving]

    @property
    def alive(self) -> list[Process]:
        return [process for process in self.processes if process.alive]

    # -- what happens to them

    def start(self) -> Process:
        world = self._world
        name = f"w{len(self.processes) + 1}"
        node = Node(name)
        chance = world.scenario.streams.of("clock", name)
        skew = chance.uniform(-5.0, 5.0) if world.scenario.has("skew") else 0.0
        machine = SimClock(world, chance.uniform(0.0, 1e6), skew)
        if world.scenario.has("wrong_clock"):
            machine.skew = world.scenario.streams.of("wrong_clock", name).uniform(-HOUR, HOUR)
        clock = AwsClock(machine)
        for _ in range(ENOUGH):  # what the start asks of AWS before there is a worker
            clock.learn(float(int(wall(world.loop.now))), machine.now())
        process = Process(name, node, self._worker(node, clock), machine, clock)
        self.processes.append(process)
        world.tell(name, "starts")
        world.happened["start"] += 1
        process.task = node.context.run(world.loop.create_task, self._run(process), name=name)
        return process

    def stop(self, process: Process) -> None:
        """SIGTERM."""
        world = self._world
        world.tell(process.name, "SIGTERM")
        world.happened["sigterm"] += not world.well
        process.stopping = True
        world.loop.call_soon(process.worker.stop, context=process.node.context)
        limit = world.scenario.timing.drain + EXIT_SECONDS
        if not process.node.stopped:
            world.loop.later(limit, self._must_have_ended, process, process.pauses)

    def crash(self, process: Process) -> None:
        """SIGKILL: nothing of it runs any more; what it has sent goes on its way."""
        self._world.tell(process.name, "SIGKILL")
        self._world.happened["crash"] += 1
        process.node.crashed = True
        self._world.loop.stop_node(process.node)

    def pause(self, process: Process, seconds: float, *, suspend: bool) -> None:
        """SIGSTOP, or the machine is suspended; and back after so long."""
        world = self._world
        world.tell(process.name, "stands still", f"for {seconds:.3f} s")
        world.happened["suspend" if suspend else "pause"] += 1
        process.pauses += 1
        world.loop.stop_node(process.node)
        world.loop.later(seconds, self._go_on, process, seconds if suspend else 0.0)

    def _go_on(self, process: Process, slept: float) -> None:
        if not process.node.crashed:
            self._world.tell(process.name, "goes on")
            self._world.loop.go_on(process.node, slept=slept)

    def _must_have_ended(self, process: Process, pauses: int) -> None:
        if process.alive and process.pauses == pauses:
            self._world.checks.fail("exit", f"{process.name} still runs after its drain time")

    # -- one of them

    def _found(self) -> Stream:
        """The stream that a worker starts with, as `find_stream` finds it.

        Where no worker has made a row before the table was deleted, or its stream became unfit, a
        start is refused; here it knows the stream all the same.
        """
        model = self._world.model
        latest = self._world.writer.stream
        assert latest is not None
        newest = Stream(latest.arn, latest.table, latest.label)
        rows = tuple(map(stream_as_read, self._world.table.streams.values()))
        known = known_streams("orders", rows)
        fit = [] if "orders" not in model.tables or not fits(latest) else [newest]
        fit += [found for found in known if fits(model.streams[found.arn])]
        return next(iter(fit), newest)

    def _purpose(self, name: str) -> Purpose:
        """What a worker says that it publishes; the first one of an application sets the form."""
        scenario = self._world.scenario
        first = scenario.event_types[0]
        single = Purpose(json.dumps({"event_type": first}), (first,))
        if not scenario.has("moves") or not self._world.table.streams:
            return single
        draws = scenario.streams.of("moves", name)
        if draws.random() < 0.5:
            return single
        routed = (first, f"more-{draws.randrange(4)}")
        return Purpose(json.dumps({"event_types": routed}), routed, routed=True)

    def _worker(self, node: Node, clock: AwsClock) -> ConsumerWorker:
        world, scenario = self._world, self._world.scenario
        stream = self._found()
        chance = scenario.streams.of("chance", node.name)
        timing = scenario.timing_of(node.name)

        def wire(port: str) -> Wire:
            draws = scenario.streams.of("wire", port, node.name)
            weather = world.weathers[port]
            dated = clock if port in DATED else None
            return Wire(world.loop, node, port, weather, draws, world.faults, world.trace, dated)

        config = WorkerConfig(
            source=Source(
                stream=stream,
                follow_table=True,
                start_position=_start_position(scenario),
                purpose=self._purpose(node.name),
                view_types=frozenset({ViewType.NEW_AND_OLD_IMAGES}),
            ),
            routes=tuple(
                route_of(name, scenario.limits, rules)
                for name, rules in scenario.rules_of(node.name).items()
            ),
            timing=timing,
            poll=scenario.poll,
            queue_bytes=scenario.queue_bytes,
            partitionings={}
            if scenario.has("unplaced")
            else dict.fromkeys(scenario.event_types, KNOWN),
        )
        process: list[ConsumerWorker] = []
        memory = Memory(
            world.truth, scenario.queue_bytes, lambda: _held(process[0]), world.checks.fail
        )
        timeout = scenario.publish_timeout
        ports = Ports(
            SimStreams(world.streams, wire("streams"), memory),
            SimLeaseTable(
                world.table,
                wire("table"),
                world.checks,
                timing.heartbeat,
                2 if scenario.has("torn") else WHOLE,
            ),
            {
                name: SimNakadi(service, wire(nakadi_port(name)), timeout, memory.judge)
                for name, service in world.nakadi.items()
            },
            None
            if scenario.has("no_queue")
            else SimQueue(wire("queue"), world.checks, 0.3 if scenario.has("queue_bad") else 0.0),
            clock,
            chance,
        )
        row = Worker(node.name, 0, 0, (stream.key,), True, False, 0.0, 0.0, "host", "1")
        row = replace(row, seen_at=clock.wall(), started_at=clock.wall())
        metrics: Any = SilentMetrics()
        process.append(node.context.run(ConsumerWorker, ports, config, row, metrics))
        return process[0]

    async def _run(self, process: Process) -> None:
        world = self._world
        try:
            await process.worker.run()
        except Exception as error:  # noqa: BLE001 - whatever ends a process is looked at
            if first_in(error, NotReleased) is None:
                world.checks.fail("process", f"{process.name} ended with {error!r}")
        process.ended = True
        if process.node.muted:
            return
        world.tell(process.name, "has ended")
        backlog = process.worker.publishing.backlog
        letters = (
            process.worker.publishing.dead_letters._letters
        )  # each holds a ticket that is revoked
        abandoned = process.name in world.checks.abandoned or letters
        if not abandoned and (backlog.budget.used or backlog.events):
            left = f"{backlog.budget.used} bytes, {backlog.events} events"
            world.checks.fail("budget", f"{process.name} ended with {left} in its backlog")
        for task in asyncio.all_tasks():
            assert isinstance(task, SimTask)
            if task.node is process.node and task is not process.task:
                world.checks.fail("tasks", f"{process.name} left {task.what}")

    async def bury(self) -> None:
        """End what is left of the crashed, unheard."""
        for process in self.processes:
            if process.ended or process.task is None:
                continue
            process.node.muted = True
            process.node.crashed = True
            process.task.cancel()
            self._world.loop.go_on(process.node)
        await asyncio.gather(
            *(process.task for process in self.processes if process.task is not None),
            return_exceptions=True,
        )
