"""What every StreamClient does: on every backend of DynamoDB Streams, and the twins.

The twins of the unit tests know one half each: one lists shards, the other reads a shard.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from consumer.core.stream.record import StreamRecord
from consumer.core.stream.stream import AfterSequence, AtLatest, AtTrimHorizon, ViewType
from consumer.errors import ShardNotFound, TableNotFound
from tests.conformance.ports.stream_clients import (
    Backend,
    name_of,
    only_shard,
    read,
    stream_of,
)
from tests.conformance.ports.stream_twins import shards_of

WHOLE = ["simulation", "streams_server", "ministack", "dynamodb_local_server"]
NO_SHARD = "shardId-00000000000000000001-12345678"

listed = pytest.mark.parametrize("on", [*WHOLE, "shard_list_twin"], indirect=True)
read_too = pytest.mark.parametrize("on", [*WHOLE, "shard_twin"], indirect=True)


@pytest.fixture(params=WHOLE)
async def on(request: pytest.FixtureRequest, use_aws: pytest.MonkeyPatch) -> AsyncIterator[Backend]:
    async with shards_of(request, use_aws) as found:
        yield found


async def test_a_missing_table_and_a_table_without_a_stream(on: Backend) -> None:
    with pytest.raises(TableNotFound, match=on.table):
        await on.port.latest_stream(on.table)
    await on.create(stream=False)
    assert await on.port.latest_stream(on.table) is None


@listed
async def test_a_stream_and_its_listing(on: Backend) -> None:
    await on.create()
    stream = await stream_of(on)
    assert (stream.table, stream.arn.endswith(stream.label)) == (on.table, True)
    page = await on.port.describe_stream(stream, None)
    assert page.stream == stream
    assert page.enabled
    assert page.view_type is ViewType.NEW_AND_OLD_IMAGES
    assert page.key_attributes == on.keys
    assert abs(page.answered_at - on.wall()) < 60
    (shard,) = page.shards
    assert not shard.closed
    assert shard.parent_shard_id is None
    assert list(await on.port.child_shards(stream, shard.shard_id)) == []
    after = await on.port.describe_stream(stream, shard.shard_id)
    assert (after.shards, after.last_evaluated) == ((), None)


@read_too
async def test_records_in_order_from_the_horizon(on: Backend) -> None:
    await on.create()
    stream, shard = await only_shard(on)
    names = [f"o-{number}" for number in range(5)]
    await on.put(*names)
    found, iterator = await read(on, stream, shard)
    assert found == names
    assert iterator is not None, "an open shard always has an iterator"


async def test_images_and_kinds_of_changes(on: Backend) -> None:
    await on.create()
    stream, shard = await only_shard(on)
    await on.put("o", "o")
    await on.delete("o")
    iterator, date = await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    assert abs(date - on.wall()) < 60
    page = await on.port.get_records(iterator)
    records = [record for record in page.records if isinstance(record, StreamRecord)]
    assert [record.event_name for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    assert [(r.old_image is None, r.new_image is None) for r in records] == [
        (True, False),
        (False, False),
        (False, True),
    ]
    assert len(records) == len(page.records)
    assert len({record.sequence for record in records}) == 3
    assert sorted(record.sequence for record in records) == [record.sequence for record in records]
    assert page.size > 100


@read_too
async def test_after_a_sequence_number(on: Backend) -> None:
    await on.create()
    stream, shard = await only_shard(on)
    await on.put("a", "b", "c")
    await on.port.describe_stream(stream, None)  # as every start does
    iterator, _ = await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    numbers = [record.sequence or 0 for record in (await on.port.get_records(iterator)).records]
    assert (await read(on, stream, shard, AfterSequence(numbers[0])))[0] == ["b", "c"]
    assert (await read(on, stream, shard, AfterSequence(numbers[2])))[0] == []


@read_too
async def test_from_the_latest_record_on(on: Backend) -> None:
    await on.create()
    stream, shard = await only_shard(on)
    await on.put("before")
    iterator, _ = await on.port.shard_iterator(stream, shard, AtLatest())
    await on.put("after")
    page = await on.port.get_records(iterator)
    assert [name_of(record) for record in page.records] == ["after"]


@read_too
async def test_an_iterator_may_be_used_again(on: Backend) -> None:
    await on.create()
    stream, shard = await only_shard(on)
    await on.put("a")
    iterator, _ = await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    pages = [await on.port.get_records(iterator) for _ in range(2)]
    assert [len(page.records) for page in pages] == [1, 1]


@read_too
async def test_more_records_than_a_page_holds(on: Backend) -> None:
    await on.create()
    stream, shard = await only_shard(on)
    limit = asyncio.Semaphore(8)

    async def put(number: int) -> None:
        async with limit:
            await on.put(f"o-{number}")

    async with asyncio.TaskGroup() as tasks:
        for number in range(1050):
            tasks.create_task(put(number))
    iterator, _ = await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    page = await on.port.get_records(iterator)
    assert 0 < len(page.records) <= 1000
    found, _ = await read(on, stream, shard)
    assert sorted(found) == sorted(f"o-{number}" for number in range(1050))


async def test_what_is_not_there(on: Backend) -> None:
    await on.create()
    stream = await stream_of(on)
    gone = replace(stream, arn=stream.arn.replace(stream.label, "2020-01-01T00:00:00.000"))
    with pytest.raises(ShardNotFound):
        await on.port.describe_stream(gone, None)
    with pytest.raises(ShardNotFound):
        await on.port.shard_iterator(gone, NO_SHARD, AtTrimHorizon())


@listed
async def test_a_shard_that_is_not_there(on: Backend) -> None:
    await on.create()
    with pytest.raises(ShardNotFound):
        await on.port.shard_iterator(await stream_of(on), NO_SHARD, AtTrimHorizon())


@pytest.mark.parametrize(
    "on",
    # ministack closes no shard that has no record.
    ["simulation", "streams_server", "dynamodb_local_server", "shard_list_twin"],
    indirect=True,
)
async def test_the_shards_of_a_disabled_stream_are_closed(on: Backend) -> None:
    await on.create()
    stream = await stream_of(on)
    await on.disable()
    page = await on.port.describe_stream(stream, None)
    assert not page.enabled
    assert [shard.closed for shard in page.shards] == [True]


@read_too
async def test_a_disabled_stream_is_read_to_its_end(on: Backend) -> None:
    await on.create()
    stream, shard = await only_shard(on)
    await on.put("a", "b")
    await on.disable()
    (closed,) = (await on.port.describe_stream(stream, None)).shards
    assert closed.closed
    assert await read(on, stream, shard) == (["a", "b"], None)


async def test_the_latest_stream_is_the_one_enabled_last(on: Backend) -> None:
    await on.create()
    stream = await stream_of(on)
    await on.put("a")
    await on.disable()
    await on.enable(ViewType.KEYS_ONLY)
    again = await stream_of(on)
    assert again.label != stream.label
    assert (await on.port.describe_stream(again, None)).view_type is ViewType.KEYS_ONLY
    assert (await on.port.describe_stream(stream, None)).shards[0].closed
