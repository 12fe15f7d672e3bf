from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from consumer.core.limits import PollTiming
from consumer.core.shard.pace import (
    FIRST_TIPS,
    MEMORY_SECONDS,
    OLD_SECONDS,
    PAGE_BYTES,
    PAGE_RECORDS,
    STEP_TIPS,
    TIP_EMPTIES,
    Pace,
    Polling,
)
from consumer.core.stream.page import MalformedRecord, Page, StreamRecord

TIMING = PollTiming(tip=0.25, idle=0.25, idle_max=2.0)
NOW = 1_800_000_000.0
EMPTY = Page([], "next", 0)


def record(created_at: float | None) -> StreamRecord:
    return StreamRecord(
        (Raw(b"{}"),), 0, "e", "MODIFY", 1, created_at, Raw(b"{}"), None, None, is_ttl=False
    )


def page(records: int = 1, size: int = 100, age: float | None = 0.0) -> Page:
    return Page([record(None if age is None else NOW - age)] * records, "next", size)


FOUND = page()


class Shard:
    """A shard at its tip: each page comes after the pause that the one before it asked for."""

    def __init__(self, timing: PollTiming = TIMING, *, hurry: bool = False) -> None:
        self.polling = Polling(timing, hurry=hurry)
        self.pace = Pace(self.polling)
        self.now = 1_000.0

    def gets(self, *pages: Page) -> float:
        """The pause after the last of these pages."""
        wait = 0.0
        for each in pages:
            self.pace.count(each, self.now, NOW)
            wait = self.pace.pause(each, NOW)
            self.now += wait
        return wait

    def anew(self, page: Page, *, elsewhere: bool) -> None:
        """What was counted in a row ends: with this page, or because reading begins elsewhere."""
        if elsewhere:
            self.pace.restart()
        else:
            self.gets(page)

    def learns(self, gap: float, seconds: float = 20 * MEMORY_SECONDS) -> None:
        """Something was found every `gap` seconds."""
        for _ in range(max(2, int(seconds / gap))):
            self.pace.count(FOUND, self.now, NOW)
            self.now += gap


@pytest.mark.parametrize(
    ("records", "size", "age", "more"),
    [
        (1, 100, 0.0, False),
        (PAGE_RECORDS - 1, PAGE_BYTES - 1, OLD_SECONDS, False),
        (PAGE_RECORDS, 100, 0.0, True),
        (1, PAGE_BYTES, 0.0, True),
        (1, 100, OLD_SECONDS + 0.1, True),
        (1, 100, None, False),
    ],
)
@pytest.mark.parametrize("hurry", [False, True])
def test_a_page_that_shows_more_is_followed_at_once(
    records: int, size: int, age: float | None, more: bool, hurry: bool
) -> None:
    shown = page(records, size, age)
    assert (Shard(hurry=hurry).gets(shown) == 0.0) is more
    assert Shard().pace.at_tip(shown, NOW) is not more


def test_a_page_ends_with_its_last_record_even_if_that_cannot_be_read() -> None:
    old, pace = record(NOW - 100), Shard().pace
    assert not pace.at_tip(Page([record(NOW), old], "next", 100), NOW)
    assert pace.at_tip(Page([old, MalformedRecord(b"", None, "")], "next", 100), NOW)


def test_the_limits_are_those_of_get_records() -> None:
    assert PAGE_RECORDS == 1_000
    assert PAGE_BYTES < 1_000_000


def test_a_lone_page_with_records_is_followed_by_pauses_that_grow_by_a_tip() -> None:
    shard = Shard()
    waits = [shard.gets(FOUND)] + [shard.gets(EMPTY) for _ in range(8)]
    tip = TIMING.tip
    assert waits[:7] == [tip * (FIRST_TIPS + empties) for empties in range(7)]
    assert waits[7:] == [TIMING.idle_max] * 2


def test_a_shard_in_which_nothing_is_found_is_asked_as_rarely_as_can_be() -> None:
    shard = Shard()
    assert shard.gets(*[EMPTY] * 10) == TIMING.idle_max
    assert shard.gets(*[EMPTY] * 10_000) == TIMING.idle_max


def test_a_load_that_begins_is_met_within_seconds() -> None:
    shard = Shard()
    shard.gets(*[EMPTY] * 100)
    begun = shard.now
    waits = [shard.gets(FOUND) for _ in range(6)]
    tip = TIMING.tip
    assert waits[:5] == [tip * (FIRST_TIPS - STEP_TIPS * further) for further in range(5)]
    assert waits[5] == tip
    assert shard.now - begun < 3.0


@pytest.mark.parametrize("gap", [0.5, 1.0, 4.0])
def test_the_pause_is_the_geometric_mean_of_tip_and_the_time_between_finds(gap: float) -> None:
    shard = Shard()
    shard.learns(gap)
    for _ in range(6):  # many empty pages in a row, so that these do not limit the pause
        shard.pace.count(EMPTY, shard.now, NOW)
    assert shard.pace.pause(EMPTY, NOW) == pytest.approx(sqrt(TIMING.tip * gap), rel=0.12)


def test_a_busy_shard_is_asked_every_tip_and_a_silent_one_ever_more_rarely() -> None:
    shard = Shard()
    shard.learns(TIMING.tip)
    assert shard.gets(FOUND) == TIMING.tip
    began, waits = shard.now, [shard.gets(EMPTY) for _ in range(200)]
    assert waits == sorted(waits)
    assert waits[0] < 1.1 * TIMING.tip
    assert waits[-1] == TIMING.idle_max
    asked = [began + sum(waits[:number]) for number in range(len(waits))]
    backed_off = next(at for at, wait in zip(asked, waits, strict=True) if wait == waits[-1])
    assert backed_off - began < 6 * MEMORY_SECONDS


def test_changes_that_come_together_count_as_one() -> None:
    one, many = Shard(), Shard()
    for shard, found in ((one, page(1)), (many, page(PAGE_RECORDS - 1))):
        shard.gets(EMPTY, found, *[EMPTY] * 20, found, *[EMPTY] * 3)
    assert one.now == many.now


def test_pages_of_the_past_say_nothing_of_arrivals() -> None:
    """A reader that catches up gets a page every few milliseconds."""
    shard, fresh = Shard(), Shard()
    for _ in range(1_000):
        shard.now += 0.01
        assert shard.gets(page(PAGE_RECORDS, age=3_600.0)) == 0.0
    assert [shard.gets(EMPTY) for _ in range(8)] == [fresh.gets(EMPTY) for _ in range(8)]


def test_the_time_in_which_the_shard_was_not_read_says_nothing_either() -> None:
    shard, same = Shard(), Shard()
    for each in (shard, same):
        each.learns(TIMING.tip)
        each.pace.restart()
    shard.now += 3_600.0
    empties = [EMPTY] * 4
    assert shard.gets(*empties) == pytest.approx(same.gets(*empties))
    assert shard.gets(*empties) < 2 * TIMING.tip


def test_after_an_empty_page_no_pause_is_shorter_than_idle() -> None:
    shard = Shard(PollTiming(tip=0.25, idle=1.0, idle_max=2.0))
    shard.learns(TIMING.tip)
    assert shard.gets(FOUND) == 0.25
    assert shard.gets(EMPTY) == 1.0
    assert shard.gets(FOUND) < 1.0


@given(
    tip=st.floats(0.01, 10),
    idle=st.floats(0.01, 10),
    idle_max=st.floats(0.01, 10),
    found=st.lists(st.tuples(st.booleans(), st.floats(0.0, 1e7)), min_size=1, max_size=40),
)
def test_each_pause_is_within_the_settings(
    tip: float, idle: float, idle_max: float, found: list[tuple[bool, float]]
) -> None:
    shard = Shard(PollTiming(tip, idle, idle_max))
    for has_records, later in found:
        shard.now += later
        wait = shard.gets(FOUND if has_records else EMPTY)
        if has_records:
            assert tip <= wait <= max(tip, idle_max)
        else:
            assert min(idle, idle_max) <= wait <= idle_max


@given(found=st.lists(st.booleans(), max_size=60), at=st.integers(0, 59))
def test_one_more_find_makes_no_later_pause_longer(found: list[bool], at: int) -> None:
    """With pages at the same times, whatever else was found."""
    more = list(found)
    if at < len(more):
        more[at] = True
    waits = []
    for each in (found, more):
        pace = Shard().pace
        for number, has_records in enumerate(each):
            shown = FOUND if has_records else EMPTY
            pace.count(shown, number * 0.7, NOW)
            waits.append(pace.pause(shown, NOW))
    few, many = waits[: len(found)], waits[len(found) :]
    assert all(b <= a for a, b in zip(few, many, strict=True))


def test_in_a_hurry_an_empty_page_waits_as_little_as_a_tip() -> None:
    empties = [EMPTY] * 9
    assert Shard(hurry=True).gets(*empties) == TIMING.tip
    assert Shard(PollTiming(3.0, 1.0, 5.0), hurry=True).gets(*empties) == 1.0
    assert Shard(hurry=True).gets(*empties, FOUND) == TIMING.tip


def test_a_hurry_that_begins_later_reaches_every_shard() -> None:
    polling = Polling(TIMING)
    shards = [Pace(polling), Pace(polling)]
    for shard in shards:
        for number in range(9):
            shard.count(EMPTY, float(number), NOW)
    polling.hurry = True
    assert [shard.pause(EMPTY, NOW) for shard in shards] == [TIMING.tip, TIMING.tip]


def test_only_several_empty_pages_in_a_row_are_taken_for_the_tip() -> None:
    shard = Shard()
    for _ in range(1, TIP_EMPTIES):
        shard.gets(EMPTY)
        assert not shard.pace.at_tip(EMPTY, NOW)
    shard.gets(EMPTY)
    assert shard.pace.at_tip(EMPTY, NOW)


def test_a_page_with_records_and_another_place_begin_the_count_anew() -> None:
    for elsewhere in (False, True):
        shard = Shard()
        shard.gets(*[EMPTY] * TIP_EMPTIES)
        shard.anew(FOUND, elsewhere=elsewhere)
        shard.gets(EMPTY)
        assert not shard.pace.at_tip(EMPTY, NOW)


def test_pages_with_records_in_a_row_are_counted_anew_after_an_empty_one_and_elsewhere() -> None:
    for elsewhere in (False, True):
        shard = Shard()
        shard.gets(*[FOUND] * 3)
        shard.anew(EMPTY, elsewhere=elsewhere)
        shard.now += 100 * MEMORY_SECONDS
        assert shard.gets(FOUND) == TIMING.tip * FIRST_TIPS
