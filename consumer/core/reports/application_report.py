"""What is wrong anywhere in a running application, as `consumer check` prints it.

It is made from the rows of the lease table and the wall clock. A worker writes what is wrong with
it; what no worker can say (a shard that nobody reads, a silent worker) follows from the rows.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec.structs import replace

from consumer.core.leases.lease_state import LeaseState
from consumer.core.preflight.check_result import CheckResult, Severity
from consumer.core.reports.worker_state import WorkerState
from consumer.core.reports.worker_status import SILENT, UNKNOWN, worker_statuses

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consumer.core.leases.lease import Worker
    from consumer.core.reports.lease_report import LeaseLine
    from consumer.core.reports.worker_status import WorkerStatus

WORKER = "worker"
SHARDS = "shards"

NAMED = 3
"""Shards that one line names."""

OWNERLESS_SECONDS = 60.0
"""A shard without a living owner is reported after this long: a hand-over takes a moment."""

_OWNERLESS = (LeaseState.SILENT.in_command, LeaseState.FREE.in_command)

_SEVERITIES = {
    WorkerState.OK: Severity.FINE,
    WorkerState.PAUSED: Severity.DOUBTFUL,
    WorkerState.BACKING_OFF: Severity.UNREACHABLE,
    WorkerState.FAILING: Severity.UNREACHABLE,
    WorkerState.LEASE_TABLE: Severity.UNREACHABLE,
    WorkerState.UNABLE: Severity.UNREACHABLE,
    WorkerState.STOPPED: Severity.WRONG,
}
"""STOPPED alone always waits for an operator. What else fails may pass, and is worth another try;
a pause is meant. A refused right is WRONG, whatever it stops."""


def judge_application(
    workers: Sequence[Worker], lines: Sequence[LeaseLine], lease_duration: float, wall: float
) -> list[CheckResult]:
    """Return one line for each thing that is wrong; none if nothing is. `lines` are all leases.

    `lease_duration` is for workers whose row states none; `wall` is in epoch seconds.
    """
    statuses = worker_statuses(workers, lease_duration, wall)
    found = [result for status in statuses for result in _worker(status, wall)]
    if lines and all(status.state == SILENT for status in statuses):
        remedy = "start a worker, or look why it does not run; the stream keeps changes for 24 h"
        found.append(CheckResult(WORKER, Severity.DOUBTFUL, "no worker runs", remedy))
    return [*found, *_leases(lines)]


def _worker(status: WorkerStatus, wall: float) -> Iterator[CheckResult]:
    if status.state in (WorkerState.OK, UNKNOWN):
        return
    for_how_long = "" if status.since is None else f" for {max(0.0, wall - status.since):.0f} s"
    why = "" if status.reason is None else f": {status.reason}"
    result = f"{status.worker}: {status.state}{for_how_long}{why}"
    yield CheckResult(WORKER, _severity(status), result, status.action)


def _severity(status: WorkerStatus) -> Severity:
    if status.state not in frozenset(WorkerState):
        return Severity.DOUBTFUL  # silent, or a word of a newer version
    severity = _SEVERITIES[WorkerState(status.state)]
    denied = severity is Severity.UNREACHABLE and "access_denied" in (status.reason or "")
    return Severity.WRONG if denied else severity


def _leases(lines: Sequence[LeaseLine]) -> Iterator[CheckResult]:
    for judge in (_unread, _paused):
        found: dict[CheckResult, list[str]] = defaultdict(list)
        for line in lines:
            wrong = judge(line)
            if wrong is not None:
                found[wrong].append(line.shard_id)
        for wrong, shards in found.items():
            yield replace(wrong, result=f"{wrong.result}: {_named(shards)}")


def _unread(line: LeaseLine) -> CheckResult | None:
    if line.state == LeaseState.UNREADABLE.in_command:
        remedy = "the log line row_unreadable says what to repair"
        return CheckResult(SHARDS, Severity.WRONG, "the row cannot be read", remedy)
    if line.state in _OWNERLESS and (line.age_seconds or 0.0) > OWNERLESS_SECONDS:
        remedy = "look at the logs of the workers; runbook, ConsumerLeasesUnowned"
        return CheckResult(SHARDS, Severity.DOUBTFUL, line.state, remedy)
    return None


def _paused(line: LeaseLine) -> CheckResult | None:
    if not line.paused:
        return None
    words = "paused" if line.pause is None else f"paused {line.pause.words}"
    return CheckResult(SHARDS, Severity.DOUBTFUL, words, "`consumer resume`, when it is time")


def _named(shards: Sequence[str]) -> str:
    more = f" and {len(shards) - NAMED} more" if len(shards) > NAMED else ""
    return f"{', '.join(shards[:NAMED])}{more}"
