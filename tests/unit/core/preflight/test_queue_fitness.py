"""What the dead letter queue must be, and what each other queue is told."""

from __future__ import annotations

import pytest

from consumer.core.preflight.check_result import Severity
from consumer.core.preflight.queue_fitness import (
    QueueAttributes,
    judge_queue,
    judge_queue_region,
)

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
        (QueueAttributes(waiting=0, moves_messages=True), Severity.WRONG, "redrive policy"),
        (QueueAttributes(waiting=0, retention_seconds=1_209_599), Severity.DOUBTFUL, "13.9 days"),
        (QueueAttributes(waiting=0, retention_seconds=86_400), Severity.DOUBTFUL, "1.0 days"),
        (QueueAttributes(waiting=0, retention_seconds=86_399), Severity.WRONG, "0.9 days"),
        (QueueAttributes(waiting=0, retention_seconds=60), Severity.WRONG, "0.0 days"),
        (QueueAttributes(waiting=0, message_bytes=49_152), Severity.DOUBTFUL, "is shortened"),
        (QueueAttributes(waiting=0, message_bytes=49_151), Severity.WRONG, "may refuse"),
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


def test_a_queue_that_a_mapping_empties_must_move_what_is_refused() -> None:
    moving = QueueAttributes(waiting=0, moves_messages=True)
    assert len(judge_queue(moving, EVENT_BYTES, moves_messages=True)) == 1
    _, found = judge_queue(FIT, EVENT_BYTES, moves_messages=True)
    assert found.severity is Severity.WRONG
    assert "maxReceiveCount 5" in found.remedy


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


HERE = "https://sqs.eu-central-1.amazonaws.com"


@pytest.mark.parametrize(
    "url",
    [
        "https://sqs.eu-west-1.amazonaws.com/1/letters",
        "https://SQS-FIPS.us-east-1.amazonaws.com/1/letters",
        "https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/1/letters",
        "https://sqs.cn-north-1.amazonaws.com.cn/1/letters",
    ],
)
def test_a_queue_of_another_region_is_wrong(url: str) -> None:
    found = judge_queue_region(url, HERE)
    assert found is not None
    assert (found.severity, found.dependency) == (Severity.WRONG, "dead letter queue")
    assert "requests go to eu-central-1" in found.result
    assert "a queue in eu-central-1" in found.remedy


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        (f"{HERE}/1/letters", HERE),
        ("https://vpce-1.sqs.eu-central-1.vpce.amazonaws.com/1/letters", HERE),
        ("http://127.0.0.1:9324/1/letters", HERE),
        ("https://sqs.eu-west-1.amazonaws.com/1/letters", "http://127.0.0.1:9324"),
        ("https://sqs.eu-west-1.amazonaws.com.example.org/1/letters", HERE),
        ("http://[/1/letters", HERE),
    ],
)
def test_of_addresses_that_name_no_region_nothing_is_said(url: str, endpoint: str) -> None:
    assert judge_queue_region(url, endpoint) is None
