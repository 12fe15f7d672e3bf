"""Shards that close, split and age: the same of the model called directly and over HTTP.

No emulator can do this; the rules are AWS's documentation of DynamoDB Streams.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from tests.conformance.streams.stream_bench import OURS, Bench, bench, changes, sequence
from tests.conformance.streams.stream_services import ListedShard, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

SEQUENCE_KINDS = ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"]


@pytest.fixture(params=OURS)
def on(request: pytest.FixtureRequest) -> Iterator[Bench]:
    yield from bench(request)


def children(on: Bench, arn: str, parent: str) -> list[ListedShard]:
    return on.service.describe(arn, children_of=parent).shards


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_shard_closes_and_its_children_are_open(on: Bench, count: int) -> None:
    arn = on.create()
    parent = on.shard(arn)
    on.put("k", 1)
    on.service.split(on.table, parent, count)
    shards = {shard.shard_id: shard for shard in on.service.describe(arn).shards}
    closed = shards.pop(parent)
    assert closed.ending is not None
    assert [shard.parent for shard in shards.values()] == [parent] * count
    assert [shard.ending for shard in shards.values()] == [None] * count
    assert {shard.shard_id for shard in children(on, arn, parent)} == set(shards)
    starts = [int(shard.starting or 0) for shard in shards.values()]
    assert min(starts) > int(closed.ending)


def test_child_shards_are_the_direct_children(on: Bench) -> None:
    arn = on.create()
    parent = on.shard(arn)
    on.service.split(on.table, parent, 2)
    direct = [shard.shard_id for shard in children(on, arn, parent)]
    on.service.split(on.table, direct[0], 3)
    assert [shard.shard_id for shard in children(on, arn, parent)] == direct
    assert len(children(on, arn, direct[0])) == 3
    assert children(on, arn, direct[1]) == []


def test_pages_of_a_listing_follow_each_other_also_between_parent_and_child(on: Bench) -> None:
    arn = on.create()
    parent = on.shard(arn)
    on.service.split(on.table, parent, 6)
    for limit in (1, 2, 3, 7, 100):
        pages = on.listings(arn, limit)
        found = [shard.shard_id for page in pages for shard in page.shards]
        assert len(found) == len(set(found)) == 7
        assert parent in found
        assert all(len(page.shards) <= limit for page in pages)
        assert all(page.last == page.shards[-1].shard_id for page in pages[:-1])
        assert pages[-1].last is None


def test_a_closed_shard_ends_with_its_last_records(on: Bench) -> None:
    arn = on.create()
    parent = on.shard(arn)
    for number in range(5):
        on.put("k", number)
    tip = on.service.records(on.horizon(arn), 2)[1]
    on.service.split(on.table, parent, 1)
    assert tip is not None
    page, following = on.service.records(tip, 2)
    assert len(page) == 2
    assert following is not None, "closed, and not read to its end"
    page, following = on.service.records(following, 2)
    assert changes(page) == [("MODIFY", "k", "4")]
    assert following is None
    assert on.read(on.service.iterator(arn, parent, "LATEST")) == ([], None)


def test_changes_of_a_key_are_in_order_from_parent_to_child(on: Bench) -> None:
    arn = on.create()
    for number in range(90):
        on.put(f"k{number % 6}", number)
        if number % 15 == 14:
            shards = [s for page in on.listings(arn) for s in page.shards if s.ending is None]
            on.service.split(on.table, shards[number % len(shards)].shard_id, 1 + number % 3)
    seen: dict[str, list[int]] = defaultdict(list)
    waiting = [s.shard_id for s in on.service.describe(arn).shards if s.parent is None]
    while waiting:
        shard = waiting.pop(0)
        records, iterator = on.read(on.horizon(arn, shard), 4)
        for _, key, number_text in changes(records):
            seen[key].append(int(number_text or -1))
        if iterator is None:
            waiting += [child.shard_id for child in children(on, arn, shard)]
    assert seen == {f"k{key}": [*range(key, 90, 6)] for key in range(6)}


@pytest.mark.parametrize("kind", SEQUENCE_KINDS)
def test_what_was_trimmed_between_two_reads_is_refused(on: Bench, kind: str) -> None:
    arn = on.create()
    shard = on.shard(arn)
    for number in range(6):
        on.put("k", number)
    records, behind = on.service.records(on.horizon(arn), 2)
    assert behind is not None
    middle = on.service.records(behind, 2)
    last = sequence(middle[0][0])
    on.service.trim(on.table, last)
    for refused in (
        lambda: on.service.records(behind),
        lambda: on.service.iterator(arn, shard, kind, sequence(records[0])),
        lambda: on.service.iterator(arn, shard, kind, last),
    ):
        with pytest.raises(Refused, match="TrimmedDataAccessException"):
            refused()
    assert [n for _, _, n in changes(on.read(on.horizon(arn))[0])] == ["3", "4", "5"]
    assert [n for _, _, n in changes(on.read(middle[1])[0])] == ["4", "5"]


def test_a_shard_that_aged_out_is_named_by_its_child_only(on: Bench) -> None:
    arn = on.create()
    parent = on.shard(arn)
    iterator = on.horizon(arn)
    on.service.split(on.table, parent, 1)
    on.service.age_out(on.table, parent)
    (child,) = on.service.describe(arn).shards
    assert child.parent == parent
    for call in (
        lambda: on.service.records(iterator),
        lambda: on.horizon(arn, parent),
        lambda: children(on, arn, parent),
    ):
        with pytest.raises(Refused, match="ResourceNotFoundException"):
            call()


def test_an_iterator_that_expired_is_refused_and_a_new_one_goes_on(on: Bench) -> None:
    arn = on.create()
    on.put("k", 1)
    old = on.horizon(arn)
    on.service.expire_iterators()
    with pytest.raises(Refused, match="ExpiredIteratorException"):
        on.service.records(old)
    assert len(on.read(on.horizon(arn))[0]) == 1


def test_a_number_of_another_shard_is_invalid(on: Bench) -> None:
    arn = on.create()
    parent = on.shard(arn)
    on.put("k", 1)
    on.service.split(on.table, parent, 1)
    on.put("k", 2)
    (child,) = children(on, arn, parent)
    (foreign,) = on.read(on.horizon(arn, child.shard_id))[0]
    with pytest.raises(Refused, match="ValidationException"):
        on.service.iterator(arn, parent, "AFTER_SEQUENCE_NUMBER", sequence(foreign))
