"""The implementations of the Table port that the suite runs on. The keys are `pk` and `sk`."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Protocol

import pytest

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.item_text import parsed_item
from consumer.adapters.aws.tables import DynamoDbTable
from consumer.adapters.clock import SystemClock
from consumer.core.republish.table.table_description import TableDescription
from consumer.ports import Table
from tests.twins.table import TableTwin, wire

_tables = count()


class Backend(Protocol):
    """A port under test, and the hand that writes to its table."""

    port: Table
    name: str

    async def put(self, *items: Any) -> None:
        """Write items in typed JSON."""
        ...

    async def delete(self, keys: Any) -> None: ...


class InMemory:
    """The twin of the unit tests."""

    name = "twin"

    def __init__(self) -> None:
        arn = "arn:aws:dynamodb:eu-central-1:1:table/twin"
        described = TableDescription(self.name, arn, ("pk", "sk"), {"pk": "S", "sk": "N"})
        self._table = TableTwin(SystemClock(), described, seconds=0)
        self.port: Table = self._table

    async def put(self, *items: Any) -> None:
        self._table.put(*items)

    async def delete(self, keys: Any) -> None:
        self._table.delete(keys)


class OnServer:
    """A table that no other test uses, on a server with AWS's protocol."""

    def __init__(self, dynamodb: Any) -> None:
        self.name = f"conformance-items-{next(_tables)}"
        self.port: Table = DynamoDbTable(dynamodb, SystemClock(), self.name)
        self._dynamodb = dynamodb

    async def create(self) -> None:
        await self._dynamodb.create_table(
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "sk", "AttributeType": "N"},
                {"AttributeName": "pk", "AttributeType": "S"},
            ],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            StreamSpecification={
                "StreamEnabled": True,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        )

    async def put(self, *items: Any) -> None:
        for item in items:
            parsed = parsed_item(wire(item))
            await self._dynamodb.put_item(TableName=self.name, Item=parsed)

    async def delete(self, keys: Any) -> None:
        await self._dynamodb.delete_item(TableName=self.name, Key=parsed_item(wire(keys)))


@asynccontextmanager
async def on_server(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[OnServer]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    async with Aws() as aws:
        made = OnServer(await aws.dynamodb(4))
        await made.create()
        yield made


def item(text: Any) -> Any:
    """The JSON of an item as a value, to be compared."""
    return None if text is None else json.loads(bytes(text))
