"""Input of the judge, read from the stream, Nakadi's logs and the queue, not from the consumer."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localdev.demo.judge import Coordinate
from localdev.demo.stage import Stage
from localdev.demo.telling import Told, card_numbers, operation_of
from localdev.nakadi.json_value import JsonObject
from localdev.workload.aws_client import aws_client

_MESSAGES = 10  # SQS: most of one ReceiveMessage
_WAITING = "ApproximateNumberOfMessages"


@dataclass(frozen=True, slots=True)
class StreamChange:
    """A change, what each event type is told of it, and the values in it that none may show."""

    coordinate: Coordinate
    told: Told
    hidden: frozenset[str]


@dataclass(frozen=True, slots=True)
class StreamContent:
    """Every change of a stream, and the number of its shards."""

    changes: tuple[StreamChange, ...]
    shards: int

    def told(self, event_type: str) -> dict[Coordinate, str]:
        """Return the changes that an event type is told of, with what it is told."""
        return {
            change.coordinate: change.told[event_type]
            for change in self.changes
            if event_type in change.told
        }


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: the event that it stands for, and its text."""

    event_type: str
    coordinate: Coordinate
    text: str


class Evidence:
    """Reads stream, logs and queue of a stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._streams = aws_client("dynamodbstreams", stage.environ)
        self._sqs = aws_client("sqs", stage.environ)

    def stream(self) -> StreamContent:
        """Read all shards from TRIM_HORIZON to their tips; the table must be at rest."""
        arn = self._stage.stream_arn
        shards = list(_shards(self._streams, arn))
        records = [each for shard in shards for each in _read_shard(self._streams, arn, shard)]
        return StreamContent(tuple(map(self._change, records)), len(shards))

    def log(self, event_type: str) -> list[Coordinate]:
        """Return the events of an event type in the order in which they were stored."""
        return [_coordinate(event) for event in self._log(event_type, "key,sequence")]

    def operations(self, event_type: str) -> list[tuple[Coordinate, str]]:
        """Return the events of an event type, each with what it tells."""
        found = self._log(event_type, "key,sequence,event")
        return [
            (_coordinate(event), operation_of(json.loads(str(event["event"])))) for event in found
        ]

    def texts(self) -> Iterator[str]:
        """Yield the text of every event."""
        for event_type in self._stage.event_types:
            yield from (str(event["event"]) for event in self._log(event_type, "event"))

    def dead_letters(self) -> list[Letter]:
        """Receive every message of the dead letter queue; they stay hidden for half a minute."""
        letters = []
        while messages := self._receive():
            for message in messages:
                letter = json.loads(message["Body"])
                (key,) = json.loads(letter["ordering_key"])
                coordinate = Coordinate(key, int(letter["sequence_number"]))
                letters.append(Letter(letter["event_type"], coordinate, message["Body"]))
        return letters

    def _log(self, event_type: str, fields: str) -> list[JsonObject]:
        return self._stage.nakadi.log(event_type, fields)

    def _change(self, record: Mapping[str, Any]) -> StreamChange:
        change = record["dynamodb"]
        place = Coordinate(change["Keys"][self._stage.key]["S"], int(change["SequenceNumber"]))
        return StreamChange(place, self._stage.rule(record), frozenset(card_numbers(record)))

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
) -> Iterator[dict[str, Any]]:
    closed = "EndingSequenceNumber" in shard["SequenceNumberRange"]
    iterator = client.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    while iterator:
        page = client.get_records(ShardIterator=iterator)
        yield from page["Records"]
        if not page["Records"] and not closed:
            return  # the tip
        iterator = page.get("NextShardIterator")


def _coordinate(event: JsonObject) -> Coordinate:
    return Coordinate(str(event["key"]), int(str(event["sequence"])))
