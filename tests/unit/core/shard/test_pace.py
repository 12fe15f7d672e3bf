import pytest
from msgspec import Raw

from consumer.core.limits import PollTiming
from consumer.core.shard.pace import (
    OLD_SECONDS,
    PAGE_BYTES,
    PAGE_RECORDS,
    TIP_EMPTIES,
    Pace,
    Polling,
)
from consumer.core.stream.page import MalformedRecord, Page, StreamRecord

TIMING = PollTiming(tip=0.25, idle=1.0, idle_max=5.0)
NOW = 1_800_000_000.0
EMPTY = Page([], "next", 0)


def record(created_at: float | None) -> StreamRecord:
    return StreamRecord(
        (Raw(b"{}"),), 0, "e", "MODIFY", 1, created_at, Raw(b"{}"), None, None, is_ttl=False
    )


def page(records: int = 1, size: int = 100, age: float | None = 0.0) -> Page:
    return Page([record(None if age is None else NOW - age)] * records, "next", size)


def pace(empties: int = 0, *, hurry: bool = False, timing: PollTiming = TIMING) -> Pace:
    found = Pace(Polling(timing, hurry=hurry))
    for _ in range(empties):
        found.count(EMPTY)
    return found


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
    assert pace(hurry=hurry).pause(shown, NOW) == (0.0 if more else TIMING.tip)
    assert pace().at_tip(shown, NOW) is not more


def test_a_page_ends_with_its_last_record_even_if_that_cannot_be_read() -> None:
    old = record(NOW - 100)
    assert not pace().at_tip(Page([record(NOW), old], "next", 100), NOW)
    assert pace().at_tip(Page([old, MalformedRecord(b"", None, "")], "next", 100), NOW)


def test_the_limits_are_those_of_get_records() -> None:
    assert PAGE_RECORDS == 1_000
    assert PAGE_BYTES < 1_000_000


def test_empty_pages_back_off_to_a_limit() -> None:
    waits = [pace(empties).pause(EMPTY, NOW) for empties in range(1, 7)]
    assert waits == [1.0, 2.0, 4.0, 5.0, 5.0, 5.0]


def test_it_waits_however_long_a_shard_is_idle() -> None:
    assert pace(10**4).pause(EMPTY, NOW) == 5.0
    assert pace(0).pause(EMPTY, NOW) == 1.0


def test_an_idle_limit_below_the_first_wait_holds() -> None:
    timing = PollTiming(tip=0.25, idle=3.0, idle_max=2.0)
    assert pace(1, timing=timing).pause(EMPTY, NOW) == 2.0


def test_in_a_hurry_an_empty_page_waits_as_little_as_a_tip() -> None:
    assert pace(9, hurry=True).pause(EMPTY, NOW) == TIMING.tip
    assert pace(9, hurry=True, timing=PollTiming(tip=3.0, idle=1.0)).pause(EMPTY, NOW) == 1.0


def test_a_hurry_that_begins_later_reaches_every_shard() -> None:
    polling = Polling(TIMING)
    shards = [Pace(polling), Pace(polling)]
    for shard in shards:
        for _ in range(9):
            shard.count(EMPTY)
    polling.hurry = True
    assert [shard.pause(EMPTY, NOW) for shard in shards] == [TIMING.tip, TIMING.tip]


def test_only_several_empty_pages_in_a_row_are_taken_for_the_tip() -> None:
    for empties in range(1, TIP_EMPTIES):
        assert not pace(empties).at_tip(EMPTY, NOW)
    assert pace(TIP_EMPTIES).at_tip(EMPTY, NOW)


def test_a_page_with_records_and_another_place_begin_the_count_anew() -> None:
    for begin_anew in (lambda shard: shard.count(page()), Pace.restart):
        shard = pace(TIP_EMPTIES)
        begin_anew(shard)
        shard.count(EMPTY)
        assert not shard.at_tip(EMPTY, NOW)
        assert shard.pause(EMPTY, NOW) == TIMING.idle
