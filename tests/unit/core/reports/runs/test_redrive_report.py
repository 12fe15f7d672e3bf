"""What a redrive counts, and the exit code."""

from dataclasses import replace

from consumer.core.dead_letters.redrive import RedriveOutcome
from consumer.core.reports.runs.redrive_report import NAMED, ROWS, WHY_LENGTH, RedriveReport
from tests.unit.core.dead_letters.test_dead_letter import LETTER


def test_only_news_are_red() -> None:
    report = RedriveReport()
    for outcome in (
        RedriveOutcome.UNBUILDABLE,
        RedriveOutcome.INCOMPLETE,
        RedriveOutcome.FOREIGN,
        RedriveOutcome.FILTERED,
        RedriveOutcome.OTHER_RULES,
        RedriveOutcome.UNWANTED,
    ):
        report.count(outcome, "m", "why")
    report.outcomes[RedriveOutcome.ACCEPTED] += 3
    report.hidden = report.resent = 2
    assert (report.exit_code, report.settled) == (0, 9)
    report.count(RedriveOutcome.REFUSED, "m", "why")
    assert report.exit_code == 1


def test_an_event_type_to_which_nothing_more_was_sent_is_red() -> None:
    report = RedriveReport()
    report.ended_parts["a.b"] = "Nakadi answered 403"
    assert report.exit_code == 1


def test_a_run_that_did_not_get_to_its_end_is_red() -> None:
    ended, undeleted = RedriveReport(), RedriveReport()
    ended.ended = "it was called off"
    undeleted.undeleted = 1
    assert (ended.exit_code, undeleted.exit_code) == (1, 1)


def test_memory_is_bounded_whatever_letters_say() -> None:
    report = RedriveReport()
    for number in range(2 * ROWS):
        report.count(RedriveOutcome.FOREIGN, f"m{number}", "y" * 1000)
        report.list_letter(replace(LETTER, event_type=f"a.{number}"), publishable=False)
    report.list_letter(None, publishable=False)
    assert len(report.names[RedriveOutcome.FOREIGN]) == NAMED
    assert max(map(len, report.names[RedriveOutcome.FOREIGN])) < WHY_LENGTH + 10
    assert len(report.rows) == ROWS + 1
    assert report.rows.total() == 2 * ROWS + 1
