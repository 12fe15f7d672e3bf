"""Input of the judge, read from the stream, Nakadi's log and the queue, not from the consumer."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localdev.demo.judge import Coordinate
from localdev.demo.stage import EVENT_TYPE, Stage
from localdev.workload.aws_client import aws_client
from localdev.workload.table import KEY

_MESSAGES = 10  # SQS: most of one ReceiveMessage
_WAITING = "ApproximateNumberOfMessages"


@dataclass(frozen=True, slots=True)
class StreamContent:
    """Every change of a stream, and the number of its shards."""

    changes: tuple[Coordinate, ...]
    shards: int


class Evidence:
    """Reads stream, log and queue of a stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._streams = aws_client("dynamodbstreams", stage.environ)
        self._sqs = aws_client("sqs", stage.environ)

    def stream(self) -> StreamContent:
        """Read all shards from TRIM_HORIZON to their tips; the table must be at rest."""
        arn = self._stage.stream_arn
        shards = list(_shards(self._streams, arn))
        changes = [change for shard in shards for change in _read_shard(self._streams, arn, shard)]
        return StreamContent(tuple(changes), len(shards))

    def log(self) -> list[Coordinate]:
        """Return all events in the order in which they were stored."""
        events = self._stage.nakadi.log(EVENT_TYPE, "key,sequence")
        return [Coordinate(str(event["key"]), int(str(event["sequence"]))) for event in events]

    def dead_letters(self) -> set[Coordinate]:
        """Receive every message of the dead letter queue; they stay hidden for half a minute."""
        letters: set[Coordinate] = set()
        while messages := self._receive():
            for message in messages:
                letter = json.loads(message["Body"])
                (key,) = json.loads(letter["ordering_key"])
                letters.add(Coordinate(key, int(letter["sequence_number"])))
        return letters

    def dead_letter_count(self) -> int:
        """Return about how many dead letters there are."""
        answer = self._sqs.get_queue_attributes(
            QueueUrl=self._stage.queue_url, AttributeNames=[_WAITING]
        )
        return int(answer["Attributes"][_WAITING])

    def _receive(self) -> list[dict[str, str]]:
        answer = self._sqs.receive_message(
            QueueUrl=self._stage.queue_url, MaxNumberOfMessages=_MESSAGES
        )
        messages: list[dict[str, str]] = answer.get("Messages", [])
        return messages


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
