"""How fast something may be used."""

import pytest

from consumer.core.republish.rate_limit import (
    LEAST_PART,
    RECOVERY_SECONDS,
    USUAL_UNITS,
    RateLimit,
    usual_rate,
)


def test_what_is_used_is_paid_for_before_the_next() -> None:
    limit = RateLimit(100)
    assert limit.wait(5) == 0
    limit.used(5, 50)
    assert limit.wait(5) == pytest.approx(0.5)
    limit.used(5.1, 100)
    assert limit.wait(5.1) == pytest.approx(1.4)
    assert limit.wait(7) == 0
    limit.used(100, 100)  # what was not used is not saved up
    assert limit.wait(100) == pytest.approx(1)


def test_a_throttle_halves_the_rate_and_it_comes_back_slowly() -> None:
    limit = RateLimit(100)
    limit.throttled(10, 9.9)
    assert limit.rate(10) == pytest.approx(50)
    assert limit.rate(10 + RECOVERY_SECONDS / 4) == pytest.approx(75)
    assert limit.rate(10 + RECOVERY_SECONDS) == 100
    limit.used(10, 50)
    assert limit.wait(10) == pytest.approx(1)


def test_requests_that_were_in_flight_together_count_once() -> None:
    limit = RateLimit(100)
    limit.throttled(10, 9)
    limit.throttled(10.1, 9.5)
    assert limit.rate(10) == pytest.approx(50)
    limit.throttled(10.2, 10.1)
    assert limit.rate(10.2) == pytest.approx(25, abs=1)


def test_it_never_stands_still() -> None:
    limit = RateLimit(100)
    for second in range(20):
        limit.throttled(second + 0.001, second)
    assert limit.rate(19.001) == pytest.approx(100 * LEAST_PART)


def test_a_tenth_of_what_is_provisioned_is_used() -> None:
    assert usual_rate(None) == USUAL_UNITS
    assert usual_rate(500) == 50
    assert usual_rate(50.0) == 5.0
    assert usual_rate(5.0) == 1.0
