"""Asks SQS what the dead letter queue is like and how full it is, without sending anything."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from consumer.adapters.aws.aws_errors import CALL_FAILURES, describe, error_code, retryable
from consumer.adapters.aws.whole_number import whole_number
from consumer.adapters.odd_answer import reading
from consumer.core.preflight.queue_fitness import QueueAttributes
from consumer.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_SECONDS: Final = 10.0

_ABSENT: Final = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})

_NUMBERS: Final = {
    "MessageRetentionPeriod": "retention_seconds",
    "MaximumMessageSize": "message_bytes",
    "DelaySeconds": "delay_seconds",
}


async def waiting_messages(sqs: Any, queue_url: str) -> int:  # noqa: ANN401 - made by botocore
    """Return about how many visible messages the queue holds.

    Raise Misconfigured if there is no such queue, Retryable if the request fails.
    """
    return _waiting(await _attributes(sqs, queue_url, "ApproximateNumberOfMessages"))


async def queue_attributes(
    sqs: Any,  # noqa: ANN401 - made by botocore
    queue_url: str,
) -> QueueAttributes:
    """Return what decides whether the queue is fit for dead letters.

    All attributes are requested, because SQS refuses a request for FifoQueue if the queue is a
    standard one. Raise Misconfigured if there is no such queue, Retryable if the request fails.
    """
    found = await _attributes(sqs, queue_url, "All")
    numbers = {
        ours: whole_number(found[theirs]) for theirs, ours in _NUMBERS.items() if theirs in found
    }
    return QueueAttributes(
        waiting=_waiting(found),
        fifo=found.get("FifoQueue") == "true" or queue_url.endswith(".fifo"),
        moves_messages=bool(found.get("RedrivePolicy")),
        **numbers,
    )


async def _attributes(
    sqs: Any,  # noqa: ANN401 - made by botocore
    queue_url: str,
    name: str,
) -> Mapping[str, str]:
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            answer = await sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=[name])
    except CALL_FAILURES as error:
        if error_code(error) in _ABSENT:
            raise Misconfigured(
                f"CONSUMER_DEAD_LETTER_QUEUE_URL: found {queue_url!r} ({describe(error)}),"
                " wanted an existing queue"
            ) from error
        raise retryable("GetQueueAttributes", error) from error
    with reading("GetQueueAttributes"):
        return {str(name): str(value) for name, value in answer.get("Attributes", {}).items()}


def _waiting(attributes: Mapping[str, str]) -> int:
    return whole_number(attributes.get("ApproximateNumberOfMessages", 0))
