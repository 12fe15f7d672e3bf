"""The dead letter queue from its other end: receive, delete, hide, each message told apart."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.queue.dead_letter_source import SqsDeadLetterSource
from consumer.core.dead_letters.redrive import Receipt
from consumer.errors import Retryable
from tests.unit.adapters.aws_environment import point_at
from tests.wire import Say, Wire, http

RECEIPTS = [Receipt(f"m{number}", f"h{number}") for number in range(3)]


@pytest.fixture
async def source(line: Wire, use_aws: pytest.MonkeyPatch) -> AsyncIterator[SqsDeadLetterSource]:
    point_at(use_aws, line.url)
    async with Aws() as aws:
        yield SqsDeadLetterSource(await aws.sqs(), f"{line.url}/1/letters")


def answers(line: Wire, *bodies: object) -> None:
    line.say(*(Say(http(json.dumps(body).encode())) for body in bodies))


async def test_a_message_as_received(line: Wire, source: SqsDeadLetterSource) -> None:
    attributes = {"SentTimestamp": "1793525400250", "ApproximateReceiveCount": "4"}
    message = {"MessageId": "m", "ReceiptHandle": "h", "Body": "ä", "Attributes": attributes}
    answers(line, {"Messages": [message]})
    (found,) = await source.receive(7, 89.5)
    assert found.receipt == Receipt("m", "h")
    assert (found.body, found.sent_at, found.receptions) == ("ä".encode(), 1793525400.25, 4)
    asked = json.loads(line.requests[0].body)
    assert (asked["MaxNumberOfMessages"], asked["VisibilityTimeout"]) == (7, 90)
    assert asked["WaitTimeSeconds"] > 0  # else an empty answer means nothing


async def test_an_empty_answer_is_no_message(line: Wire, source: SqsDeadLetterSource) -> None:
    answers(line, {})
    assert list(await source.receive(10, 30)) == []


async def test_each_is_deleted_or_not(line: Wire, source: SqsDeadLetterSource) -> None:
    failed = {"Id": "1", "Code": "InternalError", "SenderFault": False}
    answers(line, {"Successful": [{"Id": "2"}, {"Id": "0"}], "Failed": [failed]})
    assert list(await source.delete(RECEIPTS)) == [True, False, True]
    asked = json.loads(line.requests[0].body)
    assert [entry["ReceiptHandle"] for entry in asked["Entries"]] == ["h0", "h1", "h2"]


async def test_hidden_for_no_longer_than_the_queue_allows(
    line: Wire, source: SqsDeadLetterSource
) -> None:
    good = {"Successful": [{"Id": "0"}, {"Id": "1"}, {"Id": "2"}]}
    answers(line, good, good)
    assert list(await source.hide(RECEIPTS, 0)) == [True] * 3
    await source.hide(RECEIPTS, 1e6)
    asked = [json.loads(request.body)["Entries"][0] for request in line.requests]
    assert [entry["VisibilityTimeout"] for entry in asked] == [0, 43_200]


async def test_none_are_no_call(line: Wire, source: SqsDeadLetterSource) -> None:
    assert list(await source.delete([])) == list(await source.hide([], 1)) == []
    assert line.requests == []


@pytest.mark.parametrize("call", ["receive", "delete", "hide"])
async def test_failures_are_retryable(line: Wire, source: SqsDeadLetterSource, call: str) -> None:
    error = {"__type": "com.amazonaws.sqs#RequestThrottled", "message": "no"}
    line.say(Say(http(json.dumps(error).encode(), "400 Bad")))
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "receive": lambda: source.receive(10, 30),
        "delete": lambda: source.delete(RECEIPTS),
        "hide": lambda: source.hide(RECEIPTS, 1),
    }
    with pytest.raises(Retryable) as failure:
        await calls[call]()
    assert failure.value.reason == "throttled"
