"""The server as its users meet it: AWS's own clients, raw requests, and what control tells."""

from __future__ import annotations

import http.client
import json
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.config import Config

if TYPE_CHECKING:
    from localdev.streams.process import StreamsProcess


def settings(server: StreamsProcess) -> dict[str, Any]:
    return {
        "endpoint_url": server.url,
        "region_name": "us-east-1",
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",  # pragma: allowlist secret
        "config": Config(
            retries={"mode": "standard", "max_attempts": 0}, parameter_validation=False
        ),
    }


def create_table(database: Any, name: str, view_type: str = "NEW_AND_OLD_IMAGES") -> None:
    database.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": view_type},
    )


def told(server: StreamsProcess, **members: Any) -> Any:
    """The truth about the one stream that is asked for."""
    answer: Any = server.control("truth", **members)
    (stream,) = answer["streams"]
    return stream


def shards(streams: Any, arn: str, **members: Any) -> list[dict[str, Any]]:
    answer = streams.describe_stream(StreamArn=arn, **members)["StreamDescription"]
    return list(answer["Shards"])


def open_iterator(streams: Any, arn: str, shard_id: str, **members: Any) -> str:
    asked = {"ShardIteratorType": "TRIM_HORIZON", **members}
    return str(
        streams.get_shard_iterator(StreamArn=arn, ShardId=shard_id, **asked)["ShardIterator"]
    )


def read_tree(streams: Any, arn: str) -> list[dict[str, Any]]:
    """Read each shard to its end, or to its first empty page, parents first."""
    records: list[dict[str, Any]] = []
    waiting = [shard for shard in shards(streams, arn) if "ParentShardId" not in shard]
    while waiting:
        shard_id = waiting.pop(0)["ShardId"]
        iterator: str | None = open_iterator(streams, arn, shard_id)
        while iterator is not None:
            page = streams.get_records(ShardIterator=iterator, Limit=7)
            records += page["Records"]
            iterator = page.get("NextShardIterator")
            if not page["Records"]:
                break
        if iterator is None:
            child_filter = {"Type": "CHILD_SHARDS", "ShardId": shard_id}
            waiting += shards(streams, arn, ShardFilter=child_filter)
    return records


class Answer:
    """What came over the wire."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.length = int(response.headers["Content-Length"])
        try:
            self.body = response.read()
        except http.client.IncompleteRead as incomplete:
            self.body = incomplete.partial

    @property
    def crc_fits(self) -> bool:
        return self.headers["x-amz-crc32"] == str(zlib.crc32(self.body))


def post(
    server: StreamsProcess, operation: str, *, encoding: str = "identity", **members: Any
) -> Answer:
    headers = {
        "X-Amz-Target": f"DynamoDBStreams_20120810.{operation}",
        "Accept-Encoding": encoding,
    }
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    with closing(connection):
        connection.request("POST", "/", json.dumps(members).encode(), headers)
        return Answer(connection.getresponse())
