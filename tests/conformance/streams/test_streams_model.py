"""Streams, listings, iterators and errors: the same of our model, our server and of emulators."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.conformance.streams.stream_bench import (
    SERVICES,
    Bench,
    Can,
    bench,
    changes,
    item,
    refusal,
    sequence,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SEQUENCE_NUMBER = re.compile(r"[0-9]{21,40}")


@pytest.fixture(params=SERVICES)
def on(request: pytest.FixtureRequest) -> Iterator[Bench]:
    yield from bench(request)


# -- streams


def test_a_stream_is_described(on: Bench) -> None:
    arn = on.create("NEW_IMAGE", sort=True)
    found = on.service.describe(arn)
    assert found.arn == arn
    assert re.fullmatch(rf"arn:aws:dynamodb:[^:]*:\d{{12}}:table/{on.table}/stream/.*", arn)
    assert arn.endswith(f"/{found.label}")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}", found.label)
    assert (found.table, found.status, found.view) == (on.table, "ENABLED", "NEW_IMAGE")
    assert found.keys == [("id", "HASH"), ("at", "RANGE")]


def test_a_table_without_a_stream_has_none(on: Bench) -> None:
    on.service.create(on.table, None)
    assert on.service.latest(on.table) is None
    assert on.service.streams(on.table) == ([], None)


def test_streams_are_listed_by_table(on: Bench) -> None:
    arn = on.create()
    found, _ = on.service.streams(on.table)
    assert found == [arn]
    assert on.service.streams("no-such-table") == ([], None)


def test_streams_are_listed_page_by_page(on: Bench) -> None:
    arns = {on.create()}
    on.service.create(f"{on.table}-b", "KEYS_ONLY")
    second = on.service.latest(f"{on.table}-b")
    seen: list[str] = []
    after = None
    while not seen or after is not None:
        page, after = on.service.streams(None, after, limit=1)
        assert len(page) <= 1
        seen += page
    assert {*arns, second} <= set(seen)
    assert len(set(seen)) == len(seen)


def test_a_listing_of_streams_after_one_that_is_not_there(on: Bench) -> None:
    on.needs(Can.LIST_FROM)
    assert on.service.streams(on.create().partition("/")[2], "x" * 40) == ([], None)


def test_a_disabled_stream_is_closed_and_stays_readable(on: Bench) -> None:
    arn = on.create()
    for number in range(4):
        on.put("k", number)
    tip = on.service.records(on.horizon(arn))[1]
    on.service.disable(on.table)
    on.put("unseen", 1)
    found = on.service.describe(arn)
    (shard,) = found.shards
    assert found.status == "DISABLED"
    assert shard.ending is not None
    assert SEQUENCE_NUMBER.fullmatch(shard.ending)
    records, iterator = on.read(on.horizon(arn), 3)
    assert [number for _, _, number in changes(records)] == ["0", "1", "2", "3"]
    assert iterator is None
    assert int(shard.ending) >= int(sequence(records[-1]))
    assert on.read(tip) == ([], None)
    for kind in ("AFTER_SEQUENCE_NUMBER", "LATEST"):
        end = shard.ending if kind != "LATEST" else None
        assert on.read(on.service.iterator(arn, shard.shard_id, kind, end)) == ([], None)
    assert on.service.latest(on.table) == arn


def test_enabling_again_makes_another_stream(on: Bench) -> None:
    arn = on.create("NEW_IMAGE")
    on.put("k", 1)
    on.service.disable(on.table)
    on.service.enable(on.table, "KEYS_ONLY")
    again = on.service.latest(on.table)
    assert again is not None
    assert again != arn
    new, old = on.service.describe(again), on.service.describe(arn)
    assert (new.view, new.status, old.view, old.status) == (
        "KEYS_ONLY", "ENABLED", "NEW_IMAGE", "DISABLED",
    )  # fmt: skip
    assert new.label > old.label
    assert [shard.parent for shard in new.shards] == [None]
    on.put("k", 2)
    assert len(on.read(on.horizon(again))[0]) == len(on.read(on.horizon(arn))[0]) == 1
    on.needs(Can.LIST_ALL_STREAMS)
    assert set(on.service.streams(on.table)[0]) == {arn, again}


def test_a_stream_is_enabled_once_and_disabled_once(on: Bench) -> None:
    on.needs(Can.REFUSE_SWITCH)
    arn = on.create("NEW_IMAGE")
    assert refusal(lambda: on.service.enable(on.table, "KEYS_ONLY")) == "ValidationException"
    assert on.service.describe(arn).view == "NEW_IMAGE"
    on.service.disable(on.table)
    assert refusal(lambda: on.service.disable(on.table)) == "ValidationException"


# -- listings


def test_an_open_shard_is_listed(on: Bench) -> None:
    arn = on.create()
    (shard,) = on.service.describe(arn).shards
    assert re.fullmatch(r"shardId-[0-9]{20}-[0-9a-f]{8}", shard.shard_id)
    assert (shard.parent, shard.ending) == (None, None)
    on.needs(Can.EMPTY_SHARD_STARTS)
    assert shard.starting is not None
    assert SEQUENCE_NUMBER.fullmatch(shard.starting)


def test_the_starting_number_is_not_beyond_the_first_record(on: Bench) -> None:
    arn = on.create()
    on.put("k", 1)
    on.put("k", 2)
    (shard,) = on.service.describe(arn).shards
    first = on.read(on.horizon(arn))[0][0]
    assert shard.starting is not None
    assert SEQUENCE_NUMBER.fullmatch(shard.starting)
    assert int(shard.starting) <= int(sequence(first))
    at = on.service.iterator(arn, shard.shard_id, "AT_SEQUENCE_NUMBER", shard.starting)
    assert len(on.read(at)[0]) == 2


def test_nothing_is_listed_after_the_last_shard(on: Bench) -> None:
    arn = on.create()
    after = on.service.describe(arn, on.shard(arn))
    assert (after.shards, after.last) == ([], None)
    pages = on.listings(arn, limit=1)
    assert [shard.shard_id for page in pages for shard in page.shards] == [on.shard(arn)]


def test_an_open_shard_has_no_children(on: Bench) -> None:
    on.needs(Can.CHILD_FILTER)
    arn = on.create()
    assert on.service.describe(arn, children_of=on.shard(arn)).shards == []


# -- iterators


def test_iterators_at_each_kind_of_position(on: Bench) -> None:
    arn = on.create()
    shard = on.shard(arn)
    for number in range(12):
        on.put("k", number)
    numbers = [sequence(record) for record in on.read(on.horizon(arn))[0]]

    def from_position(kind: str, number: str | None = None) -> list[int]:
        records, _ = on.read(on.service.iterator(arn, shard, kind, number))
        return [int(n or -1) for _, _, n in changes(records)]

    assert from_position("TRIM_HORIZON") == [*range(12)]
    assert from_position("AT_SEQUENCE_NUMBER", numbers[9]) == [9, 10, 11]
    assert from_position("AFTER_SEQUENCE_NUMBER", numbers[9]) == [10, 11]
    assert from_position("AT_SEQUENCE_NUMBER", numbers[11]) == [11]
    assert from_position("AFTER_SEQUENCE_NUMBER", numbers[11]) == []
    assert from_position("AT_SEQUENCE_NUMBER", numbers[0]) == [*range(12)]


def test_latest_is_where_the_shard_ended_when_it_was_asked_for(on: Bench) -> None:
    on.needs(Can.LATEST)
    arn = on.create()
    on.put("before", 1)
    iterator = on.service.iterator(arn, on.shard(arn), "LATEST")
    on.put("after", 2)
    assert changes(on.read(iterator)[0]) == [("INSERT", "after", "2")]


def test_an_iterator_is_short_and_may_be_used_again(on: Bench) -> None:
    arn = on.create()
    on.put("k", 1)
    iterator = on.horizon(arn)
    assert len(iterator) <= 2048
    first = on.service.records(iterator)
    on.put("k", 2)
    again = on.service.records(iterator)
    assert first[0] == again[0][:1]
    assert len(again[0]) == 2
    assert first[1] is not None
    assert len(first[1]) <= 2048
    assert changes(on.read(first[1])[0]) == [("MODIFY", "k", "2")]


def test_an_open_shard_always_returns_an_iterator(on: Bench) -> None:
    iterator = on.horizon(on.create())
    for _ in range(4):
        page, following = on.service.records(iterator)
        assert page == []
        assert following is not None
        iterator = following
    on.put("k", 1)
    assert len(on.read(iterator)[0]) == 1


# -- pages


def test_a_page_has_as_many_records_as_were_asked_for(on: Bench) -> None:
    arn = on.create()
    for number in range(7):
        on.put("k", number)
    iterator: str | None = on.horizon(arn)
    sizes, seen = [], []
    for _ in range(4):
        assert iterator is not None
        page, iterator = on.service.records(iterator, 2)
        sizes.append(len(page))
        seen += [number for _, _, number in changes(page)]
    assert sizes == [2, 2, 2, 1]
    assert seen == [str(number) for number in range(7)]


def test_a_page_ends_at_a_thousand_records(on: Bench) -> None:
    arn = on.create("KEYS_ONLY")
    on.service.put_all(on.table, [item(f"k{number}", number) for number in range(1003)])
    first, iterator = on.service.records(on.horizon(arn))
    assert len(first) == 1000
    rest, _ = on.read(iterator)
    keys = {record["dynamodb"]["Keys"]["id"]["S"] for record in first + rest}
    assert (len(rest), len(keys)) == (3, 1003)


def test_a_page_ends_at_a_megabyte(on: Bench) -> None:
    on.needs(Can.MEGABYTE_PAGES)
    arn = on.create("NEW_IMAGE")
    for number in range(4):
        on.service.put(on.table, item(f"k{number}", number) | {"x": {"S": "x" * 390_000}})
    iterator: str | None = on.horizon(arn)
    sizes: list[int] = []
    while iterator is not None and sum(sizes) < 4:
        page, iterator = on.service.records(iterator)
        sizes.append(len(page))
    assert max(sizes) <= 2
