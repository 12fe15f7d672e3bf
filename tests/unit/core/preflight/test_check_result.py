"""What `consumer check` makes of the answers."""

from __future__ import annotations

import pytest

from consumer.core.preflight.check_result import (
    CheckResult,
    Severity,
    check_clock,
    check_ordering_key,
    check_region,
    event_type_refusal,
    exit_code,
)
from consumer.core.time_of_day import WRONG_SECONDS


@pytest.mark.parametrize(
    ("severities", "code"),
    [
        ((), 0),
        ((Severity.FINE, Severity.DOUBTFUL), 0),
        ((Severity.FINE, Severity.UNREACHABLE), 1),
        ((Severity.UNREACHABLE, Severity.WRONG), 2),
    ],
)
def test_the_gravest_result_decides(severities: tuple[Severity, ...], code: int) -> None:
    assert exit_code([CheckResult("x", severity, "") for severity in severities]) == code


@pytest.mark.parametrize(
    ("region", "stream_region", "severity"),
    [
        ("eu-central-1", None, Severity.FINE),
        ("eu-central-1", "eu-central-1", Severity.FINE),
        ("eu-west-1", "eu-central-1", Severity.WRONG),
        ("eu-west-1", "ddblocal", Severity.FINE),
    ],
)
def test_the_region_is_that_of_the_stream(
    region: str, stream_region: str | None, severity: Severity
) -> None:
    result = check_region(region, stream_region)
    assert (result.dependency, result.severity) == ("AWS", severity)
    assert f"region {region}" in result.result
    assert (result.remedy != "") is (severity is Severity.WRONG)


@pytest.mark.parametrize(
    ("wanted", "severity", "shown"),
    [
        (("pk",), Severity.FINE, "pk"),
        (("sk", "pk"), Severity.FINE, "sk, pk"),
        (("sk",), Severity.WRONG, "sk"),
        (("pk", "name"), Severity.WRONG, "pk, name"),
    ],
)
def test_an_ordering_key_holds_the_partition_key(
    wanted: tuple[str, ...], severity: Severity, shown: str
) -> None:
    result = check_ordering_key(wanted, ("pk", "sk"), "CONSUMER_ORDERING_KEY")
    assert (result.severity, result.result) == (severity, shown)
    assert (result.remedy == "") == (severity is Severity.FINE)


@pytest.mark.parametrize(
    ("ahead", "words"),
    [(5.0, "agrees with AWS"), (602.4, "602 s ahead of AWS"), (-600.0, "600 s behind AWS")],
)
def test_a_wrong_clock_is_doubtful(ahead: float, words: str) -> None:
    result = check_clock(ahead)
    assert result.result == words
    fine = abs(ahead) <= WRONG_SECONDS
    assert (result.severity is Severity.FINE) == fine
    assert (result.remedy == "") == fine


@pytest.mark.parametrize(
    ("status", "severity"),
    [
        (401, Severity.WRONG),
        (403, Severity.DOUBTFUL),
        (404, Severity.WRONG),
        (503, Severity.UNREACHABLE),
    ],
)
def test_an_event_type_that_is_not_shown(status: int, severity: Severity) -> None:
    result = event_type_refusal("a.b", status, "f-1", "the setting")
    assert result.severity is severity
    assert result.result == f"a.b: {status} (flow id f-1)"
    assert result.remedy
    assert ("the setting" in result.remedy) is (status == 404)
