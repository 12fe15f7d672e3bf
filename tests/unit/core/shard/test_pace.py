import pytest

from consumer.core.limits import PollTiming
from consumer.core.shard.pace import (
    OLD_SECONDS,
    PAGE_BYTES,
    PAGE_RECORDS,
    TIP_EMPTIES,
    at_tip,
    pause,
)

TIMING = PollTiming(tip=0.25, idle=1.0, idle_max=5.0)


def wait(
    *,
    records: int = 0,
    size: int = 100,
    newest_age: float = 0.0,
    empties: int = 0,
    hurry: bool = False,
    timing: PollTiming = TIMING,
) -> float:
    return pause(
        timing, records=records, size=size, newest_age=newest_age, empties=empties, hurry=hurry
    )


@pytest.mark.parametrize(
    ("records", "size", "age", "more"),
    [
        (1, 100, 0.0, False),
        (PAGE_RECORDS - 1, PAGE_BYTES - 1, OLD_SECONDS, False),
        (PAGE_RECORDS, 100, 0.0, True),
        (1, PAGE_BYTES, 0.0, True),
        (1, 100, OLD_SECONDS + 0.1, True),
    ],
)
@pytest.mark.parametrize("hurry", [False, True])
def test_a_page_that_shows_more_is_followed_at_once(
    records: int, size: int, age: float, more: bool, hurry: bool
) -> None:
    waited = wait(records=records, size=size, newest_age=age, hurry=hurry)
    assert waited == (0.0 if more else TIMING.tip)
    assert at_tip(records=records, size=size, newest_age=age, empties=0) is not more


def test_the_limits_are_those_of_get_records() -> None:
    assert PAGE_RECORDS == 1_000
    assert PAGE_BYTES < 1_000_000


def test_empty_pages_back_off_to_a_limit() -> None:
    waits = [wait(empties=empties) for empties in range(1, 7)]
    assert waits == [1.0, 2.0, 4.0, 5.0, 5.0, 5.0]


def test_it_waits_however_long_a_shard_is_idle() -> None:
    assert wait(empties=10**9) == 5.0
    assert wait(empties=0) == 1.0


def test_an_idle_limit_below_the_first_wait_holds() -> None:
    assert wait(empties=1, timing=PollTiming(tip=0.25, idle=3.0, idle_max=2.0)) == 2.0


def test_in_a_hurry_an_empty_page_waits_as_little_as_a_tip() -> None:
    assert wait(empties=9, hurry=True) == TIMING.tip
    assert wait(empties=9, hurry=True, timing=PollTiming(tip=3.0, idle=1.0)) == 1.0


def test_only_several_empty_pages_in_a_row_are_taken_for_the_tip() -> None:
    for empties in range(1, TIP_EMPTIES):
        assert not at_tip(records=0, size=0, newest_age=0.0, empties=empties)
    assert at_tip(records=0, size=0, newest_age=0.0, empties=TIP_EMPTIES)
