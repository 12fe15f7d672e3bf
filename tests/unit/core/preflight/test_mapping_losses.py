"""What a mapping may throw away: nothing before it is a letter, and then only to S3."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from consumer.core.preflight.check_result import Severity
from consumer.core.preflight.mapping_losses import judge_losses
from tests.unit.core.preflight.mapped import FIT, QUEUE, TERMS, route, told_by

FINE, DOUBTFUL, WRONG = Severity.FINE, Severity.DOUBTFUL, Severity.WRONG

told = partial(told_by, judge_losses)


def test_what_the_template_has_is_fine() -> None:
    found = judge_losses(FIT, TERMS)
    assert [(each.severity, each.result) for each in found] == [
        (FINE, "it repeats a batch until its records are too old"),
        (FINE, "letters after 72000 s, thrown away after 82800 s"),
        (FINE, "what it throws away goes to arn:aws:s3:::thrown-away"),
    ]


@pytest.mark.parametrize(
    ("mapping", "terms", "severity", "says", "remedy"),
    [
        ({"attempts": 0}, {}, WRONG, "after 0 more attempts", "MaximumRetryAttempts to -1"),
        ({"record_age": -1}, {}, WRONG, "trims it", "MaximumRecordAgeInSeconds to 82800"),
        ({"record_age": 86_400}, {}, WRONG, "trims it", "MaximumRecordAgeInSeconds to 82800"),
        ({"record_age": 82_799}, {}, FINE, "thrown away after 82799 s", ""),
        ({"record_age": 72_000}, {}, WRONG, "before they are letters after 72000 s", "82800"),
        ({"record_age": 75_599}, {}, DOUBTFUL, "less than an hour", "72000"),
        ({"record_age": 75_600}, {}, FINE, "thrown away after 75600 s", ""),
        ({}, {"routes": (route(age=None),)}, DOUBTFUL, "no CONSUMER_MAX_RECORD_AGE", "to 72000"),
        (
            {"record_age": 3600},
            {"routes": (route(age=None),)},
            DOUBTFUL,
            "after 3600 s",
            "CONSUMER_MAX_RECORD_AGE_SECONDS to 72000, and MaximumRecordAgeInSeconds to 82800",
        ),
        ({"destination": None}, {}, WRONG, "is gone", "S3"),
        ({"destination": QUEUE}, {}, WRONG, "redrive then cannot read", "S3"),
        ({"destination": f"{QUEUE}-2"}, {}, WRONG, "sequence numbers only", "S3"),
        ({"destination": "arn:aws:sns:a:1:b"}, {}, WRONG, "sequence numbers only", "S3"),
        ({}, {"letter_queue": None}, DOUBTFUL, "no dead letter queue", "QUEUE_URL"),
    ],
)
def test_each_loss_says_what_to_do(
    mapping: dict[str, Any], terms: dict[str, Any], severity: Severity, says: str, remedy: str
) -> None:
    ((found, result, do),) = told(mapping, terms)
    assert found is severity
    assert says in result
    assert remedy in do
    assert bool(do) is (severity is not FINE)


@pytest.mark.parametrize("age", [82_801, 86_399])
def test_an_hour_is_left_before_the_stream_trims(age: int) -> None:
    late, fine = told({"record_age": age}, {})
    assert (late[0], fine[0]) == (DOUBTFUL, FINE)
    assert f"after {age} s, less than an hour before" in late[1]
    assert late[2] == "set MaximumRecordAgeInSeconds to 82800"


def test_each_route_has_an_age_of_its_own() -> None:
    routes = (route(name="x", single=False), route(name="y", age=None, single=False))
    first, second = told({}, {"routes": routes})
    assert (first[0], second[0]) == (FINE, DOUBTFUL)
    assert "there is no CONSUMER_ROUTES, route y, max_record_age_seconds" in second[1]
