"""Something in between repeats what was sent, or what it read, in any place of an answer.

Nothing of an item is in what is said of the failure: that is logged, shown and kept in rows.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.queue.dead_letter_queue import SqsDeadLetterQueue
from consumer.adapters.aws.streams import DynamoDbStreams
from consumer.adapters.clock import SystemClock
from consumer.adapters.nakadi import Nakadi
from consumer.adapters.token import NoToken
from consumer.errors import Retryable
from tests.unit.adapters.aws_environment import point_at
from tests.unit.adapters.test_odd_answers import STREAM
from tests.unit.core.dead_letters.test_dead_letter import LETTER
from tests.wire import Say, Wire, http

VALUE = "geheim4711"
EVENT = json.dumps(
    {
        "metadata": {"eid": "e"},
        "data_type": "orders.placed",
        "data_op": "U",
        "data": {"id": "k", "name": VALUE, "amount": 4711},
    },
    separators=(",", ":"),
).encode()
PART = EVENT[EVENT.find(b'"data":') :]
TEXT = json.dumps(PART.decode()).encode()
CHUNKS = b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n"


def problem(status: int) -> bytes:
    body = b'{"title":%b,"status":%d,"detail":%b}' % (TEXT, status, TEXT)
    return http(body, f"{status} No", "Content-Type: application/problem+json")


ECHOES: dict[str, Say] = {
    "the event alone": Say(EVENT),
    "a part and an empty line": Say(PART + b"\r\n\r\n"),
    "a version": Say(b"HTTP/" + PART + b"\r\n\r\n"),
    "a status": Say(b"HTTP/1.1 " + PART + b"\r\n\r\n"),
    "a phrase": Say(b"HTTP/1.1 503 " + PART + b"\r\nContent-Length: 0\r\n\r\n"),
    "the name of a header": Say(b"HTTP/1.1 503 X\r\n" + PART + b"\r\n\r\n"),
    "a header with NUL": Say(b"HTTP/1.1 503 X\r\na: b\0" + PART + b"\r\n\r\n"),
    "a length": Say(b"HTTP/1.1 503 X\r\nContent-Length: " + PART + b"\r\n\r\n"),
    "the size of a chunk": Say(CHUNKS + PART + b"\r\n\r\n"),
    "the size of a second chunk": Say(CHUNKS + b"1\r\n{\r\n" + PART + b"\r\n\r\n"),
    "headers without an end": Say(b"HTTP/1.1 200 OK\r\nX-Echo: " + PART + b"\r\n", "close"),
    "a content type": Say(http(b"abc", "503 X", f"Content-Type: {PART.decode()}")),
    "a content type, before its end": Say(http(b"abc", "503 X", f"Content-Type: a/b; {VALUE}")),
    "a content type of a 207": Say(http(b"abc", "207 X", f"Content-Type: {PART.decode()}")),
    "a content encoding": Say(http(b"abc", "200 X", f"Content-Encoding: {PART.decode()}")),
    "a transfer encoding": Say(CHUNKS.replace(b"chunked", PART) + b"0\r\n\r\n", "close"),
    "a flow id": Say(http(b"abc", "503 X", f"X-Flow-Id: {PART.decode()}")),
    "a place": Say(http(b"", "302 X", f"Location: http://[{PART.decode()}")),
    "a relative place": Say(http(b"", "302 X", f"Location: //a:{PART.decode()}")),
    "a page": Say(http(PART, "403 X", "Content-Type: text/html")),
    "a page of 500": Say(http(PART, "500 X", "Content-Type: text/html")),
    "the event as an error": Say(http(EVENT, "500 X")),
    "a text": Say(http(TEXT, "200 X")),
    "a cookie": Say(http(b"", "503 X", f"Set-Cookie: {PART.decode()}")),
    **{f"a problem of {status}": Say(problem(status)) for status in (401, 403, 404, 413, 429)},
    "a problem of 503": Say(problem(503)),
    "a code of AWS": Say(http(b'{"__type":%b,"message":"x"}' % TEXT, "400 X")),
    "a code of AWS with blanks": Say(http(b'{"__type":"of %b"}' % VALUE.encode(), "400 X")),
    "a code of AWS in another place": Say(http(b'{"code":%b}' % TEXT, "500 X")),
    "a message without a code": Say(http(b'{"message":%b}' % TEXT, "400 X")),
    "XML": Say(http(b"<a><b>%b" % PART, "200 X")),
}
PARAMETERS = pytest.mark.parametrize("said", ECHOES.values(), ids=ECHOES)


@PARAMETERS
@pytest.mark.parametrize("packed", [False, True])
async def test_nothing_of_an_event_is_in_what_nakadi_said(
    line: Wire, said: Say, *, packed: bool
) -> None:
    line.say(said)
    async with Nakadi(
        line.url, "orders", NoToken(), SystemClock(), concurrency=1, timeout=1.0, gzip=packed
    ) as port:
        answer = await port.publish([b'{"data":{"id":"j"}}', EVENT])
        assert answer.reason != "error"
        told: list[object] = [answer]
        for call in (port.event_type, port.partitions, port.subscriptions):
            try:
                got = await call()
                told += [(got[0], got[2])] if got and call != port.partitions else []
            except Retryable as failure:
                told += [str(failure), failure.reason]
    assert VALUE not in repr(told)
    assert "4711" not in repr(told)


async def test_what_nakadi_says_of_a_batch_stays(line: Wire) -> None:
    detail = "Event type orders.placed is not authorized for k: ask its owner"
    body = json.dumps({"title": "Forbidden", "status": 403, "detail": detail}).encode()
    line.say(Say(http(body, "403 X", "X-Flow-Id: abc/1")))
    async with Nakadi(
        line.url, "orders", NoToken(), SystemClock(), concurrency=1, timeout=1.0
    ) as port:
        answer = await port.publish([EVENT])
    assert answer.detail == "Forbidden: " + detail.replace("k:", "…:")
    assert answer.flow_id == "abc/1"


@pytest.mark.parametrize("status", [400, 422])
async def test_a_refusal_keeps_its_text_for_the_dead_letter(line: Wire, status: int) -> None:
    line.say(Say(problem(status)))
    async with Nakadi(
        line.url, "orders", NoToken(), SystemClock(), concurrency=1, timeout=1.0
    ) as port:
        answer = await port.publish([EVENT])
    assert VALUE in answer.detail
    assert answer.by_nakadi


Call = Callable[[], Awaitable[object]]


@pytest.fixture
async def calls(line: Wire, use_aws: pytest.MonkeyPatch) -> AsyncIterator[list[Call]]:
    point_at(use_aws, line.url)
    async with Aws() as aws:
        streams = DynamoDbStreams(await aws.streams(1), await aws.dynamodb(1), SystemClock())
        queue = SqsDeadLetterQueue(await aws.sqs(), f"{line.url}/1/letters", lambda: 0.0)
        yield [
            lambda: streams.get_records("it"),
            lambda: streams.describe_stream(STREAM, None),
            lambda: streams.latest_stream("orders"),
            lambda: queue.send([LETTER]),
        ]


@PARAMETERS
async def test_nothing_of_a_record_is_in_what_aws_said(
    line: Wire, calls: list[Call], said: Say
) -> None:
    line.say(Say(said.data, "close"))
    for call in calls:
        with pytest.raises(Exception) as failed:  # noqa: PT011 - of any kind
            await call()
        assert VALUE not in str(failed.value)
        assert "\n" not in str(failed.value)
