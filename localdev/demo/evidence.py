"""What the judge is shown: read from the stream, the log and the queue, not from the consumer."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localdev.demo.judge import Coordinate
from localdev.nakadi.process import NakadiProcess
from localdev.workload.aws_client import aws_client
from localdev.workload.table import KEY

_MESSAGES = 10  # SQS: most of one ReceiveMessage


@dataclass(frozen=True, slots=True)
class StreamContent:
    """Every change of a stream, and the number of its shards."""

    changes: tuple[Coordinate, ...]
    shards: int


def read_stream(arn: str, environ: Mapping[str, str]) -> StreamContent:
    """Read all shards from TRIM_HORIZON to their tips; the table must be at rest."""
    client = aws_client("dynamodbstreams", environ)
    shards = list(_shards(client, arn))
    changes = [change for shard in shards for change in _read_shard(client, arn, shard)]
    return StreamContent(tuple(changes), len(shards))


def read_log(nakadi: NakadiProcess, event_type: str) -> list[Coordinate]:
    """Return all events in the order in which they were stored."""
    return [_stored(event) for event in nakadi.log(event_type, "key,sequence")]


def read_dead_letters(queue_url: str, environ: Mapping[str, str]) -> set[Coordinate]:
    """Receive every message of the dead letter queue; they stay hidden for half a minute."""
    client = aws_client("sqs", environ)
    letters: set[Coordinate] = set()
    while True:
        answer = client.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=_MESSAGES)
        if not answer.get("Messages"):
            return letters
        for message in answer["Messages"]:
            letter = json.loads(message["Body"])
            (key,) = json.loads(letter["ordering_key"])
            letters.add(Coordinate(key, int(letter["sequence_number"])))


def waiting_messages(queue_url: str, environ: Mapping[str, str]) -> int:
    """Return how many dead letters there are, about."""
    name = "ApproximateNumberOfMessages"
    answer = aws_client("sqs", environ).get_queue_attributes(
        QueueUrl=queue_url, AttributeNames=[name]
    )
    return int(answer["Attributes"][name])


def _stored(event: Mapping[str, Any]) -> Coordinate:
    return Coordinate(event["key"], int(event["sequence"]))


def _shards(client: Any, arn: str) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - made by botocore
    page: dict[str, str] = {}
    while True:
        description = client.describe_stream(StreamArn=arn, **page)["StreamDescription"]
        yield from description["Shards"]
        if not description.get("LastEvaluatedShardId"):
            return
        page = {"ExclusiveStartShardId": description["LastEvaluatedShardId"]}


def _read_shard(
    client: Any,  # noqa: ANN401 - made by botocore
    arn: str,
    shard: Mapping[str, Any],
) -> Iterator[Coordinate]:
    closed = "EndingSequenceNumber" in shard["SequenceNumberRange"]
    iterator = client.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    while iterator:
        page = client.get_records(ShardIterator=iterator)
        for record in page["Records"]:
            change = record["dynamodb"]
            yield Coordinate(change["Keys"][KEY]["S"], int(change["SequenceNumber"]))
        if not page["Records"] and not closed:
            return  # the tip
        iterator = page.get("NextShardIterator")
