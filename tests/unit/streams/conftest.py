from __future__ import annotations

from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from localdev.streams.process import StreamsProcess, streams_process
from tests.unit.streams.streams_wire import create_table, open_iterator, settings, shards

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[StreamsProcess]:
    with streams_process("--shards", "2") as process:
        yield process


@pytest.fixture
def database(server: StreamsProcess) -> Iterator[Any]:
    with closing(boto3.client("dynamodb", **settings(server))) as client:
        yield client


@pytest.fixture
def streams(server: StreamsProcess) -> Iterator[Any]:
    with closing(boto3.client("dynamodbstreams", **settings(server))) as client:
        yield client


@pytest.fixture
def table(database: Any) -> str:
    name = f"table-{next(TABLES)}"
    create_table(database, name)
    return name


@pytest.fixture
def arn(database: Any, table: str) -> str:
    described = database.describe_table(TableName=table)["Table"]
    assert described["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert described["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    return str(described["LatestStreamArn"])


@pytest.fixture
def iterator(server: StreamsProcess, streams: Any, table: str, arn: str) -> str:
    server.control("fill", table=table, records=40)
    return open_iterator(streams, arn, shards(streams, arn)[0]["ShardId"])
