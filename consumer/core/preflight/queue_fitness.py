"""Is this queue fit to keep dead letters until somebody decides about them?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from msgspec import Struct

from consumer.core.preflight.check_result import CheckResult, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPENDENCY: Final = "dead letter queue"

DAY: Final = 86_400
RETENTION_SECONDS: Final = 14 * DAY
"""The longest time for which SQS keeps a message."""

RETENTION_SECONDS_MIN: Final = DAY
"""With less, letters of a night are lost before somebody has looked at them."""

LETTER_ROOM: Final = 49_152
"""Room for what a letter has beside its event, in bytes: reason, place in the stream, key."""

_SQS_HOST = re.compile(
    r"(?:[a-z0-9-]+\.)?sqs(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?"
    r"(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|api\.aws|api\.amazonwebservices\.com\.cn)"
)


class QueueAttributes(Struct, frozen=True):
    """What SQS says of a queue. A default is that of a fit queue: what SQS omits is no flaw."""

    waiting: int  # about how many messages are visible
    fifo: bool = False
    moves_messages: bool = False  # it has a redrive policy of its own
    retention_seconds: int = RETENTION_SECONDS
    message_bytes: int = 1_048_576
    delay_seconds: int = 0


def judge_queue_region(url: str, endpoint: str) -> CheckResult | None:
    """Return the line for a queue in another region than that of the endpoint; None if it is not.

    SQS knows only the queues of its region. Addresses that are not AWS's name no region.
    """
    wanted, asked = queue_region(url), queue_region(endpoint)
    if wanted is None or asked is None or wanted == asked:
        return None
    return CheckResult(
        DEPENDENCY,
        Severity.WRONG,
        f"it is in {wanted}, and requests go to {asked}, where SQS does not know it",
        f"set CONSUMER_DEAD_LETTER_QUEUE_URL to a queue in {asked}, the region of the service",
    )


def queue_region(url: str) -> str | None:
    """Return the region in the address of a queue or of SQS, None if it names none."""
    try:
        found = _SQS_HOST.fullmatch(urlsplit(url).hostname or "")
    except ValueError:
        return None
    return found[1] if found else None


def judge_queue(
    queue: QueueAttributes, event_bytes: int, *, moves_messages: bool = False
) -> list[CheckResult]:
    """Return one line for the messages that wait, and one for each flaw of the queue.

    `event_bytes` is the size of the largest event that is published. `moves_messages`: a mapping of
    Lambda empties the queue, which therefore must have a redrive policy.
    """
    waiting = CheckResult(DEPENDENCY, Severity.FINE, f"about {queue.waiting} messages wait")
    return [waiting, *_moves(queue, wanted=moves_messages), *_flaws(queue, event_bytes)]


def _moves(queue: QueueAttributes, *, wanted: bool) -> Iterator[CheckResult]:
    if queue.moves_messages and not wanted:
        yield CheckResult(
            DEPENDENCY,
            Severity.WRONG,
            "it has a redrive policy: SQS moves a letter that was received several times to"
            " another queue, where `consumer redrive` does not find it",
            "remove the queue's RedrivePolicy",
        )
    elif wanted and not queue.moves_messages:
        yield CheckResult(
            DEPENDENCY,
            Severity.WRONG,
            "it has no redrive policy: its mapping repeats a letter that is refused for ever",
            "give it a RedrivePolicy with another queue and maxReceiveCount 5",
        )


def _flaws(queue: QueueAttributes, event_bytes: int) -> Iterator[CheckResult]:
    if queue.fifo:
        yield CheckResult(
            DEPENDENCY,
            Severity.WRONG,
            "a FIFO queue refuses every letter, because letters have no message group",
            "set CONSUMER_DEAD_LETTER_QUEUE_URL to a standard queue",
        )
    if queue.retention_seconds < RETENTION_SECONDS:
        days = int(queue.retention_seconds * 10 / DAY) / 10
        too_short = queue.retention_seconds < RETENTION_SECONDS_MIN
        yield CheckResult(
            DEPENDENCY,
            Severity.WRONG if too_short else Severity.DOUBTFUL,
            f"SQS deletes a letter after {days} days",
            f"set the queue's MessageRetentionPeriod to {RETENTION_SECONDS} (14 days)",
        )
    wanted = event_bytes + LETTER_ROOM
    if queue.message_bytes < wanted:
        refuses = queue.message_bytes < LETTER_ROOM
        so = (
            "it may refuse even the shortest letter of a long key, and then holds up this key"
            if refuses
            else "a larger letter is shortened, and may lack the event that `consumer redrive`"
            " would publish"
        )
        yield CheckResult(
            DEPENDENCY,
            Severity.WRONG if refuses else Severity.DOUBTFUL,
            f"it takes messages of up to {queue.message_bytes} bytes: {so}",
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
