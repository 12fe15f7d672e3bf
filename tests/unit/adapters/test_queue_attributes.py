"""What SQS says of a queue, without a message."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.queue.queue_attributes import queue_attributes
from consumer.core.preflight.queue_fitness import QueueAttributes
from consumer.errors import Misconfigured, Retryable
from tests.unit.adapters.aws_environment import point_at
from tests.wire import Say, Wire, http

URL = "https://sqs.eu-central-1.amazonaws.com/1/letters"


@pytest.fixture
async def sqs(line: Wire, use_aws: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    point_at(use_aws, line.url)
    async with Aws() as aws:
        yield await aws.sqs()


async def attributes(line: Wire, sqs: object, url: str = URL, **given: str) -> QueueAttributes:
    line.say(Say(http(json.dumps({"Attributes": given}).encode())))
    return await queue_attributes(sqs, url)


async def test_all_that_matters_is_read(line: Wire, sqs: object) -> None:
    """`All`, because SQS refuses to be asked for FifoQueue of a standard queue."""
    found = await attributes(
        line,
        sqs,
        ApproximateNumberOfMessages="7",
        MessageRetentionPeriod="345600",
        MaximumMessageSize="262144",
        DelaySeconds="5",
        RedrivePolicy='{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:1:b","maxReceiveCount":3}',
        FifoQueue="true",
    )
    assert found == QueueAttributes(
        waiting=7,
        fifo=True,
        moves_messages=True,
        retention_seconds=345_600,
        message_bytes=262_144,
        delay_seconds=5,
    )
    assert json.loads(line.requests[0].body)["AttributeNames"] == ["All"]


async def test_what_is_not_said_is_no_flaw(line: Wire, sqs: object) -> None:
    assert await attributes(line, sqs) == QueueAttributes(waiting=0)


@pytest.mark.parametrize(
    "name",
    [
        "ApproximateNumberOfMessages",
        "MessageRetentionPeriod",
        "MaximumMessageSize",
        "DelaySeconds",
    ],
)
async def test_a_number_that_is_none_is_retryable(line: Wire, sqs: object, name: str) -> None:
    with pytest.raises(Retryable) as failed:
        await attributes(line, sqs, **{name: "many"})
    assert failed.value.reason == "malformed_answer"


async def test_the_name_tells_a_fifo_queue(line: Wire, sqs: object) -> None:
    assert (await attributes(line, sqs, f"{URL}.fifo")).fifo


async def test_a_queue_that_is_not_there(line: Wire, sqs: object) -> None:
    body = {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no"}
    line.say(Say(http(json.dumps(body).encode(), "400 Bad Request")))
    with pytest.raises(Misconfigured, match="wanted an existing queue"):
        await queue_attributes(sqs, URL)
    line.say(Say(http(b"{}", "500 No")))
    with pytest.raises(Retryable):
        await queue_attributes(sqs, URL)
