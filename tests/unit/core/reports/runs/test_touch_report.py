"""The summary of a touch."""

from consumer.core.reports.runs.touch_report import TouchReport


def test_it_counts_what_became_of_each_key() -> None:
    report = TouchReport()
    report.touched, report.gone = 3, 1
    assert [*report.lines()] == ["3 items touched, 1 keys without an item"]
    assert (report.exit_code, report.done) == (0, 4)
    report.refusals.update({"too_large": 1, "conflict": 2})
    assert [*report.lines()][1:] == ["refused, conflict: 2", "refused, too_large: 1"]
    assert (report.exit_code, report.done) == (1, 7)


def test_one_that_ended_early_has_failed() -> None:
    report = TouchReport()
    report.ended = "it was called off"
    assert [*report.lines()][-1] == "ended early: it was called off"
    assert report.exit_code == 1
