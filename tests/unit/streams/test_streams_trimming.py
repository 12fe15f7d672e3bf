from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from localdev.streams.errors import ErrorCode, ServiceError
from localdev.streams.model.iterator import IteratorType
from tests.unit.streams.streams_world import START, World, code_of

if TYPE_CHECKING:
    from collections.abc import Callable


def test_trimming_forgets_up_to_a_number_and_what_was_trimmed_is_not_read() -> None:
    world = World()
    for number in range(12):
        world.put(number)
    before = world.iterator()
    assert world.shard.trim(world.shard.history[9].sequence) == 10
    assert world.numbers(world.iterator()) == [10, 11]
    with pytest.raises(ServiceError) as raised:
        world.numbers(before)
    assert code_of(raised) is ErrorCode.TRIMMED_DATA_ACCESS


def test_trimming_twice_counts_each_record_once() -> None:
    world = World()
    for number in range(3):
        world.put(number)
    sequences = [entry.sequence for entry in world.shard.history]
    assert world.shard.trim(sequences[1]) == 2
    assert world.shard.trim(sequences[0]) == 0
    assert world.numbers(world.iterator()) == [2]


@pytest.mark.parametrize(
    "kind", [IteratorType.AT_SEQUENCE_NUMBER, IteratorType.AFTER_SEQUENCE_NUMBER]
)
def test_a_number_that_was_trimmed_is_refused_also_if_nothing_after_it_was(
    kind: IteratorType,
) -> None:
    world = World()
    world.put(1)
    world.put(2)
    first, second = (entry.sequence for entry in world.shard.history)
    world.shard.trim(first)
    with pytest.raises(ServiceError) as raised:
        world.iterator(kind, first)
    assert code_of(raised) is ErrorCode.TRIMMED_DATA_ACCESS
    assert world.iterator(kind, second)


def test_an_iterator_behind_the_trim_point_goes_on() -> None:
    world = World()
    world.put(1)
    after_first = world.model.get_records(world.iterator(), START).next_iterator
    assert after_first is not None
    world.shard.trim(world.shard.history[0].sequence)
    world.put(2)
    assert world.numbers(after_first) == [2]


def test_retention_forgets_old_records_and_shards_closed_long_ago() -> None:
    world = World()
    world.put(1, START)
    parent = world.shard
    world.stream.replace(parent.shard_id, START + 10, 1)
    world.put(2, START + 20)
    world.put(3, START + 30)
    day = 24 * 3600
    world.model.retain(START + day + 10)
    assert parent.bodies == []
    assert not parent.gone
    world.model.retain(START + day + 25)
    assert parent.gone
    assert world.numbers(world.iterator()) == [3]


def test_a_shard_that_aged_out_is_not_found_and_not_listed() -> None:
    world = World()
    world.put(1)
    parent = world.shard
    iterator = world.iterator()
    world.stream.replace(parent.shard_id, START, 1)
    parent.age_out()
    assert parent.shard_id not in [shard.shard_id for shard in world.stream.listed()]
    calls: tuple[Callable[[], object], ...] = (
        lambda: world.numbers(iterator),
        lambda: world.iterator(shard=parent),
    )
    for call in calls:
        with pytest.raises(ServiceError) as raised:
            call()
        assert code_of(raised) is ErrorCode.RESOURCE_NOT_FOUND
    assert parent.bodies == []
    assert len(parent.history) == 1  # a judge still knows what was there


def test_an_open_shard_does_not_age_out() -> None:
    with pytest.raises(ValueError, match="is open"):
        World().shard.age_out()
