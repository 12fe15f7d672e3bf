"""The implementations of the StreamClient port over real sockets, and what the suites ask of all.

Each has a table that no other test uses, with the keys `id` and `at` where it knows of keys.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Protocol

import pytest

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.streams import DynamoDbStreams
from consumer.adapters.clock import SystemClock
from consumer.core.stream.record import StreamRecord
from consumer.core.stream.stream import AtTrimHorizon, Position, Stream, ViewType
from consumer.observability.metrics import Metrics
from consumer.ports import StreamClient
from localdev.streams.process import StreamsProcess

_tables = count()


class Backend(Protocol):
    """A port under test, and a table whose stream it reads."""

    table: str

    @property
    def port(self) -> StreamClient: ...

    @property
    def keys(self) -> tuple[str, ...]:
        """The primary key's attributes."""
        ...

    def wall(self) -> float:
        """Return the service's time in epoch seconds."""
        ...

    async def create(self, *, stream: bool = True) -> None: ...

    async def put(self, *names: str) -> None:
        """Write items with these partition keys."""
        ...

    async def delete(self, name: str) -> None: ...

    async def disable(self) -> None: ...

    async def enable(self, view: ViewType) -> None:
        """Give the table another stream."""
        ...


class Shards(Backend, Protocol):
    """A backend whose shards close, age and lose records on demand."""

    async def split(self, shard_id: str, children: int) -> list[str]:
        """Close a shard; return its children, of which there may be one."""
        ...

    async def trim(self) -> None:
        """Forget all records."""
        ...

    async def age_out(self, shard_id: str) -> None:
        """Forget a closed shard."""
        ...

    async def expire(self) -> None:
        """Let all iterators expire."""
        ...

    async def ignore_child_filter(self) -> None:
        """Answer CHILD_SHARDS with the whole listing, as some emulators do."""
        ...

    async def fail(self, reason: str) -> None:
        """Let the next call be `throttled` or `reset`."""
        ...


async def stream_of(on: Backend) -> Stream:
    found = await on.port.latest_stream(on.table)
    assert found is not None
    return found


async def only_shard(on: Backend) -> tuple[Stream, str]:
    """Return the stream and its one shard."""
    stream = await stream_of(on)
    (shard,) = (await on.port.describe_stream(stream, None)).shards
    return stream, shard.shard_id


async def read(
    on: Backend, stream: Stream, shard_id: str, position: Position | None = None
) -> tuple[list[str], str | None]:
    """Return the partition keys of all records up to the tip or the end, and the iterator then."""
    iterator: str | None
    iterator, _ = await on.port.shard_iterator(stream, shard_id, position or AtTrimHorizon())
    found: list[str] = []
    empty = 0
    while iterator is not None and empty < 3:
        page = await on.port.get_records(iterator)
        found += [name_of(record) for record in page.records]
        iterator = page.next_iterator
        empty = 0 if page.records else empty + 1
    return found, iterator


def name_of(record: object) -> str:
    assert isinstance(record, StreamRecord)
    text = bytes(record.keys).decode()
    return text.split('"id"')[1].split('"')[3]


class OnServer:
    """Servers with AWS's protocol."""

    keys = ("id", "at")

    def __init__(
        self, port: DynamoDbStreams, dynamodb: Any, metrics: Metrics, server: object
    ) -> None:
        self.port = port
        self.metrics = metrics
        self.table = f"conformance-{next(_tables)}"
        self._dynamodb = dynamodb
        self._server = server

    def wall(self) -> float:
        return time.time()

    async def create(self, *, stream: bool = True) -> None:
        view = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        extra = {"StreamSpecification": view} if stream else {}
        await self._dynamodb.create_table(
            TableName=self.table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "at", "AttributeType": "N"},
            ],
            KeySchema=[
                {"AttributeName": "id", "KeyType": "HASH"},
                {"AttributeName": "at", "KeyType": "RANGE"},
            ],
            **extra,
        )

    async def put(self, *names: str) -> None:
        for name in names:
            item = {**key_of(name), "n": {"N": str(next(_versions))}, "text": {"S": "x" * 200}}
            await self._dynamodb.put_item(TableName=self.table, Item=item)

    async def delete(self, name: str) -> None:
        await self._dynamodb.delete_item(TableName=self.table, Key=key_of(name))

    async def disable(self) -> None:
        await self._dynamodb.update_table(
            TableName=self.table, StreamSpecification={"StreamEnabled": False}
        )

    async def enable(self, view: ViewType) -> None:
        specification = {"StreamEnabled": True, "StreamViewType": view.value}
        await self._dynamodb.update_table(TableName=self.table, StreamSpecification=specification)

    # -- our own streams server only

    def control(self, command: str, **members: object) -> dict[str, object]:
        assert isinstance(self._server, StreamsProcess)
        return self._server.control(command, **members)

    async def split(self, shard_id: str, children: int) -> list[str]:
        members: dict[str, object] = {"table": self.table, "shard": shard_id}
        if children == 1:
            made = self.control("rotate", **members)["opened"]
        else:
            made = self.control("split", children=children, **members)["opened"]
        assert isinstance(made, list)
        return made

    async def trim(self) -> None:
        self.control("trim", table=self.table)

    async def age_out(self, shard_id: str) -> None:
        self.control("age-out", table=self.table, shard=shard_id)

    async def expire(self) -> None:
        self.control("iterators", expire=True)

    async def ignore_child_filter(self) -> None:
        self.control("options", child_filter=False)

    async def fail(self, reason: str) -> None:
        kind = {"throttled": "throttle", "reset": "reset"}[reason]
        self.control("faults", add=[{"kind": kind, "operation": "*"}])


_versions = count()


def key_of(name: str) -> dict[str, dict[str, Any]]:
    return {"id": {"S": name}, "at": {"N": "1"}}


@asynccontextmanager
async def on_server(server: Any, use_aws: pytest.MonkeyPatch) -> AsyncIterator[OnServer]:
    """Connect to a server; our own is as it was before when the block ends."""
    for name, value in server.environment().items():
        use_aws.setenv(name, value)
    async with Aws() as aws:
        dynamodb = await aws.dynamodb(8)
        metrics = Metrics()
        port = DynamoDbStreams(await aws.streams(8), dynamodb, SystemClock(), metrics)
        yield OnServer(port, dynamodb, metrics, server)
    if isinstance(server, StreamsProcess):
        server.control("faults", clear=True)
        server.control("options", child_filter=True)
