"""What a snapshot costs, and how long it takes."""

import pytest

from consumer.core.republish.estimate import (
    FEWEST_SEGMENTS,
    MOST_SEGMENTS,
    default_segments,
    estimate,
    exceeds_half,
    retention_of,
)


def test_reading_once_costs_a_unit_for_each_four_kilobytes() -> None:
    found = estimate(1_000_000, 1_024_000_000, 2, twice=False, rcu=100.0, max_rate=None)
    assert (found.items, found.events, found.read_units) == (1_000_000, 2_000_000, 250_000)
    assert found.seconds == 2_500.0
    assert found.dollars == pytest.approx(0.03125)


def test_the_second_read_costs_at_least_a_unit_an_item() -> None:
    small = estimate(1_000, 1_024_000, 1, twice=True, rcu=100.0, max_rate=None)
    assert small.read_units == 250 + 1_000
    large = estimate(1_000, 5_000_000, 1, twice=True, rcu=100.0, max_rate=None)
    assert large.read_units == 1_221 + 2_000


def test_the_slower_of_reading_and_publishing_sets_the_time() -> None:
    found = estimate(1_000, 1_024_000, 2, twice=False, rcu=100.0, max_rate=10.0)
    assert found.seconds == 200.0


def test_an_empty_table_costs_nothing() -> None:
    found = estimate(0, 0, 1, twice=True, rcu=100.0, max_rate=10.0)
    assert (found.items, found.read_units, found.seconds, found.dollars) == (0, 0, 0.0, 0.0)


def test_half_of_a_retention() -> None:
    assert exceeds_half(1_000.5, 2_000.0)
    assert not exceeds_half(1_000.0, 2_000.0)


@pytest.mark.parametrize(
    ("definition", "seconds"),
    [
        (b'{"name": "a.b", "options": {"retention_time": 345600000}}', 345_600.0),
        (b'{"name": "a.b", "options": {"retention_time": 0}}', None),
        (b'{"name": "a.b", "options": {}}', None),
        (b'{"name": "a.b"}', None),
        (b'["a.b"]', None),
        (b"<html>", None),
    ],
)
def test_a_definition_says_how_long_events_are_kept(
    definition: bytes, seconds: float | None
) -> None:
    assert retention_of(definition) == seconds


def test_the_number_of_segments_follows_the_table() -> None:
    assert default_segments(0) == FEWEST_SEGMENTS
    assert default_segments(50 * 1024**3) == 25
    assert default_segments(10**15) == MOST_SEGMENTS
