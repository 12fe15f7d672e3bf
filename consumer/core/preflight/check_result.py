"""What `consumer check` found out about a dependency, and what the operator can do about it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.time_of_day import WRONG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable


_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")


class Severity(StrEnum):
    """How serious a result is, from harmless to serious."""

    FINE = "ok"
    DOUBTFUL = "doubtful"  # it works, or may work; the operator should look
    UNREACHABLE = "unreachable"  # worth another try
    WRONG = "wrong"  # the operator must change something


class CheckResult(Struct, frozen=True):
    """One line of the table. `remedy` says what to do; it is empty if nothing is to be done."""

    dependency: str
    severity: Severity
    result: str
    remedy: str = ""


def exit_code(results: Iterable[CheckResult]) -> int:
    """Return 2 if anything is wrong, else 1 if anything is unreachable, else 0."""
    severities = {result.severity for result in results}
    if Severity.WRONG in severities:
        return 2
    return 1 if Severity.UNREACHABLE in severities else 0


def check_region(region: str, stream_region: str | None) -> CheckResult:
    """Check that the clients' region is that of the stream's ARN, which is None without an ARN.

    Local stand-ins have words of their own for the region of an ARN, such as `ddblocal`.
    """
    if stream_region is None or stream_region == region or not _REGION.fullmatch(stream_region):
        return CheckResult("AWS", Severity.FINE, f"region {region}")
    return CheckResult(
        "AWS",
        Severity.WRONG,
        f"region {region}, but the ARN of the stream has {stream_region}",
        f"set AWS_REGION={stream_region}, or correct CONSUMER_STREAM_ARN",
    )


def check_clock(ahead: float) -> CheckResult:
    """Check this machine's wall clock, which is `ahead` of AWS's time by these seconds."""
    if abs(ahead) <= WRONG_SECONDS:
        return CheckResult("clock", Severity.FINE, "agrees with AWS")
    return CheckResult(
        "clock",
        Severity.DOUBTFUL,
        f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} AWS",
        "set this machine's clock (NTP): AWS refuses requests if it is wrong by minutes",
    )


def check_ordering_key(
    chosen: tuple[str, ...], table_key: tuple[str, ...], setting: str
) -> CheckResult:
    """Check that the ordering key is made of the table's key and includes the partition key.

    `table_key` has the partition key first, as in KeySchema. `setting` is what names the ordering
    key.
    """
    shown = ", ".join(chosen)
    if table_key[0] not in chosen or not set(chosen) <= set(table_key):
        return CheckResult(
            "ordering key",
            Severity.WRONG,
            shown,
            f"{setting} takes attributes of the table's key ({', '.join(table_key)}),"
            f" and must include {table_key[0]}",
        )
    return CheckResult("ordering key", Severity.FINE, shown)


def event_type_refusal(name: str, status: int, flow_id: str, setting: str) -> CheckResult:
    """Return what an answer to `GET /event-types/{name}` without a definition means.

    Reading may be forbidden where writing is allowed. `flow_id` is for the operators of Nakadi, and
    `setting` is what names the event type.
    """

    def found(severity: Severity, result: str, remedy: str = "") -> CheckResult:
        return CheckResult("event type", severity, f"{name}: {result} (flow id {flow_id})", remedy)

    match status:
        case 401:
            return found(Severity.WRONG, "401", "the token is missing, wrong or expired")
        case 403:
            return found(Severity.DOUBTFUL, "403", "let the token's owner read it, and write to it")
        case 404:
            remedy = f"create it, or correct {setting} or CONSUMER_NAKADI_URL"
            return found(Severity.WRONG, "404", remedy)
        case _:
            return found(
                Severity.UNREACHABLE, str(status), "look at CONSUMER_NAKADI_URL, try again"
            )
