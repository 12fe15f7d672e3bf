from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localdev.streams.errors import ErrorCode, ServiceError
from localdev.streams.model.hash_range import HASH_SPACE, HashRange
from localdev.streams.model.record import ViewType
from tests.unit.streams.streams_world import START, World


def test_a_rotation_has_one_child_with_the_whole_range() -> None:
    world = World()
    parent = world.shard
    (child,) = world.stream.replace(parent.shard_id, START + 1, 1)
    assert (child.parent, child.hash_range) == (parent.shard_id, parent.hash_range)
    assert world.stream.open_shards == (child,)


def test_a_split_divides_the_range_among_its_children() -> None:
    world = World(shards=2)
    left, right = world.stream.open_shards
    children = world.stream.replace(left.shard_id, START + 1, 3)
    assert [child.parent for child in children] == [left.shard_id] * 3
    assert children[0].hash_range.start == left.hash_range.start
    assert children[2].hash_range.end == left.hash_range.end == right.hash_range.start
    assert world.stream.open_shards == (*children, right)


def test_a_closed_shard_has_an_ending_number_beyond_its_records_and_before_its_children() -> None:
    world = World()
    world.put(1)
    parent = world.shard
    assert parent.ending is None
    children = world.stream.replace(parent.shard_id, START, 2)
    assert parent.ending is not None
    assert parent.starting < parent.history[-1].sequence < parent.ending
    assert all(child.starting > parent.ending for child in children)


def test_a_closed_shard_cannot_be_closed_again() -> None:
    world = World()
    parent = world.shard
    world.stream.replace(parent.shard_id, START, 1)
    before = world.stream.open_shards
    with pytest.raises(ValueError, match="is closed"):
        world.stream.replace(parent.shard_id, START, 1)
    assert world.stream.open_shards == before


def test_shard_ids_look_like_the_services() -> None:
    world = World(shards=50)
    ids = [shard.shard_id for shard in world.stream.listed()]
    assert all(re.fullmatch(r"shardId-\d{20}-[0-9a-f]{8}", shard_id) for shard_id in ids)
    assert len(set(ids)) == 50


def test_the_same_seed_gives_the_same_stream_and_another_seed_another() -> None:
    def bodies(seed: str) -> list[bytes]:
        world = World(shards=3, seed=seed)
        for number in range(20):
            world.put(number, key=f"k{number % 5}")
        world.stream.replace(world.stream.open_shards[0].shard_id, START, 2)
        world.put(99)
        return [
            shard.shard_id.encode() + b"".join(shard.bodies)
            for shard in world.stream.shards.values()
        ]

    assert bodies("a") == bodies("a")
    assert bodies("a") != bodies("b")


steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 11)),
        st.tuples(st.just("replace"), st.integers(0, 1000), st.integers(1, 3)),
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(steps, st.integers(1, 4))
def test_changes_of_a_key_are_whole_and_in_order_from_parent_to_child(
    steps: list[tuple[str, int] | tuple[str, int, int]], shards: int
) -> None:
    world = World(ViewType.NEW_IMAGE, shards)
    written: dict[str, list[int]] = defaultdict(list)
    for count, step in enumerate(steps):
        if len(step) == 2:
            world.put(count, key=f"k{step[1]}")
            written[f"k{step[1]}"].append(count)
        else:
            open_shards = world.stream.open_shards
            parent = open_shards[step[1] % len(open_shards)]
            world.stream.replace(parent.shard_id, START + count, step[2])

    read: dict[str, list[int]] = defaultdict(list)
    owners: dict[str, str] = {}  # the shard in which a key was seen last
    for shard in world.stream.shards.values():  # parents were created before their children
        for record in world.records(shard):
            image = record["dynamodb"]["NewImage"]
            key = image["id"]["S"]
            read[key].append(int(image["n"]["N"]))
            assert key not in owners or descends(world, shard.shard_id, owners[key])
            owners[key] = shard.shard_id
    assert read == written

    sequences = [
        entry.sequence for shard in world.stream.shards.values() for entry in shard.history
    ]
    assert len(set(sequences)) == len(sequences)
    edges = [shard.hash_range for shard in world.stream.open_shards]
    assert (edges[0].start, edges[-1].end) == (0, HASH_SPACE)
    assert all(a.end == b.start for a, b in pairwise(edges))


def descends(world: World, shard_id: str | None, ancestor: str) -> bool:
    while shard_id is not None and shard_id != ancestor:
        shard_id = world.stream.shards[shard_id].parent
    return shard_id == ancestor


def test_a_range_has_no_more_parts_than_hashes() -> None:
    assert HashRange(4, 6).parts(2) == (HashRange(4, 5), HashRange(5, 6))
    with pytest.raises(ValueError, match="has no 3 parts"):
        HashRange(4, 6).parts(3)


def test_a_disabled_stream_stays_readable_with_all_shards_closed() -> None:
    world = World(shards=2)
    world.put(1)
    stream = world.model.disable_stream("T", START + 1)
    assert not stream.enabled
    assert stream.open_shards == ()
    assert all(shard.ending is not None for shard in stream.listed())
    records = [record for shard in stream.listed() for record in world.records(shard)]
    assert len(records) == 1
    assert world.table.put({"id": {"S": "unseen"}}, START + 2) is None


def test_enabling_again_gives_another_arn_and_label_without_lineage() -> None:
    world = World()
    old = world.model.disable_stream("T", START)
    new = world.model.enable_stream("T", ViewType.KEYS_ONLY, START)
    assert old.label == "2026-11-01T00:00:00.000"
    assert old.arn == "arn:aws:dynamodb:us-east-1:000000000000:table/T/stream/" + old.label
    assert new.label == "2026-11-01T00:00:00.001"  # the same time, but never the same label
    assert new.arn != old.arn
    assert [shard.parent for shard in new.listed()] == [None]
    assert world.table.stream is new
    assert world.model.stream(old.arn) is old


def test_a_disabled_stream_is_gone_when_its_last_shard_aged_out() -> None:
    world = World(shards=2)
    stream = world.model.disable_stream("T", START)
    stream.listed()[0].age_out()
    assert world.model.stream(stream.arn) is stream
    world.model.retain(START + 24 * 3600 + 1)
    with pytest.raises(ServiceError) as raised:
        world.model.stream(stream.arn)
    assert raised.value.code is ErrorCode.RESOURCE_NOT_FOUND
    assert world.model.list_streams() == ([], None)


def test_a_stream_is_enabled_once_and_disabled_once() -> None:
    world = World()
    with pytest.raises(ServiceError, match="already has an enabled stream"):
        world.model.enable_stream("T", ViewType.NEW_IMAGE, START)
    world.model.disable_stream("T", START)
    with pytest.raises(ServiceError, match="does not have a stream"):
        world.model.disable_stream("T", START)
