"""Readers of a shard, calls a second, and pages that are empty for no reason."""

from __future__ import annotations

from typing import Any

import pytest

from localdev.streams.errors import ErrorCode, ServiceError
from localdev.streams.model.iterator import IteratorType
from localdev.streams.model.options import Options
from tests.unit.streams.streams_world import START, World, code_of, numbers


def crowd(world: World, count: int) -> list[str]:
    return [world.iterator() for _ in range(count)]


def test_any_number_may_read_unless_asked_for() -> None:
    world = World()
    for iterator in crowd(world, 5):
        assert world.numbers(iterator) == []


def test_a_third_reader_within_a_second_is_throttled() -> None:
    world = World(options=Options(readers=2))
    first, second, third = crowd(world, 3)
    world.numbers(first)
    world.numbers(second, START + 0.5)
    with pytest.raises(ServiceError) as raised:
        world.numbers(third, START + 0.9)
    assert code_of(raised) is ErrorCode.LIMIT_EXCEEDED
    world.numbers(second, START + 0.95)  # two may go on
    with pytest.raises(ServiceError):
        world.numbers(third, START + 0.99)
    world.numbers(third, START + 1.0)  # the first has not read for a second


def test_a_reader_is_the_same_from_iterator_to_iterator() -> None:
    world = World(options=Options(readers=2))
    ours, other = crowd(world, 2)
    world.numbers(other)
    for number in range(5):
        world.put(number)
    for number in range(5):
        page = world.model.get_records(ours, START, 1)
        assert numbers(page.records) == [number]
        assert page.next_iterator is not None
        ours = page.next_iterator


def test_who_is_throttled_does_not_keep_others_out() -> None:
    world = World(options=Options(readers=1))
    first, second = crowd(world, 2)
    world.numbers(first)
    with pytest.raises(ServiceError):
        world.numbers(second, START + 0.5)
    world.numbers(first, START + 1.2)


def test_a_hand_over_is_two_readers_and_other_shards_do_not_count() -> None:
    world = World(shards=2, options=Options(readers=2))
    for shard in world.stream.open_shards:
        for _ in range(2):  # the one that lets go, and the one that takes over at once
            assert world.numbers(world.iterator(shard=shard)) == []


def test_calls_beyond_the_documented_rates_are_throttled() -> None:
    world = World(options=Options(call_limits=True))
    arn, model = world.stream.arn, world.model
    shard = world.shard.shard_id
    for _ in range(9):
        model.describe_stream(arn, now=START)
    model.child_shards(arn, shard, START)
    with pytest.raises(ServiceError) as raised:
        model.describe_stream(arn, now=START + 0.9)
    assert code_of(raised) is ErrorCode.THROTTLING
    with pytest.raises(ServiceError) as raised:
        model.child_shards(arn, shard, START + 0.9)
    assert code_of(raised) is ErrorCode.THROTTLING
    assert model.describe_stream(arn, now=START + 1.0).shards
    for _ in range(5):
        model.list_streams(now=START)
    with pytest.raises(ServiceError) as raised:
        model.list_streams(now=START)
    assert code_of(raised) is ErrorCode.THROTTLING
    world.model.options.call_limits = False
    assert model.list_streams(now=START)[0]


def test_empty_pages_come_in_part_and_lose_nothing() -> None:
    world = World(options=Options(empty_pages=0.5))
    for number in range(60):
        world.put(number)
    parent = world.shard
    iterator: str | None = world.iterator()
    world.stream.replace(parent.shard_id, START, 1)
    seen, empty = [], 0
    while iterator is not None:
        page = world.model.get_records(iterator, START, 1)
        seen += numbers(page.records)
        empty += not page.records
        iterator = page.next_iterator
    assert seen == [*range(60)]
    assert 30 < empty < 120


def test_what_is_read_next_can_be_trimmed_between_two_reads() -> None:
    world = World()
    for number in range(4):
        world.put(number)
    page = world.model.get_records(world.iterator(), START, 2)
    assert page.next_iterator is not None
    world.model.trim_next(page.next_iterator)
    with pytest.raises(ServiceError) as raised:
        world.numbers(page.next_iterator)
    assert code_of(raised) is ErrorCode.TRIMMED_DATA_ACCESS
    assert world.numbers(world.iterator()) == [3]
    latest = world.iterator(IteratorType.LATEST)
    world.model.trim_next(latest)
    assert world.numbers(latest) == []
    assert world.numbers(world.iterator()) == [3]


@pytest.mark.parametrize(
    "wrong", [{"readers": -1}, {"empty_pages": 2.0}, {"time_resolution": 0}, {"children_delay": -1}]
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="or more"):
        Options(**wrong)
