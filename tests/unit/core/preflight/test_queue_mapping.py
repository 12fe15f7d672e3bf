"""A mapping that redrives letters: refused unless the operator wants it, and judged if so."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from consumer.core.preflight.check_result import Severity
from consumer.core.preflight.queue_mapping import judge_queue_mapping
from tests.unit.core.preflight.mapped import OF_QUEUE, TERMS

DOUBTFUL, WRONG = Severity.DOUBTFUL, Severity.WRONG
URL = TERMS.letter_queue


def test_a_schedule_is_better() -> None:
    (found,) = judge_queue_mapping(OF_QUEUE, URL, accepted=False, in_part=True)
    assert found.severity is WRONG
    assert "for ever" in found.result
    assert "--redrive-by-mapping" in found.remedy


def test_one_that_is_wanted_and_fit() -> None:
    for in_part, reports in ((True, True), (False, True), (False, False)):
        mapping = replace(OF_QUEUE, reports=reports)
        (found,) = judge_queue_mapping(mapping, URL, accepted=True, in_part=in_part)
        assert found.severity is Severity.FINE


@pytest.mark.parametrize(
    ("mapping", "url", "severity", "says"),
    [
        ({}, None, WRONG, "not the dead letter queue"),
        ({}, f"{URL}-2", WRONG, "not the dead letter queue"),
        ({"reports": False}, URL, WRONG, "are deleted"),
        ({"concurrency": None}, URL, DOUBTFUL, "as many as there are letters"),
        ({"concurrency": 10}, URL, DOUBTFUL, "concurrency: 10"),
        ({"filters": "{}"}, URL, WRONG, "deletes the letters"),
        ({"hidden_filters": True}, URL, WRONG, "deletes the letters"),
    ],
)
def test_flaws_of_one_that_is_wanted(
    mapping: dict[str, Any], url: str | None, severity: Severity, says: str
) -> None:
    _, found = judge_queue_mapping(replace(OF_QUEUE, **mapping), url, accepted=True, in_part=True)
    assert found.severity is severity
    assert says in found.result
    assert found.remedy
