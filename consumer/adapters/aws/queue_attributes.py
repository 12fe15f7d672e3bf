"""Asks SQS whether the dead letter queue exists and how full it is, without sending anything."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from consumer.adapters.aws.aws_errors import CALL_FAILURES, describe, error_code, retryable
from consumer.adapters.odd_answer import reading
from consumer.errors import Misconfigured

REQUEST_SECONDS: Final = 10.0

_ABSENT: Final = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})


async def waiting_messages(sqs: Any, queue_url: str) -> int:  # noqa: ANN401 - made by botocore
    """Return about how many visible messages the queue holds.

    Raise Misconfigured if there is no such queue, Retryable if the request fails.
    """
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            answer = await sqs.get_queue_attributes(
                QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages"]
            )
    except CALL_FAILURES as error:
        if error_code(error) in _ABSENT:
            raise Misconfigured(
                f"CONSUMER_DEAD_LETTER_QUEUE_URL: found {queue_url!r} ({describe(error)}),"
                " wanted an existing queue"
            ) from error
        raise retryable("GetQueueAttributes", error) from error
    with reading("GetQueueAttributes"):
        return int(answer.get("Attributes", {}).get("ApproximateNumberOfMessages", 0))
