"""What `consumer check` says about the application that runs."""

import pytest
from msgspec.structs import replace

from consumer.core.leases.checkpoint import UNREADABLE
from consumer.core.leases.lease import Lease, Pause, Worker
from consumer.core.leases.worker_report import WorkerReport
from consumer.core.preflight.check_result import CheckResult, Severity
from consumer.core.reports.application_report import judge_application
from consumer.core.reports.lease_report import lease_report

NOW = 1_000_000.0
OK = WorkerReport("ok", settled_at=NOW - 1)
ROW = Worker("w", 1, 1, (), True, False, NOW, 0.0, "h", "1", 10.0, 2.0, report=OK)
HELD = Lease("s", None, owner="w", checkpoint="5", record_at=NOW - 5)


def judged(*leases: Lease, workers: tuple[Worker, ...] = (ROW,)) -> list[CheckResult]:
    lines = lease_report("orders/1", leases, workers, 10.0, NOW)
    return judge_application(workers, lines, 10.0, NOW)


def test_nothing_is_said_of_an_application_with_which_nothing_is_wrong() -> None:
    assert judged(HELD) == []
    assert judged(HELD, workers=(replace(ROW, report=None),)) == []  # version 0.1.0
    assert judged(workers=()) == []  # it never ran


@pytest.mark.parametrize(
    ("state", "reason", "severity"),
    [
        ("stopped", "event type order: http_404", Severity.WRONG),
        ("unable", "this worker can read no shard", Severity.UNREACHABLE),
        ("lease_table", "writing a lease fails: throttled, 9", Severity.UNREACHABLE),
        ("lease_table", "writing a lease fails: access_denied, 9", Severity.WRONG),
        ("failing", "shard s: server_error, 21", Severity.UNREACHABLE),
        ("failing", "shard s: access_denied, 21", Severity.WRONG),
        ("backing_off", "event type order: http_503", Severity.UNREACHABLE),
        ("paused", "shard s is paused", Severity.DOUBTFUL),
        ("resting", None, Severity.DOUBTFUL),
    ],
)
def test_what_is_wrong_in_a_worker_is_a_line(
    state: str, reason: str | None, severity: Severity
) -> None:
    report = WorkerReport(state, reason, NOW - 180, NOW)
    (told,) = judged(HELD, workers=(replace(ROW, report=report),))
    why = "" if reason is None else f": {reason}"
    assert (told.severity, told.result) == (severity, f"w: {state} for 180 s{why}")
    assert bool(told.remedy) == (state != "resting")


def test_a_state_without_a_time_is_told_without_one() -> None:
    (told,) = judged(HELD, workers=(replace(ROW, report=WorkerReport("paused")),))
    assert told.result == "w: paused"


def test_a_shard_that_is_unread_for_long_is_told() -> None:
    (told,) = judged(Lease("s", None, created_at=NOW - 61))
    assert (told.severity, told.result) == (Severity.DOUBTFUL, "unowned: s")
    assert judged(Lease("s", None, created_at=NOW - 60)) == []


def test_an_application_without_a_living_worker_is_told() -> None:
    silent = replace(ROW, seen_at=NOW - 300, report=replace(OK, settled_at=NOW - 301))
    told = judged(replace(HELD, record_at=NOW - 400), workers=(silent,))
    assert [each.result for each in told] == ["w: silent for 300 s", "no worker runs", "silent: s"]
    assert {each.severity for each in told} == {Severity.DOUBTFUL}


def test_pauses_are_told_together_by_who_and_why() -> None:
    pause = Pause("me@desk", NOW - 60, "deploy")
    leases = [replace(HELD, shard_id=f"s{n}", paused=True, pause=pause) for n in range(5)]
    (told,) = judged(*leases)
    assert told.result == "paused by me@desk: deploy: s0, s1, s2 and 2 more"
    (told,) = judged(replace(leases[0], pause=replace(pause, reason="")))
    assert told.result == "paused by me@desk: s0"
    (told,) = judged(replace(leases[0], pause=None))
    assert told.result == "paused: s0"


def test_a_row_that_cannot_be_read_is_wrong() -> None:
    damaged = Lease("s", None, "w", checkpoint=UNREADABLE, unreadable="checkpoint")
    (told,) = judged(damaged)
    assert (told.severity, told.result) == (Severity.WRONG, "the row cannot be read: s")
