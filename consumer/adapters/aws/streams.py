"""DynamoDB Streams: the StreamClient port.

The SDK never retries. Facts about a shard (`TrimmedData`, `ShardNotFound`, `ExpiredIterator`) come
only from the service's own error codes. Every other failure is Retryable and says nothing about the
shard. An iterator that GetRecords refuses for any reason of its own counts as expired.

Sequence numbers are integers in this service and text in the API. AWS writes 21 to 40 digits
without leading zeros. Emulators pad numbers to a width of their own and compare them as text, so
the width is taken from the numbers in DescribeStream.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, assert_never

from consumer.adapters.aws.aws_errors import (
    CALL_FAILURES,
    describe,
    error_code,
    refuses,
    retryable,
)
from consumer.adapters.aws.whole_number import whole_number
from consumer.adapters.clock import epoch_of
from consumer.adapters.odd_answer import reading
from consumer.core.stream.stream import (
    AfterSequence,
    AtLatest,
    AtTrimHorizon,
    Position,
    Shard,
    Stream,
    StreamPage,
    ViewType,
)
from consumer.errors import (
    INVALID_ITERATOR,
    ConsumerError,
    ExpiredIterator,
    Retryable,
    ShardNotFound,
    TableNotFound,
    TrimmedData,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from consumer.core.stream.page import Page
    from consumer.observability.metrics import Metrics
    from consumer.ports import Clock

REQUEST_SECONDS: Final = 15.0
"""Longest request, including the wait for a connection of the pool."""

RECORDS_PER_PAGE: Final = 1000
"""The largest page that GetRecords returns."""

SHARDS_PER_PAGE: Final = 100
"""The largest page that DescribeStream returns."""

CHILD_PAGES: Final = 100
"""Most pages with the filter CHILD_SHARDS. Only a backend that ignores it has a second page."""

SEQUENCE_DIGITS: Final = 21
"""The fewest digits of a SequenceNumber, by the service's API model."""

GET_RECORDS: Final = "GetRecords"

_FACTS: Final[Mapping[str, type[ConsumerError]]] = {
    "ExpiredIteratorException": ExpiredIterator,
    "TrimmedDataAccessException": TrimmedData,
    "ResourceNotFoundException": ShardNotFound,
}


class DynamoDbStreams:
    """StreamClient port. `streams` and `dynamodb` are clients made by `Aws`."""

    def __init__(
        self,
        streams: Any,  # noqa: ANN401 - made by botocore
        dynamodb: Any,  # noqa: ANN401 - made by botocore
        clock: Clock,
        metrics: Metrics | None = None,
    ) -> None:
        self._streams = streams
        self._dynamodb = dynamodb
        self._clock = clock
        self._metrics = metrics
        self._digits = SEQUENCE_DIGITS

    async def latest_stream(self, table: str) -> Stream | None:
        """Return the table's latest stream, None if it never had one.

        Raise TableNotFound if there is no such table.
        """
        try:
            answer = await _call("DescribeTable", self._dynamodb.describe_table, TableName=table)
        except ShardNotFound:
            region = self._dynamodb.meta.region_name
            raise TableNotFound(f"no table {table!r} in {region}") from None
        with reading("DescribeTable"):
            arn = answer["Table"].get("LatestStreamArn")
            return Stream.from_arn(_text(arn)) if arn else None

    async def describe_stream(self, stream: Stream, after_shard: str | None) -> StreamPage:
        """Return the page of the listing after a shard, the first page for None.

        Raise ShardNotFound if the stream does not exist.
        """
        return await self._describe(stream, after_shard)

    async def child_shards(self, stream: Stream, shard_id: str) -> Sequence[Shard]:
        """Return the direct children of a shard, even from a backend that ignores the filter."""
        children: list[Shard] = []
        after: str | None = None
        child_filter = {"Type": "CHILD_SHARDS", "ShardId": shard_id}
        for _ in range(CHILD_PAGES):
            page = await self._describe(stream, after, ShardFilter=child_filter)
            children.extend(shard for shard in page.shards if shard.parent_shard_id == shard_id)
            after = page.last_evaluated
            if after is None:
                return children
        raise Retryable(f"DescribeStream: more than {CHILD_PAGES} pages", "malformed_answer")

    async def shard_iterator(
        self, stream: Stream, shard_id: str, position: Position
    ) -> tuple[str, float]:
        """Return an iterator, and the Date of the answer in epoch seconds."""
        where: dict[str, str]
        match position:
            case AtTrimHorizon():
                where = {"ShardIteratorType": "TRIM_HORIZON"}
            case AtLatest():
                where = {"ShardIteratorType": "LATEST"}
            case AfterSequence(sequence):
                where = {
                    "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                    "SequenceNumber": str(sequence).zfill(self._digits),
                }
            case _:
                assert_never(position)
        answer = await _call(
            "GetShardIterator",
            self._streams.get_shard_iterator,
            StreamArn=stream.arn,
            ShardId=shard_id,
            **where,
        )
        with reading("GetShardIterator"):
            iterator = _text(answer.get("ShardIterator"))
        if not iterator:
            raise Retryable("GetShardIterator: an answer without iterator", "malformed_answer")
        return iterator, self._date(answer)

    async def get_records(self, iterator: str) -> Page:
        """Return the next page. Raise ExpiredIterator, TrimmedData or ShardNotFound."""
        answer = await _call(
            GET_RECORDS,
            self._streams.get_records,
            ShardIterator=iterator,
            Limit=RECORDS_PER_PAGE,
        )
        if self._metrics is not None:
            encoding = self._metrics.get_records_bytes.labels(encoding=answer["Encoding"])
            encoding.inc(answer["WireBytes"])
        page: Page = answer["Page"]
        return page

    async def _describe(
        self,
        stream: Stream,
        after_shard: str | None,
        **extra: object,
    ) -> StreamPage:
        if after_shard is not None:
            extra["ExclusiveStartShardId"] = after_shard
        answer = await _call(
            "DescribeStream",
            self._streams.describe_stream,
            StreamArn=stream.arn,
            Limit=SHARDS_PER_PAGE,
            **extra,
        )
        with reading("DescribeStream"):
            description = answer["StreamDescription"]
            page = _page(stream, description, self._date(answer))
            self._learn_width(description["Shards"])
            return page

    def _learn_width(self, shards: Sequence[Mapping[str, Any]]) -> None:
        for shard in shards:
            first = shard.get("SequenceNumberRange", {}).get("StartingSequenceNumber", "")
            if first.startswith("0"):
                self._digits = len(first)

    def _date(self, answer: Mapping[str, Any]) -> float:
        date = epoch_of(answer["ResponseMetadata"]["HTTPHeaders"].get("date"))
        return self._clock.wall() if date is None else date


async def _call(
    name: str, operation: Callable[..., Awaitable[dict[str, Any]]], **arguments: object
) -> dict[str, Any]:
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            return await operation(**arguments)
    except CALL_FAILURES as error:
        raise _translated(name, error) from error


def _translated(name: str, error: Exception) -> ConsumerError:
    fact = _FACTS.get(error_code(error) or "")
    if fact is not None:
        return fact(f"{name}: {describe(error)}")
    if name == GET_RECORDS and refuses(error):
        # There is nothing else in the request that could be refused.
        return ExpiredIterator(f"{name}: {describe(error)}", INVALID_ITERATOR)
    return retryable(name, error)


def _page(stream: Stream, description: Mapping[str, Any], answered_at: float) -> StreamPage:
    last = description.get("LastEvaluatedShardId")
    keys = tuple(_text(key["AttributeName"]) for key in description["KeySchema"])
    if not keys:
        raise ValueError("KeySchema: empty")
    return StreamPage(
        stream=stream,
        enabled=description["StreamStatus"] in ("ENABLED", "ENABLING"),
        view_type=ViewType(description["StreamViewType"]),
        key_attributes=keys,
        shards=tuple(_shard(shard) for shard in description["Shards"]),
        last_evaluated=None if last is None else _text(last),
        answered_at=answered_at,
    )


def _shard(shard: Mapping[str, Any]) -> Shard:
    ending = shard.get("SequenceNumberRange", {}).get("EndingSequenceNumber")
    parent = shard.get("ParentShardId")
    return Shard(
        shard_id=_text(shard["ShardId"]),
        parent_shard_id=None if parent is None else _text(parent),
        ending=None if ending is None else whole_number(ending),
    )


def _text(value: object) -> str:
    """Return a text. Raise TypeError for another value: botocore passes it on."""
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} in place of a text")
    return value
