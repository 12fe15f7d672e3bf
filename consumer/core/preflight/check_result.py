"""What `consumer check` found out about one dependency, and what the operator can do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Severity(StrEnum):
    """How grave it is, from harmless to grave."""

    FINE = "ok"
    DOUBTFUL = "doubtful"  # works, or may; somebody should look
    UNREACHABLE = "unreachable"  # worth another try
    WRONG = "wrong"  # the operator must change something


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of the table. `remedy` is empty where nothing is to be done."""

    dependency: str
    severity: Severity
    result: str
    remedy: str = ""


def exit_code(results: Iterable[CheckResult]) -> int:
    """2 if anything is wrong, else 1 if anything could not be reached, else 0."""
    severities = {result.severity for result in results}
    if Severity.WRONG in severities:
        return 2
    return 1 if Severity.UNREACHABLE in severities else 0


def check_ordering_key(wanted: tuple[str, ...], table_key: tuple[str, ...]) -> CheckResult:
    """The ordering key is made of the table's primary key, the partition key among them.

    `table_key` has the partition key first, as KeySchema has; empty `wanted` means that one.
    """
    shown = ", ".join(wanted or table_key[:1])
    unknown = [name for name in wanted if name not in table_key]
    if unknown or (wanted and table_key[0] not in wanted):
        return CheckResult(
            "ordering key",
            Severity.WRONG,
            shown,
            f"CONSUMER_ORDERING_KEY takes attributes of the table's key ({', '.join(table_key)}),"
            f" {table_key[0]} among them",
        )
    return CheckResult("ordering key", Severity.FINE, shown)


def event_type_refusal(name: str, status: int, flow_id: str) -> CheckResult:
    """What a `GET /event-types/{name}` that shows no definition tells.

    Reading may be forbidden where writing is allowed. The operators of the bus ask for `flow_id`.
    """

    def found(severity: Severity, result: str, remedy: str = "") -> CheckResult:
        return CheckResult("event type", severity, f"{name}: {result} (flow id {flow_id})", remedy)

    match status:
        case 401:
            return found(Severity.WRONG, "401", "the token is missing, wrong or expired")
        case 403:
            return found(Severity.DOUBTFUL, "403", "let the token's owner read it, and write to it")
        case 404:
            remedy = "create it, or correct CONSUMER_EVENT_TYPE or CONSUMER_NAKADI_URL"
            return found(Severity.WRONG, "404", remedy)
        case _:
            return found(
                Severity.UNREACHABLE, str(status), "look at CONSUMER_NAKADI_URL, try again"
            )
