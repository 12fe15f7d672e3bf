"""The twins of the StreamClient port: the simulation's, and the two halves of the unit tests."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

import pytest

from consumer.core.stream.page import Page
from consumer.core.stream.stream import Position, Shard, Stream, StreamPage, ViewType
from consumer.errors import ConsumerError, Retryable
from consumer.ports import StreamClient
from localdev.streams.model import record
from localdev.streams.model.key_schema import KeySchema
from localdev.streams.model.stream import Stream as ModelStream
from tests.conformance.ports.simulated import Simulated, simulated
from tests.conformance.ports.stream_clients import Shards, key_of, on_server
from tests.simulation.checks.memory import Memory
from tests.simulation.faults.wire import Fate
from tests.simulation.twins.stream_twin import SimStreams
from tests.twins.shard import FIRST, STREAM, ShardTwin
from tests.twins.shard_list import STREAM as LISTED
from tests.twins.shard_list import ShardListTwin
from tests.twins.virtual_time import EPOCH, VirtualClock

KEYS = KeySchema("id", "at", {"id": "S", "at": "N"})


class InSimulation:
    """The twin of the simulation."""

    table = "conformance"
    keys = KEYS.names

    def __init__(self, world: Simulated) -> None:
        self._world = world
        self._model = world.world.model
        memory = Memory(world.world.truth, 1 << 40, list, world.world.checks.fail)
        self._twin = SimStreams(world.world.streams, world.wire, memory)
        self._fate: Fate | None = None

    @property
    def port(self) -> StreamClient:
        return self

    def wall(self) -> float:
        return self._world.now

    async def create(self, *, stream: bool = True) -> None:
        view = record.ViewType.NEW_AND_OLD_IMAGES if stream else None
        self._model.create_table(self.table, KEYS, self.wall(), view)
        self._world.world.note_shards()

    async def put(self, *names: str) -> None:
        for name in names:
            self._world.write(name, self.table, key_of(name))

    async def delete(self, name: str) -> None:
        self._world.delete(name, self.table, key_of(name))

    async def disable(self) -> None:
        self._model.disable_stream(self.table, self.wall())

    async def enable(self, view: ViewType) -> None:
        self._model.enable_stream(self.table, record.ViewType(view.value), self.wall())
        self._world.world.note_shards()

    @property
    def _stream(self) -> ModelStream:
        stream = self._model.table(self.table).stream
        assert stream is not None
        return stream

    async def split(self, shard_id: str, children: int) -> list[str]:
        made = self._stream.replace(shard_id, self.wall(), children)
        self._world.world.note_shards()
        return [shard.shard_id for shard in made]

    async def trim(self) -> None:
        for shard in self._stream.listed():
            shard.trim_before(self.wall() + 1.0)

    async def age_out(self, shard_id: str) -> None:
        self._stream.shard(shard_id).age_out()

    async def expire(self) -> None:
        self._model.expire_iterators()

    async def ignore_child_filter(self) -> None:
        self._model.options.child_filter = False

    async def fail(self, reason: str) -> None:
        self._fate = {"throttled": Fate.REFUSED, "reset": Fate.RESET_BEFORE}[reason]

    # -- the port

    async def latest_stream(self, table: str) -> Stream | None:
        self._meet()
        return await self._world.run(self._twin.latest_stream(table))

    async def describe_stream(self, stream: Stream, after_shard: str | None) -> StreamPage:
        self._meet()
        return await self._world.run(self._twin.describe_stream(stream, after_shard))

    async def child_shards(self, stream: Stream, shard_id: str) -> Sequence[Shard]:
        self._meet()
        return await self._world.run(self._twin.child_shards(stream, shard_id))

    async def shard_iterator(
        self, stream: Stream, shard_id: str, position: Position
    ) -> tuple[str, float]:
        self._meet()
        return await self._world.run(self._twin.shard_iterator(stream, shard_id, position))

    async def get_records(self, iterator: str) -> Page:
        self._meet()
        return await self._world.run(self._twin.get_records(iterator))

    def _meet(self) -> None:
        """One request meets what was announced."""
        self._world.meet(self._fate)
        self._fate = None


class OnShardTwin:
    """The twin of one shard: nothing is listed."""

    table = STREAM.table
    keys = ("id",)

    def __init__(self) -> None:
        self.port = ShardTwin()
        self._sequences = count(FIRST)

    def wall(self) -> float:
        return EPOCH

    async def create(self, *, stream: bool = True) -> None:
        assert stream

    async def put(self, *names: str) -> None:
        for name in names:
            self.port.write(next(self._sequences), name)

    async def delete(self, name: str) -> None:
        raise NotImplementedError

    async def disable(self) -> None:
        self.port.closed = True

    async def enable(self, view: ViewType) -> None:
        raise NotImplementedError

    async def split(self, shard_id: str, children: int) -> list[str]:
        self.port.closed = True
        return [f"child-{number}" for number in range(children)]

    async def trim(self) -> None:
        self.port.trimmed = len(self.port.records)

    async def age_out(self, shard_id: str) -> None:
        self.port.gone = True

    async def expire(self) -> None:
        raise NotImplementedError

    async def ignore_child_filter(self) -> None:
        raise NotImplementedError

    async def fail(self, reason: str) -> None:
        error = Retryable(reason, reason)
        self.port.errors.append(error)
        self.port.open_errors.append(error)


class OnShardListTwin:
    """The twin of a listing: nothing is written."""

    keys = ("id",)

    def __init__(self) -> None:
        self.port = ShardListTwin()
        self.table = LISTED.table
        self._names = (f"shardId-{number:020}-aaaaaaaa" for number in count(1))

    def wall(self) -> float:
        return VirtualClock().wall()

    async def create(self, *, stream: bool = True) -> None:
        assert stream
        self.port.open(next(self._names))

    async def put(self, *names: str) -> None:
        raise NotImplementedError

    async def delete(self, name: str) -> None:
        raise NotImplementedError

    async def disable(self) -> None:
        self.port.enabled = False
        for shard_id in self.port.shards:
            self.port.close(shard_id)

    async def enable(self, view: ViewType) -> None:
        raise NotImplementedError

    async def split(self, shard_id: str, children: int) -> list[str]:
        self.port.close(shard_id)
        made = [next(self._names) for _ in range(children)]
        for child in made:
            self.port.open(child, shard_id)
        return made

    async def trim(self) -> None:
        raise NotImplementedError

    async def age_out(self, shard_id: str) -> None:
        del self.port.shards[shard_id]

    async def expire(self) -> None:
        raise NotImplementedError

    async def ignore_child_filter(self) -> None:
        """Children are picked by their parent here."""

    async def fail(self, reason: str) -> None:
        failures: list[ConsumerError] = [Retryable(reason, reason)]
        self.port.failures = failures


@asynccontextmanager
async def shards_of(
    request: pytest.FixtureRequest, use_aws: pytest.MonkeyPatch
) -> AsyncIterator[Shards]:
    """Make what the fixture's parameter names."""
    match request.param:
        case "shard_twin":
            yield OnShardTwin()
        case "shard_list_twin":
            yield OnShardListTwin()
        case "simulation":
            with simulated() as world:
                yield InSimulation(world)
        case name:
            async with on_server(request.getfixturevalue(name), use_aws) as server:
                yield server
