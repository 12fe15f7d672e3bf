"""The dead letter queue: ten at a time, within the queue's limit, each accepted or not."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.queue.dead_letter_queue import SqsDeadLetterQueue
from consumer.errors import Retryable
from tests.unit.adapters.aws_environment import point_at
from tests.unit.core.dead_letters.test_dead_letter import EVENT, LETTER
from tests.wire import Request, Say, Wire, http


@pytest.fixture
async def queue(line: Wire, use_aws: pytest.MonkeyPatch) -> AsyncIterator[SqsDeadLetterQueue]:
    point_at(use_aws, line.url)
    async with Aws() as aws:
        yield SqsDeadLetterQueue(await aws.sqs(), f"{line.url}/1/letters", time.monotonic)


def sent(request: Request) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(request.body)["Entries"]
    return entries


def accept_all(request: Request) -> Say:
    good = [{"Id": entry["Id"], "MessageId": "m"} for entry in sent(request)]
    return Say(http(json.dumps({"Successful": good, "Failed": []}).encode()))


def letter(size: int, patch: int = 1) -> Any:
    return replace(LETTER, event=EVENT % (b"t" * size, b"p" * patch))


async def test_ten_letters_are_one_call(line: Wire, queue: SqsDeadLetterQueue) -> None:
    line.answer = accept_all
    letters = [replace(LETTER, sequence=number) for number in range(10)]
    assert list(await queue.send(letters)) == [True] * 10
    (request,) = line.requests
    numbers = [json.loads(entry["MessageBody"])["sequence_number"] for entry in sent(request)]
    assert numbers == [str(number) for number in range(10)]


async def test_no_letters_are_no_call(line: Wire, queue: SqsDeadLetterQueue) -> None:
    assert list(await queue.send([])) == []
    assert line.requests == []


async def test_more_bytes_than_a_call_takes_are_several(
    line: Wire, queue: SqsDeadLetterQueue
) -> None:
    line.answer = accept_all
    assert list(await queue.send([letter(400_000) for _ in range(5)])) == [True] * 5
    assert [len(sent(request)) for request in line.requests] == [2, 2, 1]
    assert all(
        sum(len(entry["MessageBody"]) for entry in sent(request)) <= 1_048_576
        for request in line.requests
    )


async def test_what_the_queue_did_not_take_is_false(line: Wire, queue: SqsDeadLetterQueue) -> None:
    answer = {
        "Successful": [{"Id": "0"}, {"Id": "2"}],
        "Failed": [{"Id": "1", "Code": "InternalError", "SenderFault": False}],
    }
    line.say(Say(http(json.dumps(answer).encode())))
    with capture_logs() as logs:
        assert list(await queue.send([LETTER] * 3)) == [True, False, True]
    assert [log["event"] for log in logs] == ["dead_letter_not_accepted"]
    assert "o-1" not in repr(logs)


@pytest.mark.parametrize("message", ["shorter than 2048 bytes.", "longer than 2048 bytes. You"])
async def test_a_smaller_limit_is_learned(
    line: Wire, queue: SqsDeadLetterQueue, message: str
) -> None:
    long = letter(1, 5000)
    failed = {"Id": "0", "Code": "InvalidParameterValue", "SenderFault": True, "Message": message}
    line.say(Say(http(json.dumps({"Failed": [failed]}).encode())))
    assert list(await queue.send([long])) == [False]
    line.answer = accept_all
    assert list(await queue.send([long])) == [True]
    (entry,) = sent(line.requests[-1])
    assert len(entry["MessageBody"]) <= 2048
    assert json.loads(entry["MessageBody"])["truncated"] == ["patch"]


async def test_a_refused_call_teaches_too(line: Wire, queue: SqsDeadLetterQueue) -> None:
    error = {"__type": "x#BatchRequestTooLong", "message": "cannot be longer than 262144 bytes."}
    line.say(Say(http(json.dumps(error).encode(), "400 Bad")))
    with pytest.raises(Retryable):
        await queue.send([letter(200_000)] * 2)
    line.requests.clear()
    line.answer = accept_all
    assert list(await queue.send([letter(200_000)] * 2)) == [True, True]
    assert [len(sent(request)) for request in line.requests] == [1, 1]


async def test_letters_accepted_before_a_failure_are_not_forgotten(
    line: Wire, queue: SqsDeadLetterQueue
) -> None:
    def answer(request: Request) -> Say:
        return accept_all(request) if len(line.requests) == 1 else Say(b"", "close")

    line.answer = answer
    assert list(await queue.send([letter(400_000)] * 3)) == [True, True, False]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("AccessDeniedException", "access_denied"),
        ("KmsAccessDenied", "access_denied"),
        ("KmsThrottled", "throttled"),
        ("RequestThrottled", "throttled"),
        ("QueueDoesNotExist", "refused"),
    ],
)
async def test_errors_of_the_queue_are_retryable(
    line: Wire, queue: SqsDeadLetterQueue, code: str, reason: str
) -> None:
    error = {"__type": f"com.amazonaws.sqs#{code}", "message": "no"}
    line.say(Say(http(json.dumps(error).encode(), "400 Bad")))
    with pytest.raises(Retryable) as failure:
        await queue.send([LETTER])
    assert failure.value.reason == reason
