"""Is this queue fit to keep dead letters until somebody decides about them?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consumer.core.preflight.check_result import CheckResult, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPENDENCY: Final = "dead letter queue"

DAY: Final = 86_400
RETENTION_SECONDS: Final = 14 * DAY
"""The longest time for which SQS keeps a message."""

LETTER_ROOM: Final = 49_152
"""Room for what a letter has beside its event, in bytes: reason, place in the stream, key."""


@dataclass(frozen=True, slots=True)
class QueueAttributes:
    """What SQS says of a queue. A default is that of a fit queue: what SQS omits is no flaw."""

    waiting: int  # about how many messages are visible
    fifo: bool = False
    moves_messages: bool = False  # it has a redrive policy of its own
    retention_seconds: int = RETENTION_SECONDS
    message_bytes: int = 1_048_576
    delay_seconds: int = 0


def judge_queue(queue: QueueAttributes, event_bytes: int) -> list[CheckResult]:
    """Return one line for the messages that wait, and one for each flaw of the queue.

    `event_bytes` is the size of the largest event that is published.
    """
    waiting = CheckResult(DEPENDENCY, Severity.FINE, f"about {queue.waiting} messages wait")
    return [waiting, *_flaws(queue, event_bytes)]


def _flaws(queue: QueueAttributes, event_bytes: int) -> Iterator[CheckResult]:
    if queue.fifo:
        yield CheckResult(
            DEPENDENCY,
            Severity.WRONG,
            "a FIFO queue refuses every letter, because letters have no message group",
            "set CONSUMER_DEAD_LETTER_QUEUE_URL to a standard queue",
        )
    if queue.moves_messages:
        yield CheckResult(
            DEPENDENCY,
            Severity.DOUBTFUL,
            "it has a redrive policy: SQS moves a letter that was received several times to"
            " another queue, where `consumer redrive` does not find it",
            "remove the queue's RedrivePolicy",
        )
    if queue.retention_seconds < RETENTION_SECONDS:
        days = int(queue.retention_seconds * 10 / DAY) / 10
        yield CheckResult(
            DEPENDENCY,
            Severity.DOUBTFUL,
            f"SQS deletes a letter after {days} days",
            f"set the queue's MessageRetentionPeriod to {RETENTION_SECONDS} (14 days)",
        )
    wanted = event_bytes + LETTER_ROOM
    if queue.message_bytes < wanted:
        yield CheckResult(
            DEPENDENCY,
            Severity.DOUBTFUL,
            f"it takes messages of up to {queue.message_bytes} bytes: a larger letter is shortened,"
            " and may lack the event that `consumer redrive` would publish",
            f"set the queue's MaximumMessageSize to {wanted} or more",
        )
    if queue.delay_seconds > 0:
        yield CheckResult(
            DEPENDENCY,
            Severity.DOUBTFUL,
            f"it hides each new letter for {queue.delay_seconds} s: a redrive within that time"
            " leaves it out",
            "set the queue's DelaySeconds to 0",
        )
