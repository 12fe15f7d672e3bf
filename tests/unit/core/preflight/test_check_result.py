"""What `consumer check` makes of the answers."""

from __future__ import annotations

import pytest

from consumer.core.preflight.check_result import (
    Finding,
    Verdict,
    event_type_refusal,
    exit_code,
    ordering_key_finding,
)


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ((), 0),
        ((Verdict.FINE, Verdict.DOUBTFUL), 0),
        ((Verdict.FINE, Verdict.UNREACHABLE), 1),
        ((Verdict.UNREACHABLE, Verdict.WRONG), 2),
    ],
)
def test_the_gravest_verdict_decides(verdicts: tuple[Verdict, ...], code: int) -> None:
    assert exit_code([Finding("x", verdict, "") for verdict in verdicts]) == code


@pytest.mark.parametrize(
    ("wanted", "verdict", "shown"),
    [
        ((), Verdict.FINE, "pk"),
        (("pk",), Verdict.FINE, "pk"),
        (("sk", "pk"), Verdict.FINE, "sk, pk"),
        (("sk",), Verdict.WRONG, "sk"),
        (("pk", "name"), Verdict.WRONG, "pk, name"),
    ],
)
def test_an_ordering_key_holds_the_partition_key(
    wanted: tuple[str, ...], verdict: Verdict, shown: str
) -> None:
    finding = ordering_key_finding(wanted, ("pk", "sk"))
    assert (finding.verdict, finding.result) == (verdict, shown)
    assert (finding.remedy == "") == (verdict is Verdict.FINE)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (401, Verdict.WRONG),
        (403, Verdict.DOUBTFUL),
        (404, Verdict.WRONG),
        (503, Verdict.UNREACHABLE),
    ],
)
def test_an_event_type_that_is_not_shown(status: int, verdict: Verdict) -> None:
    finding = event_type_refusal("a.b", status, "f-1")
    assert finding.verdict is verdict
    assert finding.result == f"a.b: {status} (flow id f-1)"
    assert finding.remedy
