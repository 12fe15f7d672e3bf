"""EventAges: the oldest event that waits, in whatever order events come and go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.backlog.event_ages import EventAges

WALL = 1_000.0


def test_nothing_has_no_age() -> None:
    assert EventAges().oldest(WALL) is None


def test_the_oldest_counts_until_the_last_of_its_second_has_left() -> None:
    ages = EventAges()
    for created_at in (990.0, 950.0, 950.0, 999.0):
        ages.add(created_at)
    assert ages.oldest(WALL) == 50.0
    ages.remove(950.0)
    assert ages.oldest(WALL) == 50.0
    ages.remove(950.0)
    assert ages.oldest(WALL) == 10.0
    ages.remove(990.0)
    ages.remove(999.0)
    assert ages.oldest(WALL) is None


def test_a_change_that_is_ahead_of_the_clock_has_no_negative_age() -> None:
    ages = EventAges()
    ages.add(WALL + 5.0)
    assert ages.oldest(WALL) == 0.0


def test_removing_what_is_not_counted_raises() -> None:
    ages = EventAges()
    ages.add(1.0)
    with pytest.raises(KeyError):
        ages.remove(2.0)
    assert ages.oldest(WALL) == 999.0


@given(st.lists(st.integers(0, 20)), st.randoms(use_true_random=False))
def test_it_is_the_minimum_in_any_history(seconds: list[int], random: object) -> None:
    ages, waiting = EventAges(), []
    for second in seconds:
        ages.add(float(second))
        waiting.append(second)
        if random.random() < 0.5:  # type: ignore[attr-defined]
            gone = waiting.pop(random.randrange(len(waiting)))  # type: ignore[attr-defined]
            ages.remove(float(gone))
        assert ages.oldest(WALL) == (WALL - min(waiting) if waiting else None)
