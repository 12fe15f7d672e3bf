"""The workers as their rows show them."""

from msgspec.structs import replace

from consumer.core.leases.lease import Worker
from consumer.core.leases.worker_report import WorkerReport
from consumer.core.reports.worker_state import ACTIONS, WorkerState
from consumer.core.reports.worker_status import WorkerStatus, is_silent, worker_statuses

NOW = 1_000_000.0
ROW = Worker("w", 1, 1, (), True, False, NOW - 3, 0.0, "h", "1", 10.0, 2.0)


def one(worker: Worker) -> WorkerStatus:
    (status,) = worker_statuses([worker], 30.0, NOW)
    return status


def test_a_worker_is_silent_after_two_of_its_own_lease_durations() -> None:
    assert not is_silent(replace(ROW, seen_at=NOW - 20), 30.0, NOW)
    assert is_silent(replace(ROW, seen_at=NOW - 21), 30.0, NOW)
    assert not is_silent(replace(ROW, seen_at=NOW - 60, lease_duration=None), 30.0, NOW)


def test_a_row_says_what_is_wrong_with_its_worker() -> None:
    report = WorkerReport("stopped", "event type order: http_404", NOW - 500)
    action = ACTIONS[WorkerState.STOPPED]
    assert one(replace(ROW, report=report, draining=True)) == WorkerStatus(
        "w", "stopped", "event type order: http_404", NOW - 500, action, 3.0, True
    )
    assert one(replace(ROW, report=WorkerReport("resting"))).action == ""  # a newer version's word


def test_an_older_version_says_nothing() -> None:
    assert one(ROW) == WorkerStatus("w", "unknown", None, None, "", 3.0)


def test_the_word_of_a_silent_worker_does_not_count() -> None:
    silent = one(replace(ROW, seen_at=NOW - 300, report=WorkerReport("ok")))
    assert (silent.state, silent.since, silent.seen_seconds) == ("silent", NOW - 300, 300.0)


def test_a_row_that_cannot_be_read_is_named() -> None:
    damaged = one(replace(ROW, unreadable="changes"))
    assert (damaged.state, damaged.reason) == (
        "unreadable",
        "attribute changes of its row cannot be read",
    )


def test_workers_stand_in_the_order_of_their_names() -> None:
    found = worker_statuses([replace(ROW, worker_id="b"), replace(ROW, worker_id="a")], 30.0, NOW)
    assert [status.worker for status in found] == ["a", "b"]
