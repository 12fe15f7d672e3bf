"""The time of day by another clock is learned from dates, and steady."""

from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.time_of_day import (
    ENOUGH,
    LONGEST_SECONDS,
    SAMPLE_SECONDS,
    SAMPLES,
    TimeOfDay,
)

TRUE = 1_790_000_000.0
"""The other clock's time when this machine's clock, which is never set, shows 0."""


def answer(time: TimeOfDay, sent_at: float, seconds: float = 0.02, part: float = 0.5) -> None:
    """An answer with its date, made when `part` of the time was over."""
    made_at = TRUE + sent_at + seconds * part
    time.learn(float(floor(made_at)), sent_at, sent_at + seconds)


def learned(ahead: float) -> TimeOfDay:
    """Of a machine whose wall clock was `ahead` when it began, after some answers."""
    time = TimeOfDay(TRUE + ahead, 0.0)
    for number in range(SAMPLES):
        answer(time, 1.0 + number)
    return time


def test_before_there_are_enough_answers_it_is_the_machines() -> None:
    time = TimeOfDay(TRUE + 600.0, 0.0)
    for number in range(ENOUGH - 1):
        answer(time, float(number))
        assert time.at(7.0) == TRUE + 607.0
        assert not time.known
    answer(time, 2.0)
    assert time.known
    assert time.at(7.0) == pytest.approx(TRUE + 7.0, abs=0.6)


@given(
    ahead=st.floats(-1e6, 1e6),
    sent=st.lists(
        st.tuples(st.floats(SAMPLE_SECONDS, 100.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
        min_size=ENOUGH,
        max_size=20,
    ),
)
def test_it_is_right_by_half_a_second_and_half_the_round_trip(
    ahead: float, sent: list[tuple[float, float, float]]
) -> None:
    time, now = TimeOfDay(TRUE + ahead, 0.0), 0.0
    for pause, seconds, part in sent:
        now += pause
        answer(time, now, seconds, part)
    assert abs(time.at(now) - TRUE - now) <= 0.5 + 0.5 + 1e-6


@pytest.mark.parametrize("odd", [0.0, TRUE + 86_400.0])
def test_a_minority_of_odd_dates_changes_nothing(odd: float) -> None:
    time = learned(ahead=600.0)
    for number in range(SAMPLES // 2):
        time.learn(odd, 20.0 + number, 20.0 + number)
        assert time.at(30.0) == pytest.approx(TRUE + 30.0, abs=0.6)


def test_a_clock_that_stood_is_put_right_by_the_next_answers() -> None:
    """CLOCK_BOOTTIME stands while a virtual machine does."""
    time = learned(ahead=0.0)
    for number in range(SAMPLES // 2 + 1):
        time.learn(TRUE + 620.0 + number, 20.0 + number, 20.0 + number)
    assert time.at(30.0) == pytest.approx(TRUE + 630.0, abs=0.6)


def test_a_slow_answer_says_too_little() -> None:
    time = TimeOfDay(TRUE, 0.0)
    for number in range(SAMPLES):
        answer(time, 10.0 * number, LONGEST_SECONDS + 0.1)
    assert not time.known


def test_many_answers_at_once_are_one() -> None:
    time = learned(ahead=0.0)
    for number in range(100):
        at = 20.0 + number * SAMPLE_SECONDS / 200
        time.learn(0.0, at, at)
    assert time.at(30.0) == pytest.approx(TRUE + 30.0, abs=0.6)
