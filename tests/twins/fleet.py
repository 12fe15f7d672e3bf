"""Workers on one lease table in virtual time, each with a stand-in for its shard consumers.

`Fleet.claims` is the truth about who could send for which shard at this moment; two workers that
could send for one shard are noted in `violations` at the instant it happens.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from consumer.core.leases.checkpoint import SHARD_END
from consumer.core.leases.fence import Fence
from consumer.core.leases.lease import Lease, StreamRow, Worker
from consumer.core.leases.progress import Progress
from consumer.core.leases.streams.purpose import Purpose
from consumer.core.limits import LeaseTiming, PollTiming
from consumer.core.shard.pace import Polling
from consumer.core.shard.shard_state import Outcome, ShardState
from consumer.core.shard.shard_view import ShardView
from consumer.core.stream.stream import ViewType
from consumer.errors import LeaseLost
from consumer.observability.conditions import Conditions
from consumer.observability.metrics import Metrics
from consumer.runtime.discovery.discovery import Discovery
from consumer.runtime.discovery.purpose_keeper import PurposeKeeper
from consumer.runtime.discovery.source import Source
from consumer.runtime.instruments import Instruments
from consumer.runtime.leases.coordinator import Coordinator
from consumer.runtime.leases.heartbeat import Heartbeat
from consumer.runtime.leases.held_shards import HeldShards
from consumer.runtime.leases.readability_check import ReadabilityCheck
from consumer.runtime.shard.lease_writer import LeaseWriter
from tests.twins.lease_table import LeaseTable, LeaseTableTwin
from tests.twins.shard_list import STREAM, ShardListTwin
from tests.twins.virtual_time import HalfChance, VirtualClock

TIMING = LeaseTiming()


def source(**changes: Any) -> Source:
    fields: dict[str, Any] = {
        "stream": STREAM,
        "follow_table": False,
        "start_position": "TRIM_HORIZON",
        "purpose": Purpose(changes.pop("fingerprint", "orders"), ("orders",)),
        "view_types": frozenset({ViewType.NEW_AND_OLD_IMAGES}),
    }
    return Source(**fields | changes)


class FakeShard:
    """Holds a lease and "sends" all the time while its worker's fence holds."""

    def __init__(self, node: "Node", row: StreamRow, lease: Lease, epoch: int) -> None:
        self._node = node
        self._wake = asyncio.Event()
        self._want = "read"
        self.writer = LeaseWriter(
            node.store, node.instruments, row.key, lease, node.name, node.timing
        )
        self.epoch = epoch
        self.stream = row
        self.shard_id = lease.shard_id
        self.state = ShardState.TAKING
        self.held = False
        self.retrying = 0
        self.last_success_at: float | None = None
        self.suspended_cause: str | None = None
        self.cooled_until = 0.0
        self.newest_command = row.commands
        self.stubborn = False  # does not drain when shed
        self.error: Exception | None = None

    @property
    def lease(self) -> Lease:
        return self.writer.lease

    def view(self) -> ShardView:
        wall = self._node.clock.wall()
        return ShardView(
            stream_key=self.stream.key,
            shard_id=self.shard_id,
            state=self.state,
            held=self.held,
            checkpoint=self.lease.checkpoint,
            checkpoint_at=wall,
            since=wall,
            suspended_cause=self.suspended_cause,
            last_success_at=self.last_success_at,
            retrying=self.retrying,
            cooled_until=self.cooled_until,
        )

    def _ask(self, want: str) -> None:
        self._want = want
        self._wake.set()

    def shed(self) -> None:
        self._ask("shed")

    def keep(self) -> None:
        self._ask("read")

    def notify_command(self, number: int) -> None:
        self.newest_command = number

    def drain(self) -> None:
        self._ask("drain")

    def revoke(self) -> None:
        self._ask("lose")

    def end(self) -> None:
        self._ask("end")

    def fail(self, error: Exception) -> None:
        self.error = error
        self._ask("fail")

    async def run(self) -> Outcome:
        if not await self.writer.take():
            return Outcome.NOT_TAKEN
        self.held = True
        self.state = ShardState.READING
        try:
            return await self._live()
        except LeaseLost:
            return Outcome.LOST
        finally:
            self.held = False
            self._node.fleet.let_go(self)

    async def _live(self) -> Outcome:
        node = self._node
        while True:
            await node.store.awake.wait()
            if self._want == "lose" or not node.fence.holds(node.clock.now(), self.epoch):
                return Outcome.LOST
            node.fleet.claim(self)
            if node.streams_work:
                self.last_success_at = node.clock.now()
            match self._want:
                case "fail":
                    assert self.error is not None
                    raise self.error
                case "end":
                    await node.discovery.create_children(self.stream, self.shard_id)
                    await self._release(SHARD_END)
                    return Outcome.SHARD_END
                case "shed" if self.stubborn:
                    self._want = "read"
                    self.cooled_until = node.clock.now() + 60
                case "shed" | "drain":
                    await asyncio.sleep(0.3)
                    await self._release("100")
                    return Outcome.RELEASED
            try:
                async with asyncio.timeout(0.25):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    async def _release(self, checkpoint: str) -> None:
        self._node.fleet.let_go(self)
        await self.writer.release(Progress(checkpoint))


@dataclass
class Node:
    """One worker."""

    fleet: "Fleet"
    name: str
    timing: LeaseTiming
    source: Source
    task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.store = LeaseTableTwin(self.fleet.table)
        self.fence = Fence(self.timing)
        self.metrics = Metrics()
        self.streams_work = True
        now = self.clock.now()
        self.heartbeat = Heartbeat(
            self.store,
            self.clock,
            self.timing,
            self.fence,
            Worker(self.name, 0, 0, (self.source.stream.key,), True, False, now, now, "host", "1"),
        )
        self.discovery = Discovery(
            self.store,
            self.fleet.streams,
            self.clock,
            self.timing,
            self.source,
            self.metrics,
        )
        self.made: list[FakeShard] = []
        self.stored: set[str] = set()  # event types in which it has stored an event
        self.polling = Polling(PollTiming())
        self.instruments = Instruments(
            self.clock, HalfChance(), self.metrics, Conditions(self.clock.now)
        )
        held = HeldShards(
            self.store, self.timing, self.heartbeat, self.fence, self._make, self.instruments
        )
        self.coordinator = Coordinator(
            store=self.store,
            timing=self.timing,
            source=self.source,
            heartbeat=self.heartbeat,
            fence=self.fence,
            discovery=self.discovery,
            held=held,
            readability=ReadabilityCheck(
                self.fleet.streams, self.heartbeat, held, self.instruments
            ),
            polling=self.polling,
            purpose=PurposeKeeper(self.store, self.clock, self.source, lambda: self.stored),
            clock=self.clock,
        )

    def _make(self, row: StreamRow, lease: Lease, epoch: int) -> FakeShard:
        shard = FakeShard(self, row, lease, epoch)
        self.made.append(shard)
        return shard

    @property
    def running(self) -> dict[str, FakeShard]:
        return {shard.shard_id: shard for shard in self.made if shard.held}

    def start(self) -> "Node":
        self.task = asyncio.get_running_loop().create_task(self.coordinator.run())
        return self

    def suspend(self, seconds: float) -> None:
        """As with SIGSTOP: requests under way arrive, and nothing is done about their answers."""
        self.store.awake.clear()
        asyncio.get_running_loop().call_later(seconds, self.store.awake.set)

    async def stopped(self) -> None:
        assert self.task is not None
        await self.task

    async def kill(self) -> None:
        """As with -9: no more requests, no goodbye."""
        assert self.task is not None
        self.task.cancel()
        await asyncio.wait([self.task])
        for shard in self.made:
            shard.held = False
            self.fleet.let_go(shard)


@dataclass
class Fleet:
    """The table, the stream and the workers."""

    table: LeaseTable = field(default_factory=LeaseTable)
    streams: ShardListTwin = field(default_factory=ShardListTwin)
    nodes: dict[str, Node] = field(default_factory=dict)
    claims: dict[str, FakeShard] = field(default_factory=dict)  # who sent last for a shard
    takes: list[tuple[float, str, str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)  # two could send at once

    def start(self, name: str, timing: LeaseTiming = TIMING, **changes: Any) -> Node:
        node = self.nodes[name] = Node(self, name, timing, source(**changes))
        return node.start()

    def claim(self, shard: FakeShard) -> None:
        before = self.claims.get(shard.shard_id)
        if before is shard:
            return
        if before is not None:
            node = before._node
            if node.fence.holds(node.clock.now(), before.epoch):
                now = asyncio.get_running_loop().time()
                self.violations.append(
                    f"{now:.2f} {shard.shard_id}: {node.name} and {shard._node.name}"
                )
        self.claims[shard.shard_id] = shard
        now = asyncio.get_running_loop().time()
        self.takes.append((now, shard.shard_id, shard._node.name))

    def let_go(self, shard: FakeShard) -> None:
        if self.claims.get(shard.shard_id) is shard:
            del self.claims[shard.shard_id]

    def spread(self) -> dict[str, int]:
        return {name: len(node.running) for name, node in self.nodes.items()}

    async def stop(self) -> None:
        for node in self.nodes.values():
            if node.task is not None and not node.task.done():
                node.coordinator.stop()
                await node.task
        assert self.violations == []
