"""The options of `consumer snapshot`, its progress and its summary."""

import io
import re

import pytest
from msgspec.structs import replace

from consumer import cli
from consumer.commands.republish.snapshot import summary
from consumer.commands.republish.snapshot_progress import Progress
from consumer.commands.republish.snapshot_terms import SnapshotOptions
from consumer.commands.run_progress import LINE_SECONDS
from consumer.core.republish.snapshot import Counts, Mode, Snapshot, Terms
from consumer.errors import Misconfigured
from consumer.runtime.republish.snapshot_run import SnapshotProgress
from tests.twins.set_clock import SetClock

TERMS = Terms(16, None, ("a.b",), "f1", "2026-11-01T09:30:00.000", Mode.ONCE)
SNAPSHOT = Snapshot("orders", "first", "run-1", TERMS, 1_793_525_400.5)


def options(*words: str) -> SnapshotOptions:
    return SnapshotOptions.of(cli._parser().parse_args(["snapshot", *words]))


def test_by_default_all_is_read_once_under_a_new_name() -> None:
    given = options()
    assert re.fullmatch(r"snapshot-20[0-9T]+Z-[0-9a-f]{6}", given.id)
    assert given == SnapshotOptions(
        given.id, None, None, None, Mode.ONCE, 4.0, given.rates, False, False, False
    )
    assert (given.rates.read_units, given.rates.published) == (None, 500.0)


def test_the_options_are_read() -> None:
    given = options(
        *("--id", "May.2026_a-1", "--segments", "64", "--repair", "--settle", "8"),
        *("--filter", ' {"eventName": ["INSERT"]} ', "--rcu", "25.5", "--max-rate", "50"),
        *("--again", "--anyway", "--without-service"),
    )
    assert (given.id, given.segments, given.mode, given.apart) == (
        "May.2026_a-1",
        64,
        Mode.TWICE,
        8.0,
    )
    assert given.filter_text == '{"eventName": ["INSERT"]}'
    assert (given.rates.read_units, given.rates.published) == (25.5, 50.0)
    assert (given.again, given.anyway, given.without_service) == (True, True, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--id", "a/b"), "--id: found 'a/b', wanted 1 to 100 letters"),
        (("--segments", "1.5"), "--segments: found 1.5, wanted a whole number from 1 to 1000000"),
        (("--segments", "0"), "--segments: found '0', wanted a number above 0"),
        (("--segments", "1000001"), "--segments: found 1000001, wanted a whole number from 1"),
        (("--id", "a" * 101), "wanted 1 to 100 letters"),
        (("--filter", "{"), "--filter: it is not JSON"),
        (("--count",), "--count: found it without --dry-run"),
        (("--settle", "8"), "--settle: found it without --repair"),
        (("--repair", "--settle", "2"), "--settle: found 2, wanted at least 4 seconds"),
        (("--again",), "--again: found it without --id"),
        (("--max-rate", "x"), "--max-rate: found 'x', wanted a number above 0"),
    ],
)
def test_what_cannot_be_is_one_line(words: tuple[str, ...], told: str) -> None:
    with pytest.raises(Misconfigured, match=re.escape(told)) as raised:
        options(*words)
    assert "\n" not in str(raised.value)


def test_the_summary_has_start_and_end_for_readers_that_sweep() -> None:
    ended = SNAPSHOT.ended(1_793_529_000.0, Counts(10, 0, 12, 1))
    assert [*summary(ended)] == [
        "snapshot first: began 2026-11-01T09:30:00.500Z, ended 2026-11-01T10:30:00Z",
        "10 items read; 12 events stored, 1 refused",
    ]
    left_out = replace(ended, counts=Counts(10, 3, 12, 0))
    assert [*summary(left_out)][2] == "taken by no route, or left out by --filter: 3 items"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("out", [io.StringIO(), Terminal()])
def test_progress_says_what_is_done_and_about_how_long_it_takes(out: io.StringIO) -> None:
    clock = SetClock()
    progress = Progress(out, clock, 1_000)

    def done(items: int) -> SnapshotProgress:
        return SnapshotProgress(Counts(items, 0, items, 0), items // 100, 10)

    progress.show(done(100))  # others have begun
    clock.seconds += LINE_SECONDS
    progress.show(done(100))
    assert (
        "100 of about 1000: 100 events stored, 0 refused, 1 of 10 segments done" in out.getvalue()
    )
    assert "left" not in out.getvalue()
    clock.seconds += 95.0
    progress.show(done(600))
    assert "600 of about 1000" in out.getvalue()
    assert "about 1.3 min left" in out.getvalue()
    clock.seconds += LINE_SECONDS
    progress.show(done(1_000))
    progress.close()
    assert out.getvalue().endswith("10 of 10 segments done\n")
    assert out.isatty() == ("[####" in out.getvalue())
