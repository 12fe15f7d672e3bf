"""A server of DynamoDB Streams, through AWS's own client: ours and the emulators."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conformance.streams.stream_services import ListedShard, Listing, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conformance.streams.stream_services import Item, Record

BATCH = 25  # the most that BatchWriteItem takes


class Control(Protocol):
    """The control endpoint of our own server."""

    def __call__(self, command: str, **members: object) -> dict[str, object]: ...


class AwsService:
    """A server, through AWS's own client. `control` is there for our own server only."""

    def __init__(self, environment: dict[str, str], control: Control | None = None) -> None:
        endpoint = environment.get("AWS_ENDPOINT_URL") or environment["AWS_ENDPOINT_URL_DYNAMODB"]
        settings: dict[str, Any] = {
            "endpoint_url": endpoint,
            "region_name": environment["AWS_REGION"],
            "aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"],
            "config": Config(
                retries={"mode": "standard", "total_max_attempts": 1}, parameter_validation=False
            ),
        }
        self._database = boto3.client("dynamodb", **settings)
        self._streams = boto3.client("dynamodbstreams", **settings)
        self._control = control

    def close(self) -> None:
        self._database.close()
        self._streams.close()

    def create(self, table: str, view: str | None, *, sort: bool = False) -> None:
        keys = {"id": ("HASH", "S"), **({"at": ("RANGE", "N")} if sort else {})}
        extra = {} if view is None else {"StreamSpecification": _specification(view)}
        with _refusals():
            self._database.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[
                    {"AttributeName": name, "AttributeType": kind}
                    for name, (_, kind) in keys.items()
                ],
                KeySchema=[
                    {"AttributeName": name, "KeyType": role} for name, (role, _) in keys.items()
                ],
                **extra,
            )

    def enable(self, table: str, view: str) -> None:
        with _refusals():
            self._database.update_table(TableName=table, StreamSpecification=_specification(view))

    def disable(self, table: str) -> None:
        with _refusals():
            self._database.update_table(
                TableName=table, StreamSpecification={"StreamEnabled": False}
            )

    def put(self, table: str, item: Item) -> None:
        with _refusals():
            self._database.put_item(TableName=table, Item=item)

    def put_all(self, table: str, items: list[Item]) -> None:
        for first in range(0, len(items), BATCH):
            writes = [{"PutRequest": {"Item": item}} for item in items[first : first + BATCH]]
            with _refusals():
                left = self._database.batch_write_item(RequestItems={table: writes})
            assert left["UnprocessedItems"] == {}

    def delete(self, table: str, key: Item) -> None:
        with _refusals():
            self._database.delete_item(TableName=table, Key=key)

    def latest(self, table: str) -> str | None:
        with _refusals():
            described = self._database.describe_table(TableName=table)["Table"]
        arn: str | None = described.get("LatestStreamArn")
        return arn

    def streams(
        self, table: str | None, after: str | None = None, limit: int = 100
    ) -> tuple[list[str], str | None]:
        asked = {"TableName": table, "ExclusiveStartStreamArn": after}
        with _refusals():
            answer = self._streams.list_streams(Limit=limit, **_given(asked))
        found = [stream["StreamArn"] for stream in answer["Streams"]]
        return found, answer.get("LastEvaluatedStreamArn")

    def describe(
        self, arn: str, after: str | None = None, limit: int = 100, children_of: str | None = None
    ) -> Listing:
        asked: dict[str, Any] = {"ExclusiveStartShardId": after}
        if children_of is not None:
            asked["ShardFilter"] = {"Type": "CHILD_SHARDS", "ShardId": children_of}
        with _refusals():
            answer = self._streams.describe_stream(StreamArn=arn, Limit=limit, **_given(asked))
        found = answer["StreamDescription"]
        return Listing(
            arn=found["StreamArn"],
            label=found["StreamLabel"],
            table=found["TableName"],
            status=found["StreamStatus"],
            view=found["StreamViewType"],
            keys=[(key["AttributeName"], key["KeyType"]) for key in found["KeySchema"]],
            shards=[
                ListedShard(
                    shard["ShardId"],
                    shard.get("ParentShardId"),
                    shard["SequenceNumberRange"].get("StartingSequenceNumber"),
                    shard["SequenceNumberRange"].get("EndingSequenceNumber"),
                )
                for shard in found["Shards"]
            ],
            last=found.get("LastEvaluatedShardId"),
        )

    def iterator(self, arn: str, shard: str, kind: str, sequence: str | None = None) -> str:
        with _refusals():
            answer = self._streams.get_shard_iterator(
                StreamArn=arn,
                ShardId=shard,
                ShardIteratorType=kind,
                **_given({"SequenceNumber": sequence}),
            )
        return str(answer["ShardIterator"])

    def records(self, iterator: str, limit: int = 1000) -> tuple[list[Record], str | None]:
        with _refusals():
            answer = self._streams.get_records(ShardIterator=iterator, Limit=limit)
        for record in answer["Records"]:
            change = record["dynamodb"]
            at = change["ApproximateCreationDateTime"]
            change["ApproximateCreationDateTime"] = (
                at.timestamp() if isinstance(at, datetime) else at
            )
        return answer["Records"], answer.get("NextShardIterator")

    def split(self, table: str, shard: str, children: int) -> None:
        if children == 1:
            self._do("rotate", table=table, shard=shard)
        else:
            self._do("split", table=table, shard=shard, children=children)

    def trim(self, table: str, up_to: str) -> None:
        self._do("trim", table=table, up_to=up_to)

    def age_out(self, table: str, shard: str) -> None:
        self._do("age-out", table=table, shard=shard)

    def expire_iterators(self) -> None:
        self._do("iterators", expire=True)

    def _do(self, command: str, **members: object) -> None:
        assert self._control is not None, "skip what a service cannot do"
        self._control(command, **members)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise Refused(error.response["Error"]["Code"]) from None


def _specification(view: str) -> dict[str, Any]:
    return {"StreamEnabled": True, "StreamViewType": view}


def _given(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
