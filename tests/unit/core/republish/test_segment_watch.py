"""Segments are taken once, taken over from the dead, and none of the table is skipped."""

import random
from dataclasses import dataclass, field
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from consumer.core.republish.segment_watch import SegmentWatch
from consumer.core.republish.snapshot import (
    Counts,
    Mode,
    Segment,
    Snapshot,
    Terms,
    all_done,
    of_run,
    written,
)

LEASE = 10.0


def snapshot(segments: int = 4) -> Snapshot:
    terms = Terms(segments, None, ("a.b",), "f", "2026-11-01T09:30:00.000", Mode.ONCE)
    return Snapshot("orders", "first", "run-1", terms, 1.5)


def watch(segments: int = 4) -> SegmentWatch:
    return SegmentWatch(snapshot(segments), "me", LEASE)


def test_segments_without_a_row_are_free_and_chance_chooses_the_first() -> None:
    seen = watch()
    seen.observe(0.0, 0.1, [])
    assert seen.next((), 0.0) == Segment(0, "run-1")
    assert seen.next((), 0.5) == Segment(2, "run-1")
    assert seen.next((), 0.999) == Segment(3, "run-1")
    assert seen.next({2, 3}, 0.5) == Segment(0, "run-1")
    assert seen.next({0, 1, 2, 3}, 0.5) is None


def test_what_is_done_or_owned_is_not_taken() -> None:
    seen = watch(3)
    rows = [Segment(0, "run-1", None, 3, done=True), Segment(1, "run-1", "other", 1)]
    seen.observe(0.0, 0.1, rows)
    assert seen.next((), 0.0) == Segment(2, "run-1")
    assert seen.next({2}, 0.0) is None


def test_a_row_of_an_earlier_run_is_free_and_is_given_as_it_was_read() -> None:
    seen, old = watch(1), Segment(0, "run-0", "other", 7, "k", done=True)
    seen.observe(0.0, 0.1, [old])
    assert seen.next((), 0.0) == old


def test_an_owner_is_dead_by_a_read_that_was_sent_a_lease_duration_after_the_answer() -> None:
    seen, row = watch(1), Segment(0, "run-1", "other", 7, "k")
    seen.observe(0.0, 5.0, [row])
    assert seen.next_read_due() == 5.0 + LEASE
    seen.observe(14.9, 16.0, [row])  # sent too early, however late its answer came
    assert seen.next((), 0.0) is None
    seen.observe(15.0, 15.1, [row])
    assert seen.next((), 0.0) == row
    assert seen.next_read_due() == inf


def test_a_counter_that_moves_or_another_owner_begins_the_time_anew() -> None:
    seen, row = watch(1), Segment(0, "run-1", "other", 7, "k")
    seen.observe(0.0, 0.0, [row])
    seen.observe(9.0, 9.0, [row.beating()])
    seen.observe(18.9, 18.9, [row.beating()])
    assert seen.next((), 0.0) is None
    seen.observe(19.0, 19.0, [replace(row, owner="third", counter=8)])
    assert seen.next((), 0.0) is None


def test_time_without_a_read_proves_nothing() -> None:
    seen, row = watch(1), Segment(0, "run-1", "other", 7, "k")
    seen.observe(0.0, 0.0, [row])
    seen.observe(3_600.0, 3_600.0, [row.beating()])
    assert seen.next((), 0.0) is None


def test_a_row_that_names_me_though_i_do_not_work_on_it_is_taken_again() -> None:
    seen, row = watch(1), Segment(0, "run-1", "me", 7, "k")
    seen.observe(0.0, 0.0, [row])
    assert seen.next((), 0.0) == row
    assert seen.next({0}, 0.0) is None
    assert seen.next_read_due() == inf


def test_the_free_come_before_the_dead() -> None:
    seen, row = watch(2), Segment(0, "run-1", "other", 7, "k")
    seen.observe(0.0, 0.0, [row])
    seen.observe(10.0, 10.0, [row])
    assert seen.next((), 0.0) == Segment(1, "run-1")
    assert seen.next({1}, 0.0) == row


PAGE = 3


@dataclass
class World:
    """Rows with conditional writes, and what was published of each segment, for ever settled."""

    snapshot: Snapshot
    items: list[int]  # of each segment
    rows: dict[int, Segment] = field(default_factory=dict)
    published: dict[int, set[int]] = field(default_factory=dict)
    late: list[tuple[Segment, Segment]] = field(default_factory=list)

    def write(self, expected: Segment, row: Segment) -> Segment | None:
        """Write if the row is as expected; return the row that stands if it is not."""
        current = self.rows.get(row.number)
        same = (
            expected.counter == 0
            if current is None
            else (current.run, current.owner, current.counter)
            == (expected.run, expected.owner, expected.counter)
        )
        if not same:
            return current or Segment(row.number, "absent")
        self.rows[row.number] = row
        done = self.published.setdefault(row.number, set())
        reached = self.items[row.number] if row.done else int(row.last_key or 0)
        assert set(range(reached)) <= done, "the key moved beyond what is settled"
        return None


class Process:
    """One process: it takes, publishes a page, writes; and may be killed between any two steps."""

    def __init__(self, world: World, me: str) -> None:
        self.world = world
        self.me = me
        self.watch = SegmentWatch(world.snapshot, me, LEASE)
        self.held: Segment | None = None
        self.page: int | None = None  # published up to here, not written
        self.pending: tuple[Segment, Segment] | None = None

    def step(self, now: float, draw: random.Random) -> None:
        if self.pending is not None:
            self._write(*self.pending, draw)
        elif self.held is None:
            self.watch.observe(now, now, list(self.world.rows.values()))
            found = self.watch.next((), draw.random())
            if found is not None:
                self._write(found, found.taken(self.me, self.world.snapshot.run), draw)
        elif self.page is None:
            begin = int(self.held.last_key or 0)
            self.page = min(begin + PAGE, self.world.items[self.held.number])
            settled = self.world.published.setdefault(self.held.number, set())
            settled.update(range(begin, self.page))
        elif draw.random() < 0.3:
            self._write(self.held, self.held.beating(), draw)
        else:
            end = self.page == self.world.items[self.held.number]
            counts = Counts(self.page - int(self.held.last_key or 0))
            self._write(self.held, self.held.settled(None if end else str(self.page), counts), draw)

    def _write(self, expected: Segment, row: Segment, draw: random.Random) -> None:
        fault = draw.random()
        if fault < 0.1:  # the request is lost, or comes later
            if fault < 0.05:
                self.world.late.append((expected, row))
            self.pending = (expected, row)
            return
        refusal = self.world.write(expected, row)
        if fault < 0.2:  # the answer is lost
            self.pending = (expected, row)
            return
        self.pending = None
        mine = refusal is None or written(row, refusal)
        key_moved = self.held is None or row.last_key != self.held.last_key or row.done
        if not mine:
            self.held, self.page = None, None
            return
        self.held = None if row.done else row
        if key_moved:
            self.page = None


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32), items=st.lists(st.integers(0, 10), min_size=1, max_size=4))
def test_nothing_is_skipped_whoever_is_killed(seed: int, items: list[int]) -> None:
    draw = random.Random(seed)
    world = World(snapshot(len(items)), items)
    stale = [n for n in range(len(items)) if draw.random() < 0.3]
    world.rows.update({n: Segment(n, "run-0", None, 5, None, done=True) for n in stale})
    processes = [Process(world, f"p{number}") for number in range(2)]
    now, kills = 0.0, 0
    for _ in range(20_000):
        now += draw.choice((0.0, 0.5, 4.0))
        if world.late and draw.random() < 0.1:
            world.write(*world.late.pop(draw.randrange(len(world.late))))
        index = draw.randrange(len(processes))
        if kills < 6 and draw.random() < 0.03:
            kills += 1
            processes[index] = Process(world, f"k{kills}")
        processes[index].step(now, draw)
        if all_done(world.snapshot, world.rows.values()):
            break
    else:
        pytest.fail("it does not end")
    for number, count in enumerate(items):
        assert world.published.get(number, set()) == set(range(count))
    assert sorted(of_run(world.snapshot, world.rows.values())) == list(range(len(items)))
    assert sum(row.counts.items for row in world.rows.values()) == sum(items)
