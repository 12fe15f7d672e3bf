"""Whatever says it is AWS: each answer below, to each call, is one of the port's own outcomes."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.queue.dead_letter_queue import SqsDeadLetterQueue
from consumer.adapters.aws.queue.dead_letter_source import SqsDeadLetterSource
from consumer.adapters.aws.streams import DynamoDbStreams
from consumer.adapters.clock import SystemClock
from consumer.adapters.lease_table.lease_table import LeaseTable
from consumer.core.dead_letters.redrive import Receipt
from consumer.core.leases.command import Action, Command
from consumer.core.stream.stream import AtLatest, Stream
from consumer.errors import ExpiredIterator, Retryable, UnknownOutcome
from tests.unit.adapters.aws_environment import point_at
from tests.unit.adapters.test_lease_rows import LEASE_ITEM, keyed
from tests.unit.adapters.test_lease_table import READS, WRITES
from tests.unit.core.dead_letters.test_dead_letter import LETTER
from tests.wire import Say, Wire, http

ARN = "arn:aws:dynamodb:eu-central-1:1:table/orders/stream/2026-11-01T00:00:00.000"
STREAM = Stream.from_arn(ARN)
COMMAND = Command(1, Action.PAUSE, None, None, 1.0, "me", "token")
DEEP = b"[" * 100_000 + b"]" * 100_000
LESS_DEEP = b'{"a":' * 1000 + b"1" + b"}" * 1000  # orjson reads it, json does not


@dataclass
class Ports:
    streams: DynamoDbStreams
    table: LeaseTable
    queue: SqsDeadLetterQueue
    source: SqsDeadLetterSource


Call = Callable[[Ports], Awaitable[object]]

STREAMS: dict[str, Call] = {
    "latest_stream": lambda ports: ports.streams.latest_stream("orders"),
    "describe_stream": lambda ports: ports.streams.describe_stream(STREAM, None),
    "child_shards": lambda ports: ports.streams.child_shards(STREAM, "s"),
    "shard_iterator": lambda ports: ports.streams.shard_iterator(STREAM, "s", AtLatest()),
    "get_records": lambda ports: ports.streams.get_records("it"),
}
SQS: dict[str, Call] = {
    "send": lambda ports: ports.queue.send([LETTER, LETTER]),
    "depth": lambda ports: ports.source.depth(),
    "receive": lambda ports: ports.source.receive(1, 1.0),
    "delete": lambda ports: ports.source.delete([Receipt("m", "h")]),
    "hide": lambda ports: ports.source.hide([Receipt("m", "h")], 1.0),
}


def on_table(call: Callable[[LeaseTable], Awaitable[object]]) -> Call:
    return lambda ports: call(ports.table)


LEASE_READS: dict[str, Call] = {
    **{name: on_table(call) for name, call in READS.items()},
    "read_commands": lambda ports: ports.table.read_commands("t/l", 0),
    "ensure_table": lambda ports: ports.table.ensure_table(create=False),
}
LEASE_WRITES: dict[str, Call] = {
    **{name: on_table(call) for name, call in WRITES.items()},
    "add_command": lambda ports: ports.table.add_command("t/l", COMMAND),
}
CALLS = {**STREAMS, **SQS, **LEASE_READS, **LEASE_WRITES}


@pytest.fixture
async def ports(line: Wire, use_aws: pytest.MonkeyPatch) -> AsyncIterator[Ports]:
    point_at(use_aws, line.url)
    async with Aws() as aws:
        dynamodb, sqs, url = await aws.dynamodb(2), await aws.sqs(), f"{line.url}/1/letters"
        yield Ports(
            DynamoDbStreams(await aws.streams(2), dynamodb, SystemClock()),
            LeaseTable(
                dynamodb, SystemClock(), table="leases", application="app", request_seconds=5.0
            ),
            SqsDeadLetterQueue(sqs, url, time.monotonic),
            SqsDeadLetterSource(sqs, url),
        )


def error(body: object, *headers: str) -> bytes:
    return http(json.dumps(body).encode(), "400 Bad Request", *headers)


CONDITION = "x#ConditionalCheckFailedException"

REFUSALS = [
    pytest.param(http(b"[]", "400 Bad Request"), id="an array"),
    pytest.param(http(b'"x"', "400 Bad Request"), id="a text"),
    pytest.param(http(b"5", "500 Oops"), id="a number"),
    pytest.param(http(b"null", "500 Oops"), id="null"),
    pytest.param(error({"__type": 5}), id="a code that is a number"),
    pytest.param(error({"__type": ["x"]}), id="a code that is an array"),
    pytest.param(error({"__type": {"a": "b"}}), id="a code that is an object"),
    pytest.param(error({"__type": "x#Oops", "message": {"a": []}}), id="a message that is none"),
    pytest.param(http(DEEP, "400 Bad Request"), id="nested deeply"),
    pytest.param(http(LESS_DEEP, "503 Oops"), id="nested less deeply"),
    pytest.param(http(b"<html>\xe4\xff</html>", "502 Bad Gateway"), id="a page in Latin-1"),
    pytest.param(http(b"\x1f\x8b broken", "502 Bad Gateway"), id="gzip that is none"),
    pytest.param(error({}, "x-amzn-query-error: a;b;c;d"), id="an odd query error"),
    pytest.param(b"HTTP/1.1 503 Zur\xfcck\r\nContent-Length: 0\r\n\r\n", id="a phrase in Latin-1"),
    pytest.param(b"HTTP/1.1 503 No\r\nX-A: \xfc\r\nContent-Length: 0\r\n\r\n", id="a header, too"),
    pytest.param(http(b"", "302 Found", "Location: http://[bad"), id="a redirect to nowhere"),
]
ANSWERS = [
    pytest.param(http(body), id=name)
    for name, body in {
        "an array": b"[]",
        "nested deeply": DEEP,
        "nested less deeply": LESS_DEEP,
        "not UTF-8": b'{"a":"\xff"}',
    }.items()
]


async def outcome(ports: Ports, name: str) -> Exception | None:
    try:
        await CALLS[name](ports)
    except Retryable as failure:
        return failure
    return None


@pytest.mark.parametrize("answer", REFUSALS)
async def test_any_refusal_is_retryable(line: Wire, ports: Ports, answer: bytes) -> None:
    line.say(Say(answer))
    found = {name: type(await outcome(ports, name)) for name in CALLS}
    wanted: dict[str, type[Exception]] = {
        name: UnknownOutcome if name in LEASE_WRITES else Retryable for name in CALLS
    }
    if b"#Oops" in answer:  # a code of the service's own refuses the iterator
        wanted["get_records"] = ExpiredIterator
    assert found == wanted


@pytest.mark.parametrize("answer", ANSWERS)
async def test_any_success_that_says_nothing_settles_nothing(
    line: Wire, ports: Ports, answer: bytes
) -> None:
    line.say(Say(answer))
    silent = ("depth", "receive", "delete", "hide", "send", "ensure_table")
    blank = answer.endswith(LESS_DEEP)  # an object without the members that were asked for
    for name in CALLS:
        failure = await outcome(ports, name)
        if name in LEASE_WRITES:
            # An object is the answer to a write that returns no row.
            assert isinstance(failure, UnknownOutcome) or blank, name
        else:
            assert type(failure) is Retryable or (blank and name in silent), name


SHARD = {"ShardId": "s", "SequenceNumberRange": {"StartingSequenceNumber": "1"}}
DESCRIPTION = {
    "StreamStatus": "ENABLED",
    "StreamViewType": "NEW_AND_OLD_IMAGES",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "Shards": [SHARD],
}


def described(**members: object) -> dict[str, object]:
    return {"StreamDescription": {**DESCRIPTION, **members}}


def shard(**members: object) -> dict[str, object]:
    return described(Shards=[{**SHARD, **members}])


LEASE_ROW = keyed("lease/t/l/shard", LEASE_ITEM)
MEMBERS: list[tuple[str, object]] = [
    ("latest_stream", {}),
    ("latest_stream", {"Table": 5}),
    ("latest_stream", {"Table": {"LatestStreamArn": 5}}),
    ("latest_stream", {"Table": {"LatestStreamArn": "no arn"}}),
    ("latest_stream", {"Table": {"CreationDateTime": "x"}}),
    ("latest_stream", {"Table": {"CreationDateTime": 1e300}}),
    ("describe_stream", {"StreamDescription": []}),
    ("describe_stream", described(KeySchema=5)),
    ("describe_stream", described(KeySchema=[])),
    ("describe_stream", described(KeySchema=[{"AttributeName": 5}])),
    ("describe_stream", described(Shards={"a": 1})),
    ("describe_stream", described(Shards=[None])),
    ("describe_stream", described(StreamViewType="x")),
    ("describe_stream", described(LastEvaluatedShardId=5)),
    ("describe_stream", shard(ShardId=5)),
    ("describe_stream", shard(ParentShardId=5)),
    ("describe_stream", shard(SequenceNumberRange="x")),
    ("describe_stream", shard(SequenceNumberRange={"StartingSequenceNumber": 5})),
    ("describe_stream", shard(SequenceNumberRange={"EndingSequenceNumber": []})),
    ("describe_stream", shard(SequenceNumberRange={"EndingSequenceNumber": "1" * 5000})),
    ("child_shards", shard(ParentShardId=5)),
    ("child_shards", described(Shards=5)),
    ("shard_iterator", {"ShardIterator": 5}),
    ("shard_iterator", {"ShardIterator": {"a": 1}}),
    ("get_records", {"Records": 5}),
    ("get_records", {"Records": [], "NextShardIterator": 5}),
    ("read_peers", {"Items": 5}),
    ("read_peers", {"Items": [5]}),
    ("read_peers", {"Items": [None]}),
    ("read_peers", {"Items": [{}]}),
    ("read_peers", {"Items": [{"key": {"N": "5"}}]}),
    ("read_leases", {"Items": [], "LastEvaluatedKey": 5}),
    ("ensure_table", {"Item": 5}),
    ("write_lease", {"Attributes": 5}),
    ("write_lease", {"Attributes": {"key": 5}}),
    ("replace_stream", {"Attributes": {"key": {"N": "5"}}}),
    ("replace_stream", {"Attributes": {}}),
    ("put_worker", {"ConsumedCapacity": 5}),
    ("add_command", {"ConsumedCapacity": 5}),
    ("depth", {"Attributes": 5}),
    ("depth", {"Attributes": {"ApproximateNumberOfMessages": "many"}}),
    ("depth", {"Attributes": {"ApproximateNumberOfMessagesNotVisible": []}}),
    ("receive", {"Messages": 5}),
    ("receive", {"Messages": [None]}),
    ("receive", {"Messages": [{}]}),
    ("receive", {"Messages": [{"MessageId": "m", "ReceiptHandle": "h"}]}),
    *(
        (
            "receive",
            {"Messages": [{"MessageId": "m", "ReceiptHandle": "h", "Body": "b", **members}]},
        )
        for members in (
            {"Attributes": {"SentTimestamp": "x"}},
            {"Attributes": {"SentTimestamp": "9" * 400}},
            {"Attributes": {"ApproximateReceiveCount": "x"}},
        )
    ),
    ("send", {"Successful": 5}),
    ("send", {"Successful": [None]}),
    ("send", {"Failed": [None]}),
    ("send", {"Failed": "x"}),
    ("delete", {"Successful": [None]}),
    ("hide", {"Successful": 5}),
]


@pytest.mark.parametrize(("name", "members"), MEMBERS)
async def test_an_answer_with_an_odd_member_is_retryable(
    line: Wire, ports: Ports, name: str, members: object
) -> None:
    """Of a row that is whole and has an odd attribute see test_unreadable_rows."""
    line.say(Say(http(json.dumps(members).encode())))
    failure = await outcome(ports, name)
    assert type(failure) is (UnknownOutcome if name in LEASE_WRITES else Retryable)
    assert failure.reason in ("malformed_answer", "truncated")


async def test_an_odd_date_is_no_date(line: Wire, ports: Ports) -> None:
    for date in ("x", "Mon, 01 Jan 2026 00:00:00 +99999999999999999999", "", "1 2"):
        line.say(Say(http(b'{"ShardIterator":"it"}', "200 OK", f"Date: {date}")))
        iterator, _ = await ports.streams.shard_iterator(STREAM, "s", AtLatest())
        assert iterator == "it"


@pytest.mark.parametrize(
    "old",
    [
        5,
        {"key": 5},
        {**LEASE_ROW, "key": {"BOOL": True}},
    ],
)
async def test_a_refused_write_with_an_odd_row_is_unknown(
    line: Wire, ports: Ports, old: object
) -> None:
    body = {"__type": CONDITION, "message": "no", "Item": old}
    line.say(Say(error(body)))
    for name in ("write_lease", "create_stream"):
        assert type(await outcome(ports, name)) is UnknownOutcome


async def test_odd_reasons_of_a_cancelled_transaction_are_unknown(line: Wire, ports: Ports) -> None:
    reasons: list[object] = [5, [5], [None], [[]], {"a": 1}, [{"Code": 5}]]
    for given in reasons:
        body = {"__type": "x#TransactionCanceledException", "CancellationReasons": given}
        line.say(Say(error(body)))
        assert type(await outcome(ports, "add_command")) is UnknownOutcome, given


BATCHES: list[tuple[list[dict[str, Any]], list[dict[str, Any]], list[bool]]] = [
    ([{"Id": "0"}, {"Id": "0"}], [], [True, False]),
    ([{"Id": "7"}, {"Id": "0"}], [], [True, False]),
    ([{"Id": "-1"}], [], [False, False]),
    ([{"Id": "x"}, {"Id": " 1"}, {"Id": "1_0"}, {"Id": "\u0660"}], [], [False, False]),
    ([{"MessageId": "m"}, {"Id": "1"}], [], [False, True]),
    ([{"Id": 0}, {"Id": ["1"]}, {"Id": {"a": 1}}], [], [False, False]),
    ([{"Id": "0"}, {"Id": "1"}], [{"Id": "1", "Code": "x"}], [True, False]),
    ([{"Id": "0"}], [{"Code": "x"}, {"Id": ["0"]}, {}], [True, False]),
    ([], [], [False, False]),
]


@pytest.mark.parametrize(("successful", "failed", "confirmed"), BATCHES)
async def test_only_an_id_that_was_sent_and_did_not_fail_is_confirmed(
    line: Wire,
    ports: Ports,
    successful: list[dict[str, Any]],
    failed: list[dict[str, Any]],
    confirmed: list[bool],
) -> None:
    line.say(Say(http(json.dumps({"Successful": successful, "Failed": failed}).encode())))
    receipts = [Receipt("m", "h"), Receipt("n", "i")]
    assert list(await ports.queue.send([LETTER, LETTER])) == confirmed
    assert list(await ports.source.delete(receipts)) == confirmed
    assert list(await ports.source.hide(receipts, 1.0)) == confirmed


async def test_a_limit_with_too_many_digits_teaches_nothing(line: Wire, ports: Ports) -> None:
    text = f"shorter than {'9' * 5000} bytes"
    line.say(Say(http(json.dumps({"Failed": [{"Id": "0", "Message": text}]}).encode())))
    assert list(await ports.queue.send([LETTER])) == [False]
    line.say(Say(error({"__type": "x#BatchRequestTooLong", "message": text})))
    assert type(await outcome(ports, "send")) is Retryable
