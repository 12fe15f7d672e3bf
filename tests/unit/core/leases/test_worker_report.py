"""What a worker says of itself."""

from consumer.core.leases.worker_report import WorkerReport


def test_a_worker_with_which_nothing_is_wrong_says_so_in_a_word() -> None:
    report = WorkerReport("ok")
    assert (report.reason, report.since, report.settled_at, report.failing) == (
        None,
        None,
        None,
        (),
    )
