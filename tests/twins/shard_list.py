"""The lineage side of DynamoDB Streams in memory: listing, children, iterators. No records."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from consumer.core.stream.page import Page
from consumer.core.stream.stream import Position, Shard, Stream, StreamPage, ViewType
from consumer.errors import ConsumerError, ShardNotFound, TableNotFound
from tests.twins.virtual_time import EPOCH

STREAM = Stream.from_arn(
    "arn:aws:dynamodb:eu-central-1:000000000000:table/orders/stream/2026-11-01T00:00:00.000"
)


def stream(label: str) -> Stream:
    return Stream(f"{STREAM.arn.rsplit('/', 1)[0]}/{label}", STREAM.table, label)


NEWER, NEWEST = stream("2026-11-02T00:00:00.000"), stream("2026-11-03T00:00:00.000")
"""The streams that the table may have after STREAM."""


@dataclass
class ShardListTwin:
    """`exists` answers GetShardIterator, `hidden` of them are not listed (yet)."""

    shards: dict[str, Shard] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    latest: Stream | None = STREAM
    table_gone: bool = False
    enabled: bool = True
    gone: bool = False
    page_size: int = 100
    view_type: ViewType = ViewType.NEW_AND_OLD_IMAGES
    unfit: dict[str, ViewType] = field(default_factory=dict)  # of other streams, by label
    failures: list[ConsumerError] = field(default_factory=list)  # raised one per call
    calls: list[tuple[str, str, float]] = field(default_factory=list)

    def open(self, shard_id: str, parent: str | None = None) -> None:
        self.shards[shard_id] = Shard(shard_id, parent, None)

    def close(self, shard_id: str, ending: int = 100) -> None:
        self.shards[shard_id] = replace(self.shards[shard_id], ending=ending)

    def count(self, operation: str) -> int:
        return sum(name == operation for name, _, _ in self.calls)

    async def _call(self, operation: str, shard_id: str = "") -> None:
        await asyncio.sleep(0.01)
        self.calls.append((operation, shard_id, asyncio.get_running_loop().time()))
        if self.failures:
            raise self.failures.pop(0)

    def _date(self) -> float:
        return EPOCH + asyncio.get_running_loop().time()

    async def latest_stream(self, table: str) -> Stream | None:
        await self._call("latest_stream")
        if self.table_gone:
            raise TableNotFound(table)
        return self.latest

    async def describe_stream(self, stream: Stream, after_shard: str | None) -> StreamPage:
        await self._call("describe_stream", after_shard or "")
        if self.gone:
            raise ShardNotFound(stream.arn)
        listed = [shard for name, shard in sorted(self.shards.items()) if name not in self.hidden]
        rest = [shard for shard in listed if after_shard is None or shard.shard_id > after_shard]
        page = tuple(rest[: self.page_size])
        more = page[-1].shard_id if len(rest) > self.page_size else None
        view = self.unfit.get(stream.label, self.view_type)
        return StreamPage(stream, self.enabled, view, ("id",), page, more, self._date())

    async def child_shards(self, stream: Stream, shard_id: str) -> Sequence[Shard]:
        await self._call("child_shards", shard_id)
        return tuple(
            shard
            for name, shard in self.shards.items()
            if shard.parent_shard_id == shard_id and name not in self.hidden
        )

    async def shard_iterator(
        self, stream: Stream, shard_id: str, position: Position
    ) -> tuple[str, float]:
        await self._call("shard_iterator", shard_id)
        if self.gone or shard_id not in self.shards:
            raise ShardNotFound(shard_id)
        return f"{shard_id}@{position}", self._date()

    async def get_records(self, iterator: str) -> Page:
        await self._call("get_records", iterator)
        raise ShardNotFound("there are no records here")
