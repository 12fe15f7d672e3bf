"""What a run tells of itself."""

from consumer.core.reports.runs.republish_report import RepublishReport
from consumer.core.republish.item_event import Refusal
from consumer.core.republish.outcome import Outcome
from tests.unit.core.republish.items import wire

KEY = wire({"id": {"S": "1"}})


def test_a_run_without_refusals_is_well() -> None:
    report = RepublishReport()
    report.count(Outcome(KEY, 2))
    report.count(Outcome(KEY, 1, gone=True))
    assert report.exit_code == 0
    assert [*report.lines()] == ["2 keys read, 1 of them absent; 3 events stored"]


def test_what_nobody_takes_is_told_and_no_failure() -> None:
    report = RepublishReport()
    report.count(Outcome(KEY, 0))
    report.count(Outcome(KEY, 0, gone=True))
    assert report.exit_code == 0
    assert [*report.lines()] == [
        "2 keys read, 1 of them absent; 0 events stored",
        "taken by no route: 1 items",
        (
            "absent, and sent to nobody: 1 (by its key alone a deletion goes only to routes named"
            " with --route)"
        ),
    ]


def test_refusals_and_an_early_end_fail() -> None:
    report = RepublishReport()
    report.count(Outcome(KEY, 1, (Refusal("a", "validation"), Refusal("b", "too_large"))))
    report.count_busy()
    report.ended = "it was called off"
    assert report.exit_code == 1
    assert [*report.lines()][1:] == [
        "refused, busy: 1",
        "refused, too_large: 1",
        "refused, validation: 1",
        "ended early: it was called off",
    ]
    busy = RepublishReport()
    busy.count_busy()
    assert (busy.exit_code, busy.read) == (1, 1)
    early = RepublishReport()
    early.ended = "x"
    assert early.exit_code == 1
