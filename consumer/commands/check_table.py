"""The table of `consumer check`: what was found of each dependency, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.commands.columns import columns
from consumer.core.preflight.check_result import CheckResult, Severity
from consumer.errors import Misconfigured, Retryable
from consumer.observability.actions import TRUST_FOR_AWS, TRUST_FOR_NAKADI

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sized

RESULT_WIDTH = 96
EVENT_TYPE = "event type"
HEADER = ("dependency", "verdict", "result, and what to do")


def table(results: Iterable[CheckResult]) -> str:
    """Return the table as text."""
    return columns([HEADER, *_rows(results)], RESULT_WIDTH)


def failure(dependency: str, error: Misconfigured | Retryable) -> CheckResult:
    """Return the result of a call that failed."""
    if isinstance(error, Retryable):
        remedy = _remedy(dependency, error)
        return CheckResult(dependency, Severity.UNREACHABLE, str(error), remedy)
    what, _, remedy = str(error).partition("; ")
    if remedy == "wanted one":  # the error names first what is not set
        remedy = f"set {what.partition(':')[0]}"
    return CheckResult(dependency, Severity.WRONG, what, remedy)


def counted(things: Sized, noun: str) -> str:
    """Return how many there are, in words."""
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _rows(results: Iterable[CheckResult]) -> Iterator[tuple[str, ...]]:
    for each in results:
        yield each.dependency, each.severity.value, each.result
        if each.remedy:
            yield "", "", f"→ {each.remedy}"


def _remedy(dependency: str, error: Retryable) -> str:
    match error.reason:
        case "tls":
            return TRUST_FOR_NAKADI if dependency == EVENT_TYPE else TRUST_FOR_AWS
        case "access_denied":
            return "`consumer iam-policy` prints what must be allowed"
        case "credentials":
            return "check the AWS credentials"
        case "throttled":
            return "try again"
        case _:
            return "check the address and the network, try again"
