"""The workers of an application, as their rows show them: who is alive, and what is wrong there.

It is made from rows and the wall clock, so it is for people only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.reports.worker_state import ACTIONS, WorkerState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.leases.lease import Worker

SILENT_AFTER_LEASES = 2
"""A worker that was not seen for this many lease durations is silent. One would be too few, because
the clocks of two machines differ."""

SILENT = "silent"
UNKNOWN = "unknown"


class WorkerStatus(Struct, frozen=True):
    """One worker. Field names and their order are public JSON.

    `state` is a word of WorkerState, or silent, unreadable, or unknown: its version does not say.
    `seen_seconds` is the time since it wrote its row.
    """

    worker: str
    state: str
    reason: str | None
    since: float | None
    action: str
    seen_seconds: float
    draining: bool = False


def is_silent(worker: Worker, lease_duration: float, wall: float) -> bool:
    """Return whether a worker shows no sign of life. `lease_duration` is for one that states none.

    `wall` is in epoch seconds.
    """
    duration = worker.lease_duration or lease_duration
    return worker.seen_at < wall - SILENT_AFTER_LEASES * duration


def worker_statuses(
    workers: Sequence[Worker], lease_duration: float, wall: float
) -> tuple[WorkerStatus, ...]:
    """Return one status for each worker row, by worker id."""
    return tuple(
        _status(worker, wall, silent=is_silent(worker, lease_duration, wall))
        for worker in sorted(workers, key=lambda worker: worker.worker_id)
    )


def _status(worker: Worker, wall: float, *, silent: bool) -> WorkerStatus:
    seen = max(0.0, round(wall - worker.seen_at, 3))
    name, draining, report = worker.worker_id, worker.draining, worker.report
    if worker.unreadable is not None:
        reason = f"attribute {worker.unreadable} of its row cannot be read"
        action = "a running worker writes its row anew; delete any other"
        return WorkerStatus(name, "unreadable", reason, None, action, seen, draining)
    if silent:
        action = "none if it was stopped; its shards are taken over"
        return WorkerStatus(name, SILENT, None, worker.seen_at, action, seen, draining)
    if report is None:
        return WorkerStatus(name, UNKNOWN, None, None, "", seen, draining)
    known = report.state in frozenset(WorkerState)
    action = ACTIONS[WorkerState(report.state)] if known else ""
    return WorkerStatus(name, report.state, report.reason, report.since, action, seen, draining)
