"""What DynamoDB Streams may answer, cut, delayed or refused, and what the port makes of it."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator

import pytest

from consumer.adapters.aws import streams as streams_module
from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.get_records_parser import AnswerIncomplete, whole_body
from consumer.adapters.aws.streams import DynamoDbStreams
from consumer.adapters.clock import SystemClock
from consumer.core.stream.stream import AfterSequence, AtLatest, Shard, Stream
from consumer.errors import (
    ConsumerError,
    ExpiredIterator,
    Retryable,
    ShardNotFound,
    TableNotFound,
    TrimmedData,
)
from consumer.observability.metrics import Metrics
from tests.unit.adapters.aws_environment import point_at
from tests.wire import Request, Say, Wire, http

ARN = "arn:aws:dynamodb:eu-central-1:1:table/orders/stream/2026-11-01T00:00:00.000"
STREAM = Stream.from_arn(ARN)
DATE = "Date: Sun, 01 Nov 2026 09:30:00 GMT"
DATE_SECONDS = 1793525400.0

RECORD = {
    "eventID": "1",
    "eventName": "INSERT",
    "dynamodb": {
        "ApproximateCreationDateTime": 1793525399.0,
        "Keys": {"id": {"S": "a"}},
        "NewImage": {"id": {"S": "a"}, "n": {"N": "1"}},
        "SequenceNumber": "400000000000000499660041",
    },
}
PAGE = json.dumps({"Records": [RECORD], "NextShardIterator": "next"}).encode()
CLOSING = json.dumps({"Records": [RECORD]}).encode()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def port(
    line: Wire, use_aws: pytest.MonkeyPatch, metrics: Metrics
) -> AsyncIterator[DynamoDbStreams]:
    point_at(use_aws, line.url)
    async with Aws() as aws:
        streams, dynamodb = await aws.streams(4), await aws.dynamodb(2)
        yield DynamoDbStreams(streams, dynamodb, SystemClock(), metrics)


def refusal(code: str, status: str = "400 Bad Request", message: str = "because") -> bytes:
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}
    return http(json.dumps(body).encode(), status)


async def test_a_page_has_its_records_and_its_iterator(line: Wire, port: DynamoDbStreams) -> None:
    line.say(Say(http(PAGE)))
    page = await port.get_records("it")
    assert [record.sequence for record in page.records] == [400000000000000499660041]
    assert page.next_iterator == "next"
    assert json.loads(line.requests[0].body) == {"ShardIterator": "it", "Limit": 1000}


async def test_a_closing_page_keeps_its_records(line: Wire, port: DynamoDbStreams) -> None:
    line.say(Say(http(CLOSING)))
    page = await port.get_records("it")
    assert len(page.records) == 1
    assert page.next_iterator is None


async def test_only_get_records_asks_for_gzip(line: Wire, port: DynamoDbStreams) -> None:
    line.say(Say(http(PAGE)), Say(http(b'{"ShardIterator":"it"}', "200 OK", DATE)))
    await port.get_records("it")
    await port.shard_iterator(STREAM, "shard", AtLatest())
    assert [request.headers["accept-encoding"] for request in line.requests] == ["gzip", "identity"]


async def test_a_gzip_page_is_read_and_counted_as_sent(
    line: Wire, port: DynamoDbStreams, metrics: Metrics
) -> None:
    packed = gzip.compress(PAGE)
    crc = f"x-amz-crc32: {zlib.crc32(packed)}"
    line.say(Say(http(packed, "200 OK", "Content-Encoding: gzip", crc)))
    page = await port.get_records("it")
    assert len(page.records) == 1
    assert page.size == len(PAGE)
    value = metrics.registry.get_sample_value
    name = "consumer_get_records_bytes_total"
    assert value(name, {"encoding": "gzip"}) == len(packed)


CUT = [
    pytest.param(Say(http(PAGE[:-1], length=len(PAGE)), "close"), id="shorter than its length"),
    pytest.param(Say(http(PAGE[:-1])), id="cut, with a length that agrees"),
    pytest.param(Say(http(b"")), id="empty"),
    pytest.param(Say(http(b"{}")), id="an object without Records"),
    pytest.param(Say(http(b"[]")), id="not an object"),
    pytest.param(Say(http(b"<html>")), id="html"),
    pytest.param(Say(http(PAGE + b"x")), id="too much"),
    pytest.param(Say(http(CLOSING, "200 OK", "x-amz-crc32: 1")), id="wrong crc"),
    pytest.param(Say(b"HTTP/1.1 200 OK\r\n\r\n" + PAGE[:40], "close"), id="ended by the close"),
    pytest.param(Say(b"HTTP/1.1 200 OK\r\n\r\n", "close"), id="nothing, ended by the close"),
    pytest.param(
        Say(http(gzip.compress(PAGE)[:-9], "200 OK", "Content-Encoding: gzip")), id="cut gzip"
    ),
    pytest.param(Say(http(PAGE, "200 OK", "Content-Encoding: gzip")), id="plain, called gzip"),
    pytest.param(
        Say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{", "close"), id="chunk"
    ),
    pytest.param(Say(b"", "close"), id="closed"),
    pytest.param(Say(b"", "reset"), id="reset"),
    pytest.param(Say(b"HTTP/1.1 200 OK\r\nContent-Le", "close"), id="cut in the head"),
    pytest.param(Say(b"what?\r\n\r\n", "close"), id="not HTTP"),
]


@pytest.mark.parametrize("answer", CUT)
async def test_a_damaged_page_is_a_failed_call(
    line: Wire, port: DynamoDbStreams, answer: Say
) -> None:
    line.say(answer)
    with pytest.raises(Retryable) as failure:
        await port.get_records("it")
    assert failure.value.reason in ("truncated", "reset", "malformed_answer")
    assert not isinstance(failure.value, ExpiredIterator)
    assert len(line.requests) == 1, "nothing is repeated behind the caller's back"


@pytest.mark.parametrize("answer", CUT)
async def test_a_damaged_listing_or_iterator_is_a_failed_call(
    line: Wire, port: DynamoDbStreams, answer: Say
) -> None:
    line.say(answer)
    with pytest.raises(Retryable):
        await port.describe_stream(STREAM, None)
    with pytest.raises(Retryable):
        await port.shard_iterator(STREAM, "shard", AtLatest())
    with pytest.raises(Retryable):
        await port.child_shards(STREAM, "shard")


@pytest.mark.parametrize(
    ("code", "status", "kind", "reason"),
    [
        ("ExpiredIteratorException", "400 Bad", ExpiredIterator, "expired_iterator"),
        ("TrimmedDataAccessException", "400 Bad", TrimmedData, None),
        ("ResourceNotFoundException", "400 Bad", ShardNotFound, None),
        ("LimitExceededException", "400 Bad", Retryable, "throttled"),
        ("ThrottlingException", "400 Bad", Retryable, "throttled"),
        ("ProvisionedThroughputExceededException", "400 Bad", Retryable, "throttled"),
        ("InternalServerError", "500 Oops", Retryable, "server_error"),
        ("ServiceUnavailable", "503 Oops", Retryable, "server_error"),
        ("ValidationException", "400 Bad", ExpiredIterator, "invalid_iterator"),
        ("SerializationException", "400 Bad", ExpiredIterator, "invalid_iterator"),
        ("AccessDeniedException", "400 Bad", Retryable, "access_denied"),
        ("ExpiredTokenException", "400 Bad", Retryable, "credentials"),
        ("UnrecognizedClientException", "400 Bad", Retryable, "credentials"),
        ("SomethingNewException", "400 Bad", ExpiredIterator, "invalid_iterator"),
    ],
)
async def test_each_error_of_the_service(
    line: Wire,
    port: DynamoDbStreams,
    code: str,
    status: str,
    kind: type[ConsumerError],
    reason: str | None,
) -> None:
    line.say(Say(refusal(code, status)))
    with pytest.raises(kind) as failure:
        await port.get_records("it")
    assert type(failure.value) is kind
    assert getattr(failure.value, "reason", None) == reason
    assert str(failure.value) == f"GetRecords: {code}: because"


async def test_a_refusal_of_another_call_says_nothing_of_an_iterator(
    line: Wire, port: DynamoDbStreams
) -> None:
    line.say(Say(refusal("ValidationException")))
    with pytest.raises(Retryable) as failure:
        await port.shard_iterator(STREAM, "shard", AfterSequence(1))
    assert type(failure.value) is Retryable
    assert failure.value.reason == "validation"


async def test_a_proxy_that_refuses_says_nothing_of_an_iterator(
    line: Wire, port: DynamoDbStreams
) -> None:
    line.say(Say(http(b"<html>not allowed</html>", "403 Forbidden")))
    with pytest.raises(Retryable) as failure:
        await port.get_records("it")
    assert type(failure.value) is Retryable


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad Gateway", "503 Busy", "504 Late"])
async def test_a_gateway_that_speaks_html_is_a_server_error(
    line: Wire, port: DynamoDbStreams, status: str
) -> None:
    line.say(Say(http(b"<html>sorry</html>", status)))
    with pytest.raises(Retryable) as failure:
        await port.get_records("it")
    assert failure.value.reason == "server_error"


def test_a_length_counts_whatever_the_transport_made_of_it() -> None:
    assert whole_body({"content-length": "4"}, b"body") == b"body"
    with pytest.raises(AnswerIncomplete):
        whole_body({"content-length": "5"}, b"body")


async def test_an_error_may_be_called_gzip_while_plain_or_be_gzip(
    line: Wire, port: DynamoDbStreams
) -> None:
    body = json.dumps({"__type": "x#TrimmedDataAccessException", "message": "old"}).encode()
    packed = gzip.compress(body)
    head = ("400 Bad", "Content-Encoding: gzip")
    line.say(Say(http(body, *head)), Say(http(packed, *head)))
    for _ in range(2):
        with pytest.raises(TrimmedData):
            await port.get_records("it")


async def test_a_silent_server_ends_in_time(
    line: Wire, port: DynamoDbStreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams_module, "REQUEST_SECONDS", 0.05)
    line.say(Say(b"HTTP/1.1 200 OK\r\n", "hang"))
    async with asyncio.timeout(5):  # less than the client's own limit
        with pytest.raises(Retryable) as failure:
            await port.get_records("it")
    assert failure.value.reason == "timeout"


async def test_nobody_listens(use_aws: pytest.MonkeyPatch) -> None:
    point_at(use_aws, "http://127.0.0.1:9")
    async with Aws() as aws:
        port = DynamoDbStreams(await aws.streams(1), await aws.dynamodb(1), SystemClock())
        with pytest.raises(Retryable) as failure:
            await port.get_records("it")
    assert failure.value.reason == "unreachable"


async def test_an_iterator_comes_with_the_servers_date(line: Wire, port: DynamoDbStreams) -> None:
    line.say(Say(http(b'{"ShardIterator":"it"}', "200 OK", DATE)))
    assert await port.shard_iterator(STREAM, "shard", AfterSequence(7)) == ("it", DATE_SECONDS)
    assert json.loads(line.requests[0].body) == {
        "StreamArn": ARN,
        "ShardId": "shard",
        "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
        "SequenceNumber": "000000000000000000007",
    }


def listing(*shards: dict[str, object], last: str | None = None) -> bytes:
    description: dict[str, object] = {
        "StreamArn": ARN,
        "StreamStatus": "ENABLED",
        "StreamViewType": "NEW_AND_OLD_IMAGES",
        "KeySchema": [
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "at", "KeyType": "RANGE"},
        ],
        "Shards": list(shards),
    }
    if last is not None:
        description["LastEvaluatedShardId"] = last
    return http(json.dumps({"StreamDescription": description}).encode(), "200 OK", DATE)


def shard(
    name: str, parent: str | None = None, first: str = "1", last: str | None = None
) -> dict[str, object]:
    numbers = {"StartingSequenceNumber": first}
    if last:
        numbers["EndingSequenceNumber"] = last
    found: dict[str, object] = {"ShardId": name, "SequenceNumberRange": numbers}
    return found | ({"ParentShardId": parent} if parent else {})


async def test_a_listing_as_a_page(line: Wire, port: DynamoDbStreams) -> None:
    line.say(Say(listing(shard("a", last="12"), shard("b", "a"), last="b")))
    page = await port.describe_stream(STREAM, "before")
    assert page.shards == (Shard("a", None, 12), Shard("b", "a", None))
    assert (page.enabled, page.key_attributes) == (True, ("id", "at"))
    assert (page.last_evaluated, page.answered_at) == ("b", DATE_SECONDS)
    sent = json.loads(line.requests[0].body)
    assert sent == {"StreamArn": ARN, "Limit": 100, "ExclusiveStartShardId": "before"}


async def test_children_are_found_where_the_filter_is_ignored(
    line: Wire, port: DynamoDbStreams
) -> None:
    line.say(
        Say(listing(shard("a"), shard("b", "a"), last="b")),
        Say(listing(shard("c", "b"), shard("d", "a"))),
    )
    children = await port.child_shards(STREAM, "a")
    assert [child.shard_id for child in children] == ["b", "d"]
    first, second = (json.loads(request.body) for request in line.requests)
    assert first["ShardFilter"] == {"Type": "CHILD_SHARDS", "ShardId": "a"}
    assert second["ExclusiveStartShardId"] == "b"


async def test_a_listing_that_never_ends_is_given_up(
    line: Wire, port: DynamoDbStreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams_module, "CHILD_PAGES", 3)
    line.say(Say(listing(last="a")))
    with pytest.raises(Retryable):
        await port.child_shards(STREAM, "a")
    assert len(line.requests) == 3


async def test_the_width_of_an_emulators_sequence_numbers_is_learned(
    line: Wire, port: DynamoDbStreams
) -> None:
    line.say(
        Say(listing(shard("a", first="0" * 29 + "1"))),
        Say(http(b'{"ShardIterator":"it"}', "200 OK", DATE)),
    )
    await port.describe_stream(STREAM, None)
    await port.shard_iterator(STREAM, "a", AfterSequence(12))
    assert json.loads(line.requests[1].body)["SequenceNumber"] == "0" * 28 + "12"


async def test_the_latest_stream_of_a_table(line: Wire, port: DynamoDbStreams) -> None:
    def table(**values: object) -> Say:
        return Say(http(json.dumps({"Table": {"TableName": "orders", **values}}).encode()))

    line.say(table(LatestStreamArn=ARN), table(), Say(refusal("ResourceNotFoundException")))
    assert await port.latest_stream("orders") == STREAM
    assert await port.latest_stream("orders") is None
    with pytest.raises(TableNotFound, match="no table 'orders' in eu-central-1"):
        await port.latest_stream("orders")


async def test_a_page_is_known_by_its_shape_not_by_its_order(
    line: Wire, port: DynamoDbStreams
) -> None:
    def answer(request: Request) -> Say:
        if request.headers["x-amz-target"].endswith("GetRecords"):
            return Say(http(PAGE))
        return Say(listing(shard("a")))

    line.answer = answer
    for _ in range(3):
        assert len((await port.get_records("it")).records) == 1
        assert len((await port.describe_stream(STREAM, None)).shards) == 1
    assert line.connections == 1
