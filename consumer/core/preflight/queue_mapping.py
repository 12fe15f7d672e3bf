"""What `consumer check` says of a mapping that feeds the dead letter queue to redrive in Lambda.

Rules (of Lambda and SQS)
- Without ReportBatchItemFailures the messages of a batch are deleted unless the function raises.
- A message that a filter does not match is deleted.
- What fails comes again after the queue's visibility timeout, at once and for ever, unless the
  queue's RedrivePolicy moves it to another queue.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from consumer.core.preflight.check_result import CheckResult, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.core.preflight.event_source_mapping import EventSourceMapping

DEPENDENCY: Final = "mapping"
CONCURRENCY: Final = 2
"""The least MaximumConcurrency that Lambda takes."""

BY_SCHEDULE: Final = "delete the mapping and call the function by a schedule"

_fine = partial(CheckResult, DEPENDENCY, Severity.FINE)
_doubtful = partial(CheckResult, DEPENDENCY, Severity.DOUBTFUL)
_wrong = partial(CheckResult, DEPENDENCY, Severity.WRONG)


def judge_queue_mapping(
    mapping: EventSourceMapping, letter_queue: str | None, *, accepted: bool, in_part: bool
) -> list[CheckResult]:
    """Return what is wrong with a mapping of a queue, and first whether there should be one.

    `letter_queue` is the URL of the dead letter queue; `accepted`: the operator wants a mapping;
    `in_part` is CONSUMER_LAMBDA_PARTIAL.
    """
    return list(_findings(mapping, letter_queue, accepted=accepted, in_part=in_part))


def _findings(
    mapping: EventSourceMapping, letter_queue: str | None, *, accepted: bool, in_part: bool
) -> Iterator[CheckResult]:
    if accepted:
        yield _fine(f"redrive of {mapping.source}")
    else:
        yield _wrong(
            "it repeats refused letters at once and for ever, in no order across batches, and"
            " hides them from the alarms of the queue",
            f"{BY_SCHEDULE}; or give the queue a second one (maxReceiveCount 5), and say"
            " --redrive-by-mapping",
        )
    name = None if letter_queue is None else letter_queue.rpartition("/")[2]
    if mapping.source.rpartition(":")[2] != name:
        yield _wrong(
            f"it reads {mapping.source}, which is not the dead letter queue of the settings",
            "map the queue of CONSUMER_DEAD_LETTER_QUEUE_URL, or correct that",
        )
    if in_part and not mapping.reports:
        yield _wrong(
            "without ReportBatchItemFailures it ignores the answer, and CONSUMER_LAMBDA_PARTIAL is"
            " true: letters that were not published are deleted",
            "set FunctionResponseTypes to ReportBatchItemFailures, or CONSUMER_LAMBDA_PARTIAL=false"
            " at once",
        )
    if mapping.concurrency != CONCURRENCY:
        shown = mapping.concurrency or "as many as there are letters"
        yield _doubtful(
            f"concurrency: {shown}; the letters of a key are then published in no order",
            f"set ScalingConfig to MaximumConcurrency={CONCURRENCY}, the least",
        )
    if mapping.filters is not None or mapping.hidden_filters:
        yield _wrong(
            "it has FilterCriteria: Lambda deletes the letters that these do not match",
            "remove FilterCriteria",
        )
