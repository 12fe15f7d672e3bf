"""One shard in memory, read through the StreamClient port, page by page."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from consumer.core.stream.page import Page, decode_page
from consumer.core.stream.stream import (
    AfterSequence,
    AtTrimHorizon,
    Position,
    Shard,
    Stream,
    StreamPage,
    ViewType,
)
from consumer.errors import ShardNotFound, TrimmedData
from tests.twins.virtual_time import EPOCH

STREAM = Stream.from_arn("arn:aws:dynamodb:eu-central-1:0:table/orders/stream/2026-11-01T00:00:00")
FIRST = 10**20


def record(sequence: int, key: str, *, created_at: float = EPOCH, size: int = 0) -> bytes:
    """A MODIFY of item `key`, whose `n` is the sequence number."""
    image = {"id": {"S": key}, "n": {"N": str(sequence)}, "fill": {"S": "x" * size}}
    old = {**image, "n": {"N": str(sequence - 1)}}
    change = {
        "ApproximateCreationDateTime": created_at,
        "Keys": {"id": {"S": key}},
        "NewImage": image,
        "OldImage": old,
        "SequenceNumber": str(sequence),
        "SizeBytes": 100,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    return orjson.dumps(
        {
            "eventID": f"event-{sequence}",
            "eventName": "MODIFY",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "eu-central-1",
            "dynamodb": change,
        }
    )


@dataclass
class ShardTwin:
    """StreamClient port for one shard. An iterator is the index of the next record.

    `errors` are raised by the next calls of get_records, `open_errors` by those of shard_iterator.
    """

    records: list[tuple[int, bytes]] = field(default_factory=list)
    closed: bool = False
    page_records: int = 100
    trimmed: int = 0  # how many of the first records are gone
    errors: deque[Exception | None] = field(default_factory=deque)
    open_errors: deque[Exception | None] = field(default_factory=deque)
    opened: list[Position] = field(default_factory=list)
    calls: int = 0
    delay: float = 0.005
    gone: bool = False
    shard_id: str = "shardId-00000000000000000001-aaaaaaaa"

    def write(self, sequence: int, key: str, **options: Any) -> None:
        self.records.append((sequence, record(sequence, key, **options)))

    def write_many(self, count: int, keys: int, start: int = FIRST, **options: Any) -> None:
        for i in range(count):
            self.write(start + i, f"k{i % keys}", **options)

    async def latest_stream(self, table: str) -> Stream | None:
        return STREAM

    async def describe_stream(self, stream: Stream, after_shard: str | None) -> StreamPage:
        ending = self.records[-1][0] if self.closed and self.records else None
        shard = Shard(self.shard_id, None, ending)
        shards = (shard,) if after_shard is None and not self.gone else ()
        view = ViewType.NEW_AND_OLD_IMAGES
        return StreamPage(stream, not self.closed, view, ("id",), shards, None, EPOCH)

    async def child_shards(self, stream: Stream, shard_id: str) -> Sequence[Shard]:
        return ()

    async def shard_iterator(
        self, stream: Stream, shard_id: str, position: Position
    ) -> tuple[str, float]:
        await asyncio.sleep(self.delay)
        self.opened.append(position)
        if self.gone:
            raise ShardNotFound("gone")
        if self.open_errors and (error := self.open_errors.popleft()) is not None:
            raise error
        match position:
            case AtTrimHorizon():
                index = self.trimmed
            case AfterSequence(sequence):
                index = sum(1 for known, _ in self.records if known <= sequence)
                if self.trimmed and index <= self.trimmed:
                    raise TrimmedData("trimmed")  # the record of that number itself is gone
            case _:
                index = len(self.records)
        return str(index), EPOCH

    async def get_records(self, iterator: str) -> Page:
        self.calls += 1
        await asyncio.sleep(self.delay)
        if self.errors and (error := self.errors.popleft()) is not None:
            raise error
        if self.gone:
            raise ShardNotFound("gone")
        index = int(iterator)
        if index < self.trimmed:
            raise TrimmedData("trimmed")
        page = self.records[index : index + self.page_records]
        body: dict[str, object] = {"Records": [orjson.Fragment(text) for _, text in page]}
        end = index + len(page)
        if not (self.closed and end == len(self.records)):
            body["NextShardIterator"] = str(end)
        return decode_page(orjson.dumps(body))
