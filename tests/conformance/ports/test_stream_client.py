"""What every backend of DynamoDB Streams has in common, as the StreamClient port shows it."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from consumer.core.stream.record import StreamRecord
from consumer.core.stream.stream import AfterSequence, AtLatest, AtTrimHorizon, Stream, ViewType
from consumer.errors import Misconfigured, ShardNotFound
from localdev.streams.process import StreamsProcess
from tests.conformance.ports.stream_clients import Backend, backend


@pytest.fixture(params=["ministack", "streams_server", "dynamodb_local_server"])
async def on(request: pytest.FixtureRequest, use_aws: pytest.MonkeyPatch) -> AsyncIterator[Backend]:
    server = request.getfixturevalue(request.param)
    async with backend(server.environment(), use_aws) as found:
        yield found


async def only_shard(on: Backend) -> tuple[Stream, str]:
    stream = await on.stream()
    page = await on.port.describe_stream(stream, None)
    (shard,) = page.shards
    return stream, shard.shard_id


async def test_a_missing_table_and_a_table_without_a_stream(on: Backend) -> None:
    with pytest.raises(Misconfigured, match=on.table):
        await on.port.latest_stream(on.table)
    await on.create(stream=False)
    assert await on.port.latest_stream(on.table) is None


async def test_a_stream_and_its_listing(on: Backend) -> None:
    await on.create()
    stream = await on.stream()
    assert (stream.table, stream.arn.endswith(stream.label)) == (on.table, True)
    page = await on.port.describe_stream(stream, None)
    assert page.stream == stream
    assert page.enabled
    assert page.view_type is ViewType.NEW_AND_OLD_IMAGES
    assert page.key_attributes == ("id", "at")
    assert abs(page.answered_at - time.time()) < 60
    (shard,) = page.shards
    assert not shard.closed
    assert shard.parent_shard_id is None
    assert list(await on.port.child_shards(stream, shard.shard_id)) == []
    after = await on.port.describe_stream(stream, shard.shard_id)
    assert after.shards == ()


async def test_records_in_order_from_the_horizon(on: Backend) -> None:
    await on.create()
    stream, shard = await only_shard(on)
    names = [f"o-{number}" for number in range(5)]
    await on.put(*names)
    found, iterator = await on.read(stream, shard)
    assert found == names
    assert iterator is not None, "an open shard always has an iterator"


async def test_images_and_kinds_of_changes(on: Backend) -> None:
    await on.create()
    stream, shard = await only_shard(on)
    key = {"id": {"S": "o"}, "at": {"N": "1"}}
    await on.dynamodb.put_item(TableName=on.table, Item=key | {"n": {"N": "1.50"}})
    await on.dynamodb.put_item(TableName=on.table, Item=key | {"n": {"N": "2"}})
    await on.dynamodb.delete_item(TableName=on.table, Key=key)
    iterator, date = await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    assert abs(date - time.time()) < 60
    page = await on.port.get_records(iterator)
    records = [record for record in page.records if isinstance(record, StreamRecord)]
    assert [record.event_name for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    assert len(records) == len(page.records)
    assert len({record.sequence for record in records}) == 3
    assert sorted(record.sequence for record in records) == [record.sequence for record in records]
    assert page.size > 100


async def test_after_a_sequence_number(on: Backend) -> None:
    await on.create()
    stream, shard = await only_shard(on)
    await on.put("a", "b", "c")
    await on.port.describe_stream(stream, None)  # as every start does
    iterator, _ = await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    first = (await on.port.get_records(iterator)).records[0]
    assert isinstance(first, StreamRecord)
    assert (await on.read(stream, shard, AfterSequence(first.sequence)))[0] == ["b", "c"]


async def test_from_the_latest_record_on(on: Backend) -> None:
    await on.create()
    stream, shard = await only_shard(on)
    await on.put("before")
    iterator, _ = await on.port.shard_iterator(stream, shard, AtLatest())
    await on.put("after")
    page = await on.port.get_records(iterator)
    names = [bytes(record.keys) for record in page.records if isinstance(record, StreamRecord)]
    assert len(names) == 1
    assert b"after" in names[0]


async def test_an_iterator_may_be_used_again(on: Backend) -> None:
    await on.create()
    stream, shard = await only_shard(on)
    await on.put("a")
    iterator, _ = await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    pages = [await on.port.get_records(iterator) for _ in range(2)]
    assert [len(page.records) for page in pages] == [1, 1]


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
    found, _ = await on.read(stream, shard)
    assert sorted(found) == sorted(f"o-{number}" for number in range(1050))


async def test_what_is_not_there(on: Backend) -> None:
    await on.create()
    stream, _ = await only_shard(on)
    gone = replace(stream, arn=stream.arn.replace(stream.label, "2020-01-01T00:00:00.000"))
    with pytest.raises(ShardNotFound):
        await on.port.describe_stream(gone, None)
    with pytest.raises(ShardNotFound):
        await on.port.shard_iterator(
            stream, "shardId-00000000000000000001-12345678", AtTrimHorizon()
        )


async def test_a_disabled_stream_is_read_to_its_end(on: Backend) -> None:
    await on.create()
    stream, shard = await only_shard(on)
    await on.put("a", "b")
    off = {"StreamEnabled": False}
    await on.dynamodb.update_table(TableName=on.table, StreamSpecification=off)
    page = await on.port.describe_stream(stream, None)
    assert not page.enabled
    assert [shard.closed for shard in page.shards] == [True]
    assert await on.read(stream, shard) == (["a", "b"], None)
    view = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    await on.dynamodb.update_table(TableName=on.table, StreamSpecification=view)
    again = await on.stream()
    assert again.label != stream.label
    assert (await on.port.describe_stream(again, None)).view_type is ViewType.KEYS_ONLY


async def test_the_streams_server_sends_gzip(
    streams_server: StreamsProcess, use_aws: pytest.MonkeyPatch
) -> None:
    async with backend(streams_server.environment(), use_aws) as on:
        await on.create()
        stream, shard = await only_shard(on)
        await on.put(*(f"o-{number}" for number in range(30)))
        assert len((await on.read(stream, shard))[0]) == 30
        value = on.metrics.registry.get_sample_value
        sent = value("consumer_get_records_bytes_total", {"encoding": "gzip"})
        assert sent is not None
        assert 0 < sent < 30 * 200
