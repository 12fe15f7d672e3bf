"""The relay that one would write first, to compare with: objects all the way, no leases, one loop.

AWS_ENDPOINT_URL_DYNAMODB_STREAMS=… python -m tests.benchmarks.plain_relay STREAM_ARN NAKADI_URL
"""

import asyncio
import json
import sys
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import jsonpatch
from aiobotocore.session import get_session
from boto3.dynamodb.types import TypeDeserializer

BATCH_EVENTS = 500
IDLE_SECONDS = 0.25
EVENT_TYPE = "order-store.order"
_DATA_OP = {"INSERT": "C", "MODIFY": "U", "REMOVE": "D"}
_deserialize = TypeDeserializer().deserialize


def plain(value: Any) -> Any:
    """What JSON can say of a deserialised attribute."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case set():
            return sorted(plain(member) for member in value)
        case dict():
            return {name: plain(member) for name, member in value.items()}
        case list():
            return [plain(member) for member in value]
    return value


def image(attributes: dict[str, Any] | None) -> dict[str, Any]:
    return {name: plain(_deserialize(value)) for name, value in (attributes or {}).items()}


def event(space: uuid.UUID, label: str, record: dict[str, Any]) -> dict[str, Any]:
    change = record["dynamodb"]
    old, new = image(change.get("OldImage")), image(change.get("NewImage"))
    operation = _DATA_OP[record["eventName"]]
    data = dict(old if operation == "D" else new)
    if operation == "U":
        data["patch"] = jsonpatch.make_patch(old, new).patch
    data["change"] = {"sequence": change["SequenceNumber"].zfill(40), "stream": label}
    return {
        "metadata": {
            "eid": str(uuid.uuid5(space, record["eventID"])),
            "occurred_at": _time(change["ApproximateCreationDateTime"]),
        },
        "data_type": "order-store:order",
        "data_op": operation,
        "data": data,
    }


def _time(created: datetime | float) -> str:
    """RFC 3339; botocore gives a datetime, Lambda epoch seconds."""
    if not isinstance(created, datetime):
        created = datetime.fromtimestamp(created, UTC)
    return created.strftime("%Y-%m-%dT%H:%M:%SZ")


async def relay(stream_arn: str, nakadi_url: str) -> None:
    session = get_session()
    async with (
        session.create_client("dynamodbstreams") as streams,
        httpx.AsyncClient(base_url=nakadi_url) as nakadi,
    ):
        description = await streams.describe_stream(StreamArn=stream_arn)
        async with asyncio.TaskGroup() as tasks:
            for shard in description["StreamDescription"]["Shards"]:
                answer = await streams.get_shard_iterator(
                    StreamArn=stream_arn,
                    ShardId=shard["ShardId"],
                    ShardIteratorType="TRIM_HORIZON",
                )
                tasks.create_task(read(streams, nakadi, stream_arn, answer["ShardIterator"]))


async def read(streams: Any, nakadi: httpx.AsyncClient, stream_arn: str, iterator: str) -> None:
    space, label = uuid.uuid5(uuid.NAMESPACE_URL, stream_arn), stream_arn.partition("/stream/")[2]
    while True:
        page = await streams.get_records(ShardIterator=iterator, Limit=1000)
        iterator = page["NextShardIterator"]
        events = [event(space, label, record) for record in page["Records"]]
        for start in range(0, len(events), BATCH_EVENTS):
            answer = await nakadi.post(
                f"/event-types/{EVENT_TYPE}/events",
                content=json.dumps(events[start : start + BATCH_EVENTS]),
                headers={"Content-Type": "application/json"},
            )
            answer.raise_for_status()
        if not events:
            await asyncio.sleep(IDLE_SECONDS)


if __name__ == "__main__":
    asyncio.run(relay(sys.argv[1], sys.argv[2]))
