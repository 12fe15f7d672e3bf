"""A page of a Scan stays within a second of the read units, and all together hit the rate."""

import random

import pytest

from consumer.core.republish.rate_limit import RateLimit
from consumer.core.republish.table.scan_page_size import MAX_ITEMS, ScanPageSize


def test_a_page_costs_half_a_second_by_the_size_of_items() -> None:
    assert ScanPageSize(RateLimit(100.0), 1024.0).items(0.0) == 200
    assert ScanPageSize(RateLimit(100.0), 4096.0).items(0.0) == 50
    assert ScanPageSize(RateLimit(100.0), None).items(0.0) == 50
    assert ScanPageSize(RateLimit(1.0), 400_000.0).items(0.0) == 1
    assert ScanPageSize(RateLimit(100_000.0), 50.0).items(0.0) == MAX_ITEMS


def test_no_page_is_expected_to_cost_more_than_a_full_one() -> None:
    assert ScanPageSize(RateLimit(40_000.0), 4096.0).items(0.0) == 256


def test_the_size_of_items_is_learned() -> None:
    size = ScanPageSize(RateLimit(100.0), 1024.0)
    for _ in range(10):
        size.learn(100, 400.0)  # four units an item
    assert size.items(0.0) == 12
    size.learn(0, 0.5)  # an empty page says nothing of items
    assert size.items(0.0) == 12
    for _ in range(60):
        size.learn(100, 0.0)  # a backend that does not tell what a page has cost
    assert size.items(0.0) == MAX_ITEMS


def test_small_items_do_not_make_a_page_that_takes_long_to_publish() -> None:
    assert ScanPageSize(RateLimit(100.0), 100.0, most=300).items(0.0) == 300
    assert ScanPageSize(RateLimit(100.0), 100.0, most=0).items(0.0) == 1


def test_throttling_makes_pages_smaller() -> None:
    limit = RateLimit(100.0)
    size = ScanPageSize(limit, 4096.0)
    limit.throttled(0.1, 0.0)
    assert size.items(0.1) == 25


@pytest.mark.parametrize("rcu", [5.0, 100.0, 500.0])
@pytest.mark.parametrize("mean", [100, 1_000, 20_000])
def test_what_is_consumed_is_within_a_tenth_of_the_rate(rcu: float, mean: int) -> None:
    """Sizes spread widely, and DescribeTable is wrong by three."""
    draw = random.Random(20)
    limit = RateLimit(rcu)
    size = ScanPageSize(limit, mean / 3)
    now, consumed, largest = 0.0, 0.0, 0.0
    while now < 100.0:
        now += limit.wait(now)
        asked, length, scanned = size.items(now), 0.0, 0
        while scanned < asked and length < 1_000_000:
            length += min(400_000.0, draw.expovariate(1 / mean))
            scanned += 1
        units = max(0.5, length / 4096)
        limit.used(now, units)
        size.learn(scanned, units)
        consumed += units
        largest = max(largest, units) if now > 5.0 and asked > 20 else largest
    assert 0.9 * rcu <= consumed / now <= 1.1 * rcu
    assert largest <= rcu
