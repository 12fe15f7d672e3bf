"""The dead letter queue on SQS: the DeadLetterQueue port.

A queue accepts ten messages per call, and no more bytes in a message or a call than its limit:
1 MiB, 256 KiB for older queues, or another value that was set. When the queue refuses a message as
too long, its answer has the limit, to which this process shortens all later letters.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

from consumer.adapters.aws.aws_errors import CALL_FAILURES, describe, retryable
from consumer.adapters.aws.queue.batch_answer import confirmed_ids
from consumer.adapters.odd_answer import reading
from consumer.core.dead_letters.dead_letter import DeadLetter, encode
from consumer.errors import Retryable
from consumer.observability.conditions import Conditions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

MESSAGES_PER_CALL: Final = 10
MAX_BYTES: Final = 1_048_576
MIN_BYTES: Final = 1_024
"""The largest and the smallest MaximumMessageSize of a queue that SQS allows, in bytes."""

REQUEST_SECONDS: Final = 20.0

OVER_SECONDS: Final = 60.0
"""The queue counts as accepting all letters again after this long: each is tried more often."""

_TOO_LONG: Final = re.compile(r"(?:shorter|longer) than ([0-9]{1,9}) bytes")


class SqsDeadLetterQueue:
    """The DeadLetterQueue port on SQS. `sqs` is made by `Aws`, `now` is that of a clock."""

    def __init__(
        self,
        sqs: Any,  # noqa: ANN401 - made by botocore
        queue_url: str,
        now: Callable[[], float],
    ) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._limit = MAX_BYTES
        self._now = now
        self._conditions = Conditions(now)
        self._failed_at = 0.0

    async def send(self, letters: Sequence[DeadLetter]) -> Sequence[bool]:
        """Send letters and return for each whether the queue has accepted it.

        Raises Retryable if a call failed before a letter was accepted.
        """
        bodies = [encode(letter, self._limit) for letter in letters]
        accepted = [False] * len(bodies)
        for first, last in _calls(bodies, self._limit):
            try:
                confirmed = await self._send(bodies, first, last)
            except Retryable:
                if any(accepted):
                    break
                raise
            for index in range(first, last):
                accepted[index] = str(index) in confirmed
        return accepted

    async def _send(self, bodies: Sequence[bytes], first: int, last: int) -> set[str]:
        entries = [
            {"Id": str(index), "MessageBody": bodies[index].decode()}
            for index in range(first, last)
        ]
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                answer: Mapping[str, Any] = await self._sqs.send_message_batch(
                    QueueUrl=self._queue_url, Entries=entries
                )
        except CALL_FAILURES as error:
            self._learn_limit(describe(error))
            raise retryable("SendMessageBatch", error) from error
        with reading("SendMessageBatch"):
            self._look_at_failures(answer.get("Failed", ()))
            return confirmed_ids(answer)

    def _look_at_failures(self, failures: Sequence[Mapping[str, Any]]) -> None:
        if failures:
            self._failed_at = self._now()
        elif self._now() - self._failed_at > OVER_SECONDS:
            self._conditions.over("dead_letter_not_accepted")
        for failure in failures:
            message = str(failure.get("Message", ""))
            self._learn_limit(message)
            self._conditions.warning(
                "dead_letter_not_accepted",
                code=str(failure.get("Code")),
                message=message,
                action="nothing; the letter is sent again, and its key waits. If this lasts, look "
                "up the code in the reference of SQS",
            )

    def _learn_limit(self, message: str) -> None:
        found = _TOO_LONG.search(message)
        if found:
            self._limit = max(MIN_BYTES, min(self._limit, int(found[1])))


def _calls(bodies: Sequence[bytes], limit: int) -> Iterator[tuple[int, int]]:
    """Yield the first index of each call and the one after its last; too long a body goes alone."""
    first, size = 0, 0
    for index, body in enumerate(bodies):
        if index > first and (size + len(body) > limit or index - first == MESSAGES_PER_CALL):
            yield first, index
            first, size = index, 0
        size += len(body)
    if bodies:
        yield first, len(bodies)
