"""`consumer redrive` at the desk: its options, its summary, its progress."""

import io
from typing import Any

import pytest

from consumer import cli
from consumer.commands.events.redrive import known, positive, since, summary
from consumer.commands.events.redrive_list import RedriveList
from consumer.commands.events.redrive_progress import RedriveProgress
from consumer.commands.run_progress import BAR_SECONDS, LINE_SECONDS
from consumer.commands.source_table import table_of
from consumer.core.dead_letters.redrive import RedriveOutcome
from consumer.core.reports.runs.letter_line import HEADER
from consumer.core.reports.runs.redrive_report import NAMED, RedriveReport
from consumer.errors import Misconfigured
from consumer.settings.loading import load_settings

LEAST = {
    "CONSUMER_TABLE": "orders",
    "CONSUMER_NAKADI_URL": "http://localhost:1",
    "CONSUMER_EVENT_TYPE": "order-store.payment",
}
QUEUE = {"CONSUMER_DEAD_LETTER_QUEUE_URL": "http://127.0.0.1:1/1/letters"}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    time = 0.0

    def now(self) -> float:
        return self.time

    wall = now

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("words", "environ", "told"),
    [
        ((), {}, "CONSUMER_DEAD_LETTER_QUEUE_URL: found nothing"),
        (("--since", "soon"), QUEUE, "--since: found 'soon'"),
        (("--since", "2026-11-01T09:30:00"), QUEUE, "with its zone"),
        (("--reason", "expire"), QUEUE, "--reason: found 'expire', wanted one of validation,"),
        (("--max-messages", "0"), QUEUE, "--max-messages: found '0'"),
        (("--max-messages", "ten"), QUEUE, "--max-messages: found 'ten'"),
        (("--list",), QUEUE, "--list: found it without --dry-run"),
        (("--dry-run", "--json"), QUEUE, "--json: found it without --list"),
        (("--dry-run", "--show-keys"), QUEUE, "--show-keys: found it without --list"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    words: tuple[str, ...], environ: dict[str, str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.execute(("redrive", *words), {**LEAST, **environ}) == 2
    errors = capsys.readouterr().err
    assert told in errors
    assert errors.count("\n") == 1


def test_all_that_is_missing_is_named_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(("redrive",), {}) == 2
    errors = capsys.readouterr().err
    for name in ("CONSUMER_EVENT_TYPE", "CONSUMER_NAKADI_URL", "CONSUMER_DEAD_LETTER_QUEUE_URL"):
        assert f"{name}: found nothing" in errors


def test_options_are_understood() -> None:
    assert since("90m", 10_000.0) == 10_000.0 - 5400
    assert since("2026-11-01T09:30:00Z", 0.0) == 1793525400.0
    assert positive("12") == 12
    assert known(["expired", "validation"]) == {"expired", "validation"}
    with pytest.raises(Misconfigured):
        since("3w", 0.0)


def test_the_summary_names_what_stays_and_says_what_it_means() -> None:
    report = RedriveReport()
    report.received = 60
    report.outcomes[RedriveOutcome.ACCEPTED] = 20
    report.refusals.update({"validation": 30})
    for number in range(30):
        report.count(RedriveOutcome.REFUSED, f"m{number}", "validation, tried 6 times")
    report.count(RedriveOutcome.FOREIGN, "m30", "its event type is 'a.b'")
    report.count(RedriveOutcome.FILTERED, "m31", "")
    report.hidden, report.unsettled, report.ended = 3, 4, "it was called off"
    lines = list(summary(report))
    assert lines[:4] == [
        "60 messages received",
        "accepted: 20 (stored by Nakadi, deleted from the queue)",
        "refused: 30 (refused again; they stay in the queue)",
        "  validation: 30",
    ]
    assert f"  and {30 - NAMED} more" in lines
    assert "  m30: its event type is 'a.b'" in lines
    assert not any("m31" in line for line in lines)
    assert lines[-3:] == [
        "not settled: 4 (they stay in the queue)",
        "hidden by somebody else: 3 (by another reader, or a run that died; they come back)",
        "ended early: it was called off",
    ]


def test_the_summary_has_a_line_for_each_event_type_if_there_are_several() -> None:
    report = RedriveReport()
    report.event_types["shop.order"].update({RedriveOutcome.ACCEPTED: 5, RedriveOutcome.REFUSED: 1})
    assert not any("shop.order" in line for line in summary(report))
    report.event_types["shop.shipped"][RedriveOutcome.UNSENT] = 3
    report.ended_parts["shop.shipped"] = "Nakadi answered 403"
    for number in range(3):
        report.count(RedriveOutcome.UNSENT, f"m{number}", "shop.shipped: Nakadi answered 403")
    lines = list(summary(report))
    assert lines[-2:] == [
        "shop.order: accepted 5, refused 1",
        "shop.shipped: not sent 3; ended early: Nakadi answered 403",
    ]
    assert "not sent: 3 (nothing more was sent to their event type; they stay)" in lines
    assert report.exit_code == 1


def test_what_other_rules_made_says_what_publishes_it() -> None:
    report = RedriveReport()
    report.count(RedriveOutcome.OTHER_RULES, "m1", "route 'orders' has changed")
    line = next(line for line in summary(report) if line.startswith("made by other rules: 1 "))
    assert "--as-made publishes them" in line
    assert "  m1: route 'orders' has changed" in list(summary(report))
    assert report.exit_code == 0


@pytest.mark.parametrize(
    ("environ", "table"),
    [
        ({"CONSUMER_TABLE": "orders"}, "orders"),
        ({"CONSUMER_STREAM_ARN": "arn:aws:dynamodb:eu-central-1:1:table/customers/stream/l"},
         "customers"),
        ({}, None),
    ],
)  # fmt: skip
def test_the_table_is_that_of_the_stream(environ: dict[str, str], table: str | None) -> None:
    needed = {name: text for name, text in LEAST.items() if name != "CONSUMER_TABLE"}
    assert table_of(load_settings({**needed, **environ}, [])) == table


def shown(out: io.StringIO, pause: float, steps: int) -> str:
    clock: Any = Clock()
    progress = RedriveProgress(out, clock, 100)
    report = RedriveReport()
    report.waiting = 1000
    for _ in range(steps):
        clock.time += pause
        report.received += 10
        report.outcomes[RedriveOutcome.ACCEPTED] += 10
        progress.show(report)
    progress.close(report)
    return out.getvalue()


def test_a_bar_on_a_terminal() -> None:
    text = shown(Terminal(), BAR_SECONDS, 5)
    assert text.startswith("\r[###...")
    assert text.endswith("] 50 of about 100: accepted 50, refused 0\n")
    assert text.count("\n") == 1


def test_plain_lines_otherwise() -> None:
    text = shown(io.StringIO(), LINE_SECONDS / 2, 4)
    assert text == (
        "redrive: 20 of about 100: accepted 20, refused 0\n"
        "redrive: 40 of about 100: accepted 40, refused 0\n"
    )


@pytest.mark.parametrize(("out", "progress"), [(Terminal(), 0), (io.StringIO(), 1)])
def test_a_list_on_a_terminal_is_its_own_progress(out: io.StringIO, progress: int) -> None:
    shown: list[RedriveReport] = []
    listing = RedriveList(out, Clock().wall, as_json=False, show_keys=False)
    listing.with_progress(shown.append)(RedriveReport())
    assert len(shown) == progress
    assert out.getvalue().split() == list(HEADER)
