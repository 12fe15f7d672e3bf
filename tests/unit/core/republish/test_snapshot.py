"""Rows of snapshots: terms, what a page adds, and which rows count for the present run."""

import pytest
from msgspec.structs import replace

from consumer.core.republish.snapshot import (
    Counts,
    Mode,
    Segment,
    Snapshot,
    Terms,
    all_done,
    of_run,
    total,
    written,
)

TERMS = Terms(4, None, ("a.b", "a.c"), "f1", "2026-11-01T09:30:00.000", Mode.ONCE)
SNAPSHOT = Snapshot("orders", "first", "run-1", TERMS, 1_793_525_400.5)


def test_equal_terms_do_not_differ() -> None:
    assert TERMS.differences(replace(TERMS)) == []


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (replace(TERMS, segments=8), "segments: 4 there, 8 here"),
        (replace(TERMS, filter="{}"), "filter: none there, {} here"),
        (replace(TERMS, routes=("a.b",)), "routes: a.b, a.c there, a.b here"),
        (replace(TERMS, fingerprint="f2"), "definitions of the routes: f1 there, f2 here"),
        (replace(TERMS, stream="b"), "stream: 2026-11-01T09:30:00.000 there, b here"),
        (replace(TERMS, mode=Mode.TWICE), "items read: once there, twice here"),
    ],
)
def test_each_term_that_differs_is_named_on_both_sides(other: Terms, told: str) -> None:
    assert TERMS.differences(other) == [told]


def test_a_page_moves_the_key_and_adds_its_counts() -> None:
    taken = Segment(0, "run-1").taken("me", "run-1")
    once = taken.settled('{"pk":{"S":"m"}}', Counts(3, 1, 2, 0))
    assert (once.owner, once.counter, once.done) == ("me", 2, False)
    assert once.last_key == '{"pk":{"S":"m"}}'
    last = once.settled(None, Counts(2, 0, 1, 1))
    assert (last.owner, last.counter, last.done, last.last_key) == (None, 3, True, None)
    assert last.counts == Counts(5, 1, 3, 1)


def test_whoever_takes_a_segment_goes_on_where_it_stands() -> None:
    half = replace(Segment(0, "run-1", "dead", 7, "k"), counts=Counts(3, 0, 3, 0))
    assert half.taken("me", "run-1") == replace(half, owner="me", counter=8)


def test_a_row_of_an_earlier_run_begins_anew_with_a_higher_counter() -> None:
    """The counter rises all the same: a late write of the earlier run must be refused."""
    old = Segment(0, "run-0", None, 7, "k", done=True, counts=Counts(3, 0, 3, 0))
    assert old.taken("me", "run-1") == Segment(0, "run-1", "me", 8)


def test_a_beat_and_a_release_change_nothing_but_the_owner() -> None:
    row = Segment(1, "run-1", "me", 4, "k", counts=Counts(1, 1, 0, 0))
    assert row.beating() == replace(row, counter=5)
    assert row.released() == replace(row, counter=5, owner=None)


def test_a_write_is_known_by_run_owner_counter_and_end() -> None:
    meant = Segment(1, "run-1", "me", 4, "k")
    assert written(meant, meant)
    assert not written(meant, None)
    for other in (
        replace(meant, owner="other"),
        replace(meant, counter=5),
        replace(meant, run="run-0"),
        replace(meant, done=True),
    ):
        assert not written(meant, other)


def done(number: int, run: str = "run-1") -> Segment:
    return Segment(number, run, None, 2, None, done=True, counts=Counts(2, 0, 2, 0))


def test_all_segments_of_this_run_must_be_done() -> None:
    rows = [done(number) for number in range(4)]
    assert all_done(SNAPSHOT, rows)
    assert total(SNAPSHOT, rows) == Counts(8, 0, 8, 0)
    assert not all_done(SNAPSHOT, rows[:3])
    assert not all_done(SNAPSHOT, [*rows[:3], replace(rows[3], done=False)])
    assert not all_done(SNAPSHOT, [*rows[:3], done(3, "run-0")])


def test_rows_of_an_earlier_run_with_more_segments_do_not_count() -> None:
    rows = [*(done(number) for number in range(4)), done(4), done(5, "run-0")]
    assert sorted(of_run(SNAPSHOT, rows)) == [0, 1, 2, 3]
    assert total(SNAPSHOT, rows) == Counts(8, 0, 8, 0)


def test_the_end_of_a_snapshot() -> None:
    assert SNAPSHOT.key == "orders/first"
    ended = SNAPSHOT.ended(1_793_529_000.0, Counts(8, 0, 8, 0))
    assert (ended.ended_at, ended.counts.stored, ended.run) == (1_793_529_000.0, 8, "run-1")
