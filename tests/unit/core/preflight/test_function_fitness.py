"""What the function of a mapping must be."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from consumer.core.preflight.check_result import Severity
from consumer.core.preflight.function_fitness import judge_function
from tests.unit.core.preflight.mapped import FIT, FIT_FUNCTION, FUNCTION, OF_QUEUE, TERMS

DOUBTFUL, WRONG = Severity.DOUBTFUL, Severity.WRONG


def test_a_fit_function() -> None:
    found = judge_function(FIT_FUNCTION, FIT, TERMS)
    assert [(each.severity, each.result) for each in found] == [
        (Severity.FINE, FUNCTION),
        (Severity.FINE, "timeout 120 s"),
    ]


@pytest.mark.parametrize(
    ("function", "severity", "says", "remedy"),
    [
        ({"arn": f"{FUNCTION}-2"}, WRONG, f"calls {FUNCTION}, and", "that the mapping names"),
        ({"timeout": 3}, WRONG, "timeout of 3 s", "to 120"),
        ({"timeout": 49}, WRONG, "(40 s) and 10 s more", "to 120"),
        ({"timeout": 50}, Severity.FINE, "timeout 50 s", ""),
        ({"runtime": "python3.10"}, WRONG, "python3.10", "python3.11 or newer"),
        ({"runtime": "nodejs22.x"}, WRONG, "nodejs22.x", "python3.11 or newer"),
        ({"memory": 255}, DOUBTFUL, "255 MB", "256 or more"),
        ({"variables": None}, DOUBTFUL, "decrypted", "their key"),
        (
            {"variables": {"CONSUMER_NAKADI_TOKEN": "secret-word"}},
            DOUBTFUL,
            "CONSUMER_NAKADI_TOKEN",
            "CONSUMER_NAKADI_TOKEN_SECRET",
        ),
    ],
)
def test_each_flaw_says_what_to_do(
    function: dict[str, Any], severity: Severity, says: str, remedy: str
) -> None:
    usual = judge_function(FIT_FUNCTION, FIT, TERMS)
    judged = judge_function(replace(FIT_FUNCTION, **function), FIT, TERMS)
    (found,) = (each for each in judged if each not in usual)
    assert found.severity is severity
    assert says in found.result
    assert remedy in found.remedy
    assert "secret-word" not in found.result + found.remedy


@pytest.mark.parametrize("printed", ["", ":$LATEST"])
@pytest.mark.parametrize("called", ["3", "live"])
def test_another_version_may_have_other_settings(printed: str, called: str) -> None:
    mapping = replace(FIT, function=f"{FUNCTION}:{called}")
    found = judge_function(replace(FIT_FUNCTION, arn=FUNCTION + printed), mapping, TERMS)[0]
    assert found.severity is DOUBTFUL
    assert f"version or alias {called}, and this is $LATEST" in found.result
    assert found.remedy.endswith(f"--qualifier {called}")


@pytest.mark.parametrize(
    ("printed", "called"), [("", ":$LATEST"), (":$LATEST", ""), (":live", ":live"), (":3", ":live")]
)
def test_versions_that_are_the_same(printed: str, called: str) -> None:
    mapping = replace(FIT, function=FUNCTION + called)
    found = judge_function(replace(FIT_FUNCTION, arn=FUNCTION + printed), mapping, TERMS)[0]
    assert (found.severity, found.result) == (Severity.FINE, FUNCTION + printed)


@pytest.mark.parametrize("runtime", ["", "python3.11", "provided.al2023"])
def test_runtimes_that_do(runtime: str) -> None:
    assert len(judge_function(replace(FIT_FUNCTION, runtime=runtime), FIT, TERMS)) == 2


def test_a_long_request_needs_a_longer_timeout() -> None:
    terms = replace(TERMS, request=110.5)
    _, found = judge_function(FIT_FUNCTION, FIT, terms)
    assert found.remedy == "set its Timeout to 130"


def test_a_queue_has_to_hide_a_letter_while_it_is_tried() -> None:
    *_, found = judge_function(FIT_FUNCTION, OF_QUEUE, TERMS)
    assert "VisibilityTimeout is at least 720" in found.remedy
