"""The line that data travels, on twins, in virtual time: one shard, one worker.

async def main(line: Line) -> None: ...
run_line(main, shard=ShardTwin(...), nakadi=NakadiTwin(...))
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from consumer.core.dead_letters.dead_letter import DeadLetter
from consumer.core.event.event import EventFormat
from consumer.core.event.items.shapes import Shapes
from consumer.core.leases.fence import Fence
from consumer.core.leases.lease import Lease, StreamRow
from consumer.core.limits import LeaseTiming, PollTiming, PublishLimits
from consumer.core.publishing.placement import Partitioning
from consumer.core.routes.filters.lambda_filter import Filter
from consumer.core.routes.route import Route
from consumer.core.shard.pace import Polling
from consumer.core.shard.shard_state import Outcome
from consumer.core.shard.shard_view import ShardView
from consumer.errors import Retryable
from consumer.observability.conditions import Conditions
from consumer.observability.metrics import Metrics
from consumer.runtime.instruments import Instruments
from consumer.runtime.publishing.publishing import Publishing
from consumer.runtime.shard.shard_consumer import ShardConsumer
from consumer.runtime.shard.shard_factory import ShardFactory
from tests.twins.lease_table import LeaseTable, LeaseTableTwin
from tests.twins.nakadi import NakadiTwin
from tests.twins.shard import STREAM, ShardTwin
from tests.twins.virtual_time import EPOCH, HalfChance, VirtualClock, run

SHARD = "shardId-00000000000000000001-aaaaaaaa"
FORMAT = EventFormat("orders", ("id",))
LETTERS = 10  # that a queue takes in one call
LONG = LeaseTiming(lease_duration=100_000.0, checkpoint=5.0, drain=25.0)


@dataclass
class DeadLetterTwin:
    """DeadLetterQueue port.

    `refuse` is how many calls fail, `forgets` how many then take effect and lose their answer. A
    call fails, too, with a letter in `spoils`. Letters in `never` are refused one by one. Both
    hold sequence numbers.
    """

    letters: list[DeadLetter] = field(default_factory=list)
    refuse: int = 0
    forgets: int = 0
    never: frozenset[int] = frozenset()
    spoils: frozenset[int] = frozenset()
    delay: float = 0.01

    async def send(self, letters: Sequence[DeadLetter]) -> Sequence[bool]:
        assert len(letters) <= LETTERS
        await asyncio.sleep(self.delay)
        if self.refuse:
            self.refuse -= 1
            raise Retryable("down", "timeout")
        if any(letter.sequence in self.spoils for letter in letters):
            raise Retryable("one of them is malformed", "refused")
        accepted = [letter.sequence not in self.never for letter in letters]
        self.letters.extend(letter for letter in letters if letter.sequence not in self.never)
        if self.forgets:
            self.forgets -= 1
            raise Retryable("no answer", "reset")
        return accepted


@dataclass
class LineageTwin:
    """What a shard consumer asks of the discovery."""

    listed: bool = True
    adopted: list[str] = field(default_factory=list)
    failures: int = 0

    async def create_children(self, stream: StreamRow, shard_id: str) -> None:
        await asyncio.sleep(0.01)
        if self.failures:
            self.failures -= 1
            raise Retryable("throttled", "throttled")
        self.adopted.append(shard_id)

    async def shard_exists(self, stream: StreamRow, shard_id: str) -> bool:
        await asyncio.sleep(0.01)
        return self.listed


class Line:
    """Everything between a shard and Nakadi, with hands on every part."""

    def __init__(
        self,
        shard: ShardTwin,
        nakadi: NakadiTwin,
        *,
        limits: PublishLimits,
        queue: DeadLetterTwin | None,
        memory: int,
        lease: Lease,
        row: StreamRow,
        partitioning: Partitioning | None,
        asked: Filter | None,
        routes: Sequence[tuple[Route, NakadiTwin]],
        form: EventFormat,
        skip_unchanged: bool,
        beside: Mapping[str, NakadiTwin],
        clock: VirtualClock,
    ) -> None:
        self.shard, self.nakadi, self.queue = shard, nakadi, queue
        self.clock, chance = clock, HalfChance()
        self.metrics = Metrics()
        self.fence = Fence(LONG)
        self.fence.beat(0.0, 0.0)
        self.table = LeaseTable()
        self.store = LeaseTableTwin(self.table)
        self.lineage = LineageTwin()
        self.row = row
        self.table.of(row.key)[lease.shard_id] = lease
        route = Route(
            "order-store.order", form, limits, ("id",), asked, skip_unchanged=skip_unchanged
        )
        more = [(replace(route, event_type=name), twin) for name, twin in beside.items()]
        instruments = Instruments(self.clock, chance, self.metrics, Conditions(self.clock.now))
        known = {} if partitioning is None else {route.event_type: partitioning}
        of_routes = routes or [(route, nakadi), *more]
        publishers = {each.event_type: port for each, port in of_routes}
        self.publishing = Publishing(
            [each for each, _ in of_routes],
            publishers,
            queue,
            memory,
            self.fence,
            instruments,
            known,
        )
        self.backlog = self.publishing.backlog
        self.event_type = self.publishing.event_types[0]
        self.polling = Polling(PollTiming())
        self.shards = ShardFactory(
            worker_id="me",
            client=shard,
            store=self.store,
            lineage=self.lineage,
            backlog=self.backlog,
            fence=self.fence,
            shapes=Shapes(),
            timing=LONG,
            polling=self.polling,
            instruments=instruments,
        )
        self.consumer = self.new_consumer("me")
        self.outcome: Outcome | None = None

    def new_consumer(self, worker: str) -> ShardConsumer:
        """A consumer for the lease as it stands in the table now."""
        shards = replace(self.shards, worker_id=worker)
        return shards(self.row, self.lease, self.fence.epoch)

    @property
    def lease(self) -> Lease:
        return self.table.of(self.row.key)[SHARD]

    @property
    def view(self) -> ShardView:
        return self.consumer.view()

    def counted(self, name: str, **labels: str) -> float:
        """A metric of the event type, 0 while nobody has counted."""
        labels["event_type"] = self.event_type.name
        return self.metrics.registry.get_sample_value(f"consumer_{name}", labels) or 0.0

    async def run_consumer(self) -> Outcome:
        self.outcome = await self.consumer.run()
        return self.outcome

    async def until(self, true: Callable[[], bool], seconds: float = 3600.0) -> None:
        """Wait in virtual time; fails when it takes longer."""
        async with asyncio.timeout(seconds):
            while not true():
                await asyncio.sleep(0.01)


def run_line(
    main: Callable[[Line], Awaitable[None]],
    *,
    shard: ShardTwin | None = None,
    nakadi: NakadiTwin | None = None,
    limits: PublishLimits | None = None,
    queue: DeadLetterTwin | None = None,
    memory: int = 64 << 20,
    lease: Lease | None = None,
    started_at: float | None = None,
    partitioning: Partitioning | None = None,
    asked: Filter | None = None,
    routes: Sequence[tuple[Route, NakadiTwin]] = (),
    form: EventFormat = FORMAT,
    skip_unchanged: bool = False,
    beside: Mapping[str, NakadiTwin] | None = None,
    clock: Callable[[], VirtualClock] = VirtualClock,
) -> Line:
    """Run what publishes beside `main`; everything ends with it.

    `beside` are more event types, which take the same records.
    """
    row = StreamRow(
        STREAM.arn, STREAM.table, STREAM.label, None, "TRIM_HORIZON", started_at, True, 1, 1, 0, "f"
    )
    lines: list[Line] = []

    async def start() -> None:
        line = Line(
            shard if shard is not None else ShardTwin(),
            nakadi if nakadi is not None else NakadiTwin(),
            limits=limits if limits is not None else PublishLimits(),
            queue=queue,
            memory=memory,
            lease=lease if lease is not None else Lease(SHARD, None, created_at=EPOCH),
            row=replace(row),
            partitioning=partitioning,
            asked=asked,
            routes=routes,
            form=form,
            skip_unchanged=skip_unchanged,
            beside={} if beside is None else beside,
            clock=clock(),
        )
        lines.append(line)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.publishing.run())
            await main(line)
            line.publishing.stop()

    run(start)
    return lines[0]
