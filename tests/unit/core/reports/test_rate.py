"""Rates of a counter."""

import pytest

from consumer.core.reports.rate import Rate


def test_a_steady_counter_comes_to_its_rate() -> None:
    rate = Rate(100.0, 7)
    assert rate.per_second == 0.0
    for second in range(1, 61):
        rate.observe(100.0 + second, 7 + 250 * second)
    assert rate.per_second == pytest.approx(250.0, rel=1e-3)
    for second in range(61, 121):
        rate.observe(100.0 + second, 7 + 250 * 60)
    assert rate.per_second == pytest.approx(0.0, abs=0.01)


def test_it_does_not_matter_how_often_it_is_looked_at() -> None:
    often, seldom = Rate(0.0, 0), Rate(0.0, 0)
    for look in range(1, 101):
        often.observe(look / 10, look * 10)
    seldom.observe(10.0, 1000)
    assert often.per_second == pytest.approx(seldom.per_second, rel=1e-6)


def test_a_counter_that_began_anew_is_no_negative_rate() -> None:
    rate = Rate(0.0, 1000)
    rate.observe(1.0, 10)
    assert 0.0 < rate.per_second <= 10.0


def test_two_looks_at_one_moment_are_one() -> None:
    rate = Rate(5.0, 0)
    rate.observe(5.0, 100)
    rate.observe(6.0, 100)
    assert rate.per_second > 0.0
