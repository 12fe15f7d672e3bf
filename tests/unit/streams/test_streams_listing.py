from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from localdev.streams.errors import ErrorCode, ServiceError
from localdev.streams.model.options import Options
from localdev.streams.model.record import ViewType
from tests.unit.streams.streams_world import SCHEMA, START, World

if TYPE_CHECKING:
    from collections.abc import Callable


def ids(world: World, after: str | None = None, limit: int = 100) -> tuple[list[str], str | None]:
    page = world.model.describe_stream(world.stream.arn, after, limit)
    return [shard.shard_id for shard in page.shards], page.last_evaluated


def test_a_listing_comes_in_pages_of_a_hundred() -> None:
    world = World(shards=250)
    seen: list[str] = []
    sizes = []
    last: str | None = None
    for _ in range(3):
        page, last = ids(world, last)
        assert last in (None, page[-1])
        sizes.append(len(page))
        seen += page
    assert sizes == [100, 100, 50]
    assert last is None
    assert seen == sorted(shard.shard_id for shard in world.stream.shards.values())


def test_a_last_evaluated_shard_does_not_prove_that_more_follow() -> None:
    world = World(shards=100)
    page, last = ids(world)
    assert last == page[-1]
    assert ids(world, last) == ([], None)


def test_a_listing_goes_on_after_a_shard_that_is_gone_by_now() -> None:
    world = World(shards=4)
    first, last = ids(world, limit=2)
    assert last is not None
    gone = world.stream.shard(last)
    world.stream.replace(last, START + 1, 1)
    gone.age_out()
    rest, _ = ids(world, last)
    assert len(rest) == 3
    assert not set(rest) & set(first)


def test_child_shards_are_the_direct_children() -> None:
    world = World(shards=2)
    parent, other = world.stream.open_shards
    world.stream.replace(other.shard_id, START, 1)
    children = world.stream.replace(parent.shard_id, START, 2)
    world.stream.replace(children[0].shard_id, START, 1)
    page = world.model.child_shards(world.stream.arn, parent.shard_id, START)
    assert {shard.shard_id for shard in page.shards} == {child.shard_id for child in children}


def test_an_open_shard_has_no_children() -> None:
    world = World(shards=2)
    page = world.model.child_shards(world.stream.arn, world.stream.open_shards[0].shard_id, START)
    assert page.shards == ()


def test_children_may_not_show_for_a_while_though_the_listing_has_them() -> None:
    world = World(options=Options(children_delay=5))
    parent = world.shard
    world.stream.replace(parent.shard_id, START, 2)
    arn = world.stream.arn
    assert world.model.child_shards(arn, parent.shard_id, START + 4.9).shards == ()
    assert len(world.model.child_shards(arn, parent.shard_id, START + 5).shards) == 2
    assert len(ids(world)[0]) == 3


def test_the_child_filter_may_be_ignored() -> None:
    world = World(shards=3, options=Options(child_filter=False))
    parent = world.stream.open_shards[0]
    page = world.model.child_shards(world.stream.arn, parent.shard_id, START)
    assert len(page.shards) == 3


def test_streams_are_listed_by_table_and_page_by_page() -> None:
    world = World()
    world.model.create_table("U", SCHEMA, START, ViewType.KEYS_ONLY)
    world.model.create_table("V", SCHEMA, START, None)
    first, last = world.model.list_streams(limit=1)
    second, _ = world.model.list_streams(after=last, limit=1)
    assert [stream.table for stream in first + second] == ["T", "U"]
    assert [stream.table for stream in world.model.list_streams("U")[0]] == ["U"]
    assert world.model.list_streams("V") == ([], None)


def test_what_is_not_there_is_not_found() -> None:
    world = World()
    model = world.model
    calls: tuple[Callable[[], object], ...] = (
        lambda: model.table("none"),
        lambda: model.stream("none"),
        lambda: model.describe_stream("none"),
        lambda: model.child_shards(world.stream.arn, "none", START),
        lambda: world.stream.shard("none"),
    )
    for call in calls:
        with pytest.raises(ServiceError) as raised:
            call()
        assert raised.value.code is ErrorCode.RESOURCE_NOT_FOUND


def test_a_table_is_created_once() -> None:
    with pytest.raises(ServiceError) as raised:
        World().model.create_table("T", SCHEMA, START)
    assert raised.value.code is ErrorCode.RESOURCE_IN_USE
