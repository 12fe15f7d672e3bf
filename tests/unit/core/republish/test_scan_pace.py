"""A page of a Scan stays within a second of the read units, and all together hit the rate."""

import random

import pytest
from msgspec import Raw

from consumer.core.republish.read_item import ReadItem
from consumer.core.republish.scan_pace import MAX_LIMIT, PAGE_UNITS, ScanPace, ScanPage

ITEM = ReadItem(Raw(b"{}"), Raw(b"{}"), 1.5)


def page(scanned: int, units: float) -> ScanPage:
    return ScanPage([ITEM] * scanned, "k", units)


def test_a_page_costs_half_a_second_by_the_size_of_items() -> None:
    assert ScanPace(100.0, 1024.0).limit(0.0) == 200
    assert ScanPace(100.0, 4096.0).limit(0.0) == 50
    assert ScanPace(100.0, None).limit(0.0) == 50
    assert ScanPace(1.0, 400_000.0).limit(0.0) == 1
    assert ScanPace(100_000.0, 50.0).limit(0.0) == MAX_LIMIT


def test_no_page_is_expected_to_cost_more_than_a_full_one() -> None:
    pace = ScanPace(40_000.0, 4096.0)
    assert pace.limit(0.0) == 256
    assert pace.expected(1_000) == PAGE_UNITS


def test_the_size_of_items_is_learned() -> None:
    pace = ScanPace(100.0, 1024.0)
    for _ in range(10):
        pace.learn(page(100, 400.0))  # four units an item
    assert pace.limit(0.0) == 12
    pace.learn(page(0, 0.5))  # an empty page says nothing of items
    assert pace.limit(0.0) == 12


def test_a_request_is_sent_when_those_before_it_are_paid_for() -> None:
    pace = ScanPace(100.0, 4096.0)
    assert pace.reserve(0.0, 50.0) == 0.0
    assert pace.reserve(0.0, 20.0) == 0.5
    assert pace.reserve(0.1, 20.0) == pytest.approx(0.6)
    pace.correct(0.2, 20.0, 40.0)
    assert pace.reserve(0.2, 1.0) == pytest.approx(0.9)


def test_throttling_halves_rate_and_pages_and_costs_nothing() -> None:
    pace = ScanPace(100.0, 4096.0)
    assert pace.reserve(0.0, 50.0) == 0.0
    pace.throttled(0.1, 0.0, 50.0)
    assert (pace.rate(0.1), pace.limit(0.1)) == (50.0, 25)
    assert pace.reserve(0.1, 25.0) == 0.0


@pytest.mark.parametrize("rcu", [5.0, 100.0, 500.0])
@pytest.mark.parametrize("mean", [100, 1_000, 20_000])
def test_what_is_consumed_is_within_a_tenth_of_the_rate(rcu: float, mean: int) -> None:
    """Sizes spread widely, DescribeTable is wrong by three, four segments take turns."""
    draw = random.Random(20)
    pace, now, consumed, busy = ScanPace(rcu, mean / 3), 0.0, 0.0, [0.0] * 4
    while now < 100.0:
        now = min(busy)
        limit = pace.limit(now)
        reserved = pace.expected(limit)
        pause = pace.reserve(now, reserved)
        size, scanned = 0.0, 0
        while scanned < limit and size < 1_000_000:
            size += min(400_000.0, draw.expovariate(1 / mean))
            scanned += 1
        units = max(0.5, size / 4096)
        pace.correct(now, reserved, units)
        pace.learn(page(scanned, units))
        consumed += units
        busy[busy.index(now)] = now + pause + 0.02
    assert 0.9 * rcu <= consumed / now <= 1.1 * rcu
