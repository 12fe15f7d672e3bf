"""Listings that lie: for how long, about what, and that the same seed tells the same."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from localdev.streams.model.options import Options
from localdev.streams.model.stale_listings import Lie, LieKind, Lies
from tests.unit.streams.streams_world import START, World


def world(lies: Lies, shards: int = 1, seed: str = "seed") -> World:
    return World(shards=shards, options=Options(lies=lies), seed=seed)


def listed(world: World, now: float) -> dict[str, bool]:
    """Every shard of a listing at a time, and whether it is shown open."""
    page = world.model.describe_stream(world.stream.arn, None, 100, now)
    return {shard.shard_id: shard.ending is None for shard in page.shards}


def split(world: World, now: float, children: int = 2) -> tuple[str, list[str]]:
    parent = world.stream.open_shards[0].shard_id
    return parent, [c.shard_id for c in world.stream.replace(parent, now, children)]


def test_nothing_is_wrong_unless_asked_for() -> None:
    honest = world(Lies())
    parent, children = split(honest, START)
    assert listed(honest, START) == {parent: False, **dict.fromkeys(children, True)}


def test_a_closed_leaf_has_no_child_for_a_while() -> None:
    lying = world(Lies(hidden=10))
    parent, children = split(lying, START, 40)
    sizes = [len(listed(lying, START + second)) - 1 for second in (0, 3, 6, 10)]
    assert sizes == sorted(sizes)
    assert 0 == sizes[0] < sizes[1] < sizes[2] < sizes[3] == len(children)
    assert listed(lying, START)[parent] is False
    shown = lying.model.child_shards(lying.stream.arn, parent, START + 3).shards
    assert len(shown) == sizes[1], "CHILD_SHARDS knows no more"


def test_a_child_is_listed_before_its_parent() -> None:
    lying = world(Lies(hidden=10), shards=20)
    for step in range(3):
        for shard in lying.stream.open_shards:
            lying.stream.replace(shard.shard_id, START + step, 1)
    seen = listed(lying, START + 6)
    orphans = [s for s in seen if (p := lying.stream.shards[s].parent) and p not in seen]
    assert orphans


def test_a_parent_is_shown_open_while_its_child_is() -> None:
    lying = world(Lies(open_still=10), shards=20)
    for shard in lying.stream.open_shards:
        lying.stream.replace(shard.shard_id, START + 1, 1)
    shown = listed(lying, START + 5)
    parents = [s for s in lying.stream.shards if lying.stream.shards[s].parent is None]
    assert {shown[parent] for parent in parents} == {True, False}
    assert all(shown[shard.shard_id] for shard in lying.stream.open_shards)
    assert not any(listed(lying, START + 11)[parent] for parent in parents)
    parent = next(p for p in parents if shown[p])
    assert lying.stream.shards[parent].ending is not None, "only the listing lies"


def test_a_listing_goes_backwards_from_one_call_to_the_next() -> None:
    lying = world(Lies(lag=5))
    _, children = split(lying, START)
    calls = [set(listed(lying, START + 2)) for _ in range(40)]
    assert any(not earlier <= later for earlier, later in pairwise(calls))
    assert all(set(children) <= set(listed(lying, START + 5)) for _ in range(40))


@pytest.mark.parametrize("ignored", [True, False])
def test_a_parent_is_named_but_never_listed_and_can_be_read(ignored: bool) -> None:
    lying = world(Lies(unlisted=1, unlisted_seconds=3600))
    lying.model.options.child_filter = not ignored
    root, (parent,) = split(lying, START, 1)
    lying.put(1)
    split(lying, START, 1)
    assert list(listed(lying, START + 3599)) == [root]
    assert lying.numbers(lying.iterator(shard=lying.stream.shard(parent))) == [1]
    children = lying.model.child_shards(lying.stream.arn, root, START + 1).shards
    assert [shard.shard_id for shard in children] == [root if ignored else parent]
    assert len(listed(lying, START + 3600)) == 3


def test_a_part_of_the_shards_is_never_listed() -> None:
    lying = world(Lies(unlisted=0.25))
    split(lying, START, 99)
    assert 10 < 100 - len(listed(lying, START + 1000)) < 40


def pages(world: World, now: float = START + 100) -> list[list[str]]:
    """Ids of a whole listing, page by page, as a client asks for them."""
    found: list[list[str]] = []
    after = None
    while True:
        page = world.model.describe_stream(world.stream.arn, after, 100, now)
        found.append([shard.shard_id for shard in page.shards])
        after = page.last_evaluated
        if after is None:
            return found


def test_a_page_boundary_stands_between_parent_and_child() -> None:
    lying = world(Lies(page=1))
    parent, children = split(lying, START + 1)
    assert pages(lying) == [[parent], *([child] for child in sorted(children)), []]


def test_children_come_before_their_parents_in_a_shuffled_listing() -> None:
    lying = world(Lies(shuffled=True, page=7))
    for step in range(40):
        split(lying, START + step, 1)
    found = [shard for page in pages(lying) for shard in page]
    assert sorted(found) == sorted(lying.stream.shards)
    place = {shard: number for number, shard in enumerate(found)}
    parents = {s.shard_id: s.parent for s in lying.stream.listed() if s.parent is not None}
    assert any(place[parent] > place[child] for child, parent in parents.items())
    assert any(place[parent] < place[child] for child, parent in parents.items())


def test_the_last_page_may_name_a_last_shard_though_nothing_follows() -> None:
    lying = world(Lies(last_named=1), shards=3)
    assert [len(page) for page in pages(lying)] == [3, 0]
    lying.model.options.lies = Lies(last_named=0.5)
    assert {len(pages(lying)) for _ in range(30)} == {1, 2}
    lying.model.options.lies = Lies()
    assert [len(page) for page in pages(lying)] == [3]


def test_a_lie_on_demand_ends_by_itself() -> None:
    lying = world(Lies())
    parent, (child, other) = split(lying, START)
    lying.model.tell_lie(LieKind.HIDDEN, child, START + 1, 5)
    lying.model.tell_lie(LieKind.OPEN, parent, START + 1, 2)
    assert listed(lying, START + 2) == {parent: True, other: True}
    assert listed(lying, START + 3) == {parent: False, other: True}
    assert listed(lying, START + 6) == {parent: False, child: True, other: True}
    lying.model.tell_lie(LieKind.HIDDEN, other, START + 9, 1)
    assert lying.model.told == [Lie(LieKind.HIDDEN, other, START + 10)]


def test_without_a_time_all_lies_are_over() -> None:
    lying = world(Lies(lag=10, hidden=10, open_still=10, unlisted=1))
    parent, children = split(lying, START)
    lying.model.tell_lie(LieKind.HIDDEN, parent, START, 1000)
    page = lying.model.describe_stream(lying.stream.arn)
    assert {shard.shard_id for shard in page.shards} == {parent, *children}
    assert [shard.ending is None for shard in page.shards].count(False) == 1


def test_the_same_seed_tells_the_same_lies_and_another_seed_others() -> None:
    def told(seed: str) -> list[tuple[list[int], bool]]:
        lying = world(Lies(lag=4, hidden=4, open_still=4, unlisted=0.2, last_named=0.5), 3, seed)
        seen = []
        for step in range(12):
            lying.stream.replace(lying.stream.open_shards[0].shard_id, START + step, 2)
            page = lying.model.describe_stream(lying.stream.arn, None, 100, START + step)
            order = list(lying.stream.shards)
            numbers = sorted(order.index(shard.shard_id) for shard in page.shards)
            seen.append((numbers, page.last_evaluated is None))
        return seen

    assert told("a") == told("a")
    assert told("a") != told("b")


@pytest.mark.parametrize(
    "wrong",
    [{"lag": -1.0}, {"unlisted": 1.5}, {"last_named": -0.1}, {"page": 0}, {"page": 101}],
)
def test_a_lie_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"lie|part|page"):
        Lies(**wrong)
