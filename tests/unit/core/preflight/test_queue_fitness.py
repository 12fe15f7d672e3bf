"""What the dead letter queue must be, and what each other queue is told."""

from __future__ import annotations

import pytest

from consumer.core.preflight.check_result import Severity
from consumer.core.preflight.queue_fitness import QueueAttributes, judge_queue

FIT = QueueAttributes(waiting=3)
EVENT_BYTES = 999_000


def test_a_fit_queue_has_one_line() -> None:
    (result,) = judge_queue(FIT, EVENT_BYTES)
    assert (result.dependency, result.severity) == ("dead letter queue", Severity.FINE)
    assert (result.result, result.remedy) == ("about 3 messages wait", "")


@pytest.mark.parametrize(
    ("attributes", "severity", "says"),
    [
        (QueueAttributes(waiting=0, fifo=True), Severity.WRONG, "FIFO"),
        (QueueAttributes(waiting=0, moves_messages=True), Severity.DOUBTFUL, "redrive policy"),
        (QueueAttributes(waiting=0, retention_seconds=1_209_599), Severity.DOUBTFUL, "13.9 days"),
        (QueueAttributes(waiting=0, retention_seconds=60), Severity.DOUBTFUL, "0.0 days"),
        (QueueAttributes(waiting=0, message_bytes=262_144), Severity.DOUBTFUL, "262144 bytes"),
        (QueueAttributes(waiting=0, delay_seconds=1), Severity.DOUBTFUL, "1 s"),
    ],
)
def test_each_flaw_is_told_with_what_to_do(
    attributes: QueueAttributes, severity: Severity, says: str
) -> None:
    fine, found = judge_queue(attributes, EVENT_BYTES)
    assert fine.severity is Severity.FINE
    assert (found.dependency, found.severity) == ("dead letter queue", severity)
    assert says in found.result
    assert found.remedy


def test_all_flaws_are_told_at_once() -> None:
    worst = QueueAttributes(
        waiting=0,
        fifo=True,
        moves_messages=True,
        retention_seconds=60,
        message_bytes=1024,
        delay_seconds=900,
    )
    assert len(judge_queue(worst, EVENT_BYTES)) == 6


@pytest.mark.parametrize(("event_bytes", "flaws"), [(200_000, 0), (212_992, 0), (212_993, 1)])
def test_messages_need_be_no_larger_than_the_letter_of_the_largest_event(
    event_bytes: int, flaws: int
) -> None:
    found = judge_queue(QueueAttributes(waiting=0, message_bytes=262_144), event_bytes)
    assert len(found) == 1 + flaws
