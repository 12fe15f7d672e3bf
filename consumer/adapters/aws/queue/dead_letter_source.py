"""The dead letter queue on SQS as redrive sees it: the DeadLetterSource port."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, Final

from consumer.adapters.aws.aws_errors import CALL_FAILURES, retryable
from consumer.adapters.aws.queue.batch_answer import confirmed_ids
from consumer.adapters.aws.queue.queue_attributes import waiting_messages
from consumer.adapters.aws.whole_number import whole_number
from consumer.adapters.odd_answer import reading
from consumer.core.dead_letters.redrive import QueueDepth, QueuedMessage, Receipt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WAIT_SECONDS: Final = 1
"""Time of a long poll. SQS asks all of its servers then, so an empty answer can be trusted."""

REQUEST_SECONDS: Final = 20.0
MAX_VISIBILITY: Final = 43_200
"""SQS hides a message for at most twelve hours."""


class SqsDeadLetterSource:
    """DeadLetterSource port. `sqs` is a client made by `Aws`."""

    def __init__(self, sqs: Any, queue_url: str) -> None:  # noqa: ANN401 - made by botocore
        self._sqs = sqs
        self._queue_url = queue_url

    async def depth(self) -> QueueDepth:
        """Return about how many messages the queue holds, visible and hidden.

        Raise Misconfigured if there is no such queue, Retryable if the request fails.
        """
        visible = await waiting_messages(self._sqs, self._queue_url)
        name = "ApproximateNumberOfMessagesNotVisible"
        answer = await self._call("GetQueueAttributes", AttributeNames=[name])
        with reading("GetQueueAttributes"):
            return QueueDepth(visible, whole_number(answer.get("Attributes", {}).get(name, 0)))

    async def receive(self, count: int, seconds: float) -> Sequence[QueuedMessage]:
        """Receive at most `count` (up to ten) messages and hide them for `seconds`."""
        answer = await self._call(
            "ReceiveMessage",
            MaxNumberOfMessages=count,
            VisibilityTimeout=_visibility(seconds),
            WaitTimeSeconds=WAIT_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
        )
        with reading("ReceiveMessage"):
            return [_message(message) for message in answer.get("Messages", ())]

    async def delete(self, receipts: Sequence[Receipt]) -> Sequence[bool]:
        """Delete at most ten messages; return for each whether it was deleted."""
        return await self._batch("DeleteMessageBatch", receipts)

    async def hide(self, receipts: Sequence[Receipt], seconds: float) -> Sequence[bool]:
        """Hide at most ten messages for `seconds` from now; 0 makes them visible at once.

        Return for each whether it was done.
        """
        return await self._batch(
            "ChangeMessageVisibilityBatch", receipts, VisibilityTimeout=_visibility(seconds)
        )

    async def _batch(
        self, call: str, receipts: Sequence[Receipt], **members: int
    ) -> Sequence[bool]:
        if not receipts:
            return []
        entries = [
            {"Id": str(index), "ReceiptHandle": receipt.handle, **members}
            for index, receipt in enumerate(receipts)
        ]
        answer = await self._call(call, Entries=entries)
        with reading(call):
            done = confirmed_ids(answer)
        return [entry["Id"] in done for entry in entries]

    async def _call(self, call: str, **arguments: object) -> Mapping[str, Any]:
        method = getattr(self._sqs, _METHODS[call])
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                answer: Mapping[str, Any] = await method(QueueUrl=self._queue_url, **arguments)
        except CALL_FAILURES as error:
            raise retryable(call, error) from error
        return answer


_METHODS: Final = {
    "ChangeMessageVisibilityBatch": "change_message_visibility_batch",
    "DeleteMessageBatch": "delete_message_batch",
    "GetQueueAttributes": "get_queue_attributes",
    "ReceiveMessage": "receive_message",
}


def _visibility(seconds: float) -> int:
    return min(MAX_VISIBILITY, math.ceil(seconds))


def _message(message: Mapping[str, Any]) -> QueuedMessage:
    attributes = message.get("Attributes", {})
    return QueuedMessage(
        Receipt(str(message["MessageId"]), str(message["ReceiptHandle"])),
        # None of our letters has a lone surrogate, but a foreign message with one must not end the
        # redrive.
        str(message["Body"]).encode(errors="surrogatepass"),
        whole_number(attributes.get("SentTimestamp", 0)) / 1000,
        whole_number(attributes.get("ApproximateReceiveCount", 1)),
    )
