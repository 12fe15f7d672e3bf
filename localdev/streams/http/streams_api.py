"""The four operations of DynamoDB Streams: members in, the answer's JSON out."""

from collections.abc import Callable, Mapping
from enum import StrEnum

import orjson

from localdev.streams.http.arguments import Arguments
from localdev.streams.model.iterator import IteratorType
from localdev.streams.model.shard import PAGE_RECORDS, Shard
from localdev.streams.model.stream import LISTING_SHARDS, Stream
from localdev.streams.model.streams_model import ShardPage, StreamsModel

Operation = Callable[[StreamsModel, Arguments, float], bytes]


class ShardFilterType(StrEnum):
    """What DescribeStream can be asked for."""

    CHILD_SHARDS = "CHILD_SHARDS"


def list_streams(model: StreamsModel, asked: Arguments, now: float) -> bytes:
    """ListStreams."""
    streams, last = model.list_streams(
        asked.optional_text("TableName"),
        asked.optional_text("ExclusiveStartStreamArn"),
        asked.limit("Limit", 100),
        now,
    )
    answer: dict[str, object] = {
        "Streams": [
            {"StreamArn": stream.arn, "TableName": stream.table, "StreamLabel": stream.label}
            for stream in streams
        ]
    }
    if last is not None:
        answer["LastEvaluatedStreamArn"] = last
    return orjson.dumps(answer)


def describe_stream(model: StreamsModel, asked: Arguments, now: float) -> bytes:
    """DescribeStream."""
    arn = asked.text("StreamArn")
    after = asked.optional_text("ExclusiveStartShardId")
    limit = asked.limit("Limit", LISTING_SHARDS)
    shard_filter = asked.optional_inner("ShardFilter")
    if shard_filter is None:
        page = model.describe_stream(arn, after, limit, now)
    else:
        shard_filter.choice("Type", ShardFilterType)
        page = model.child_shards(arn, shard_filter.text("ShardId"), now, after, limit)
    return orjson.dumps({"StreamDescription": _description(model.stream(arn), page)})


def _description(stream: Stream, page: ShardPage) -> dict[str, object]:
    description: dict[str, object] = {
        "StreamArn": stream.arn,
        "StreamLabel": stream.label,
        "StreamStatus": "ENABLED" if stream.enabled else "DISABLED",
        "StreamViewType": stream.view_type,
        "CreationRequestDateTime": round(stream.created_at, 3),
        "TableName": stream.table,
        "KeySchema": stream.key_schema.wire(),
        "Shards": [_shard(shard) for shard in page.shards],
    }
    if page.last_evaluated is not None:
        description["LastEvaluatedShardId"] = page.last_evaluated
    return description


def _shard(shard: Shard) -> dict[str, object]:
    numbers = {"StartingSequenceNumber": str(shard.starting)}
    if shard.ending is not None:
        numbers["EndingSequenceNumber"] = str(shard.ending)
    described: dict[str, object] = {"ShardId": shard.shard_id, "SequenceNumberRange": numbers}
    if shard.parent is not None:
        described["ParentShardId"] = shard.parent
    return described


def get_shard_iterator(model: StreamsModel, asked: Arguments, now: float) -> bytes:
    """GetShardIterator."""
    iterator = model.get_shard_iterator(
        asked.text("StreamArn"),
        asked.text("ShardId"),
        asked.choice("ShardIteratorType", IteratorType),
        now,
        asked.sequence_number("SequenceNumber"),
    )
    return orjson.dumps({"ShardIterator": iterator})


def get_records(model: StreamsModel, asked: Arguments, now: float, *, empty: bool = False) -> bytes:
    """GetRecords; with `empty` the page has no records, even if there are some.

    A record was encoded when it was written: a page is a join.
    """
    limit = asked.limit("Limit", PAGE_RECORDS)
    page = model.get_records(asked.text("ShardIterator"), now, limit, empty=empty)
    following = b"}"
    if page.next_iterator is not None:
        following = b',"NextShardIterator":"%b"}' % page.next_iterator.encode()
    return b'{"Records":[' + b",".join(page.records) + b"]" + following


STREAMS_OPERATIONS: Mapping[str, Operation] = {
    "ListStreams": list_streams,
    "DescribeStream": describe_stream,
    "GetShardIterator": get_shard_iterator,
    "GetRecords": get_records,
}
