"""The backends that the StreamClient suite runs on, each with a table that no other test uses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.streams import DynamoDbStreams
from consumer.adapters.clock import SystemClock
from consumer.core.stream.record import StreamRecord
from consumer.core.stream.stream import AtTrimHorizon, Position, Stream
from consumer.observability.metrics import Metrics

_tables = count()


@dataclass
class Backend:
    """A port under test, and a client to write with."""

    port: DynamoDbStreams
    dynamodb: Any
    table: str
    metrics: Metrics

    async def create(self, *, stream: bool = True) -> None:
        view = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        extra = {"StreamSpecification": view} if stream else {}
        await self.dynamodb.create_table(
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

    async def stream(self) -> Stream:
        found = await self.port.latest_stream(self.table)
        assert found is not None
        return found

    async def put(self, *names: str) -> None:
        for name in names:
            item = {"id": {"S": name}, "at": {"N": "1"}, "text": {"S": "x" * 200}}
            await self.dynamodb.put_item(TableName=self.table, Item=item)

    async def read(
        self, stream: Stream, shard_id: str, position: Position | None = None, pages: int = 20
    ) -> tuple[list[str], str | None]:
        """Partition keys of all records up to the tip or the end, and the iterator after that."""
        at = position or AtTrimHorizon()
        iterator: str | None
        iterator, _ = await self.port.shard_iterator(stream, shard_id, at)
        found: list[str] = []
        empty = 0
        for _ in range(pages):
            page = await self.port.get_records(iterator)
            found += [name_of(record) for record in page.records]
            iterator = page.next_iterator
            empty = 0 if page.records else empty + 1
            if iterator is None or empty == 3:
                return found, iterator
        return found, iterator


def name_of(record: object) -> str:
    assert isinstance(record, StreamRecord)
    text = bytes(record.keys).decode()
    return text.split('"id"')[1].split('"')[3]


@asynccontextmanager
async def backend(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Backend]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    async with Aws() as aws:
        dynamodb = await aws.dynamodb(8)
        metrics = Metrics()
        port = DynamoDbStreams(await aws.streams(8), dynamodb, SystemClock(), metrics)
        yield Backend(port, dynamodb, f"conformance-{next(_tables)}", metrics)
