"""Shards that split and close, and faults on the wire: on our own streams server."""

from collections.abc import AsyncIterator

import pytest

from consumer.core.stream.stream import AfterSequence, AtTrimHorizon, Stream
from consumer.errors import (
    ConsumerError,
    ExpiredIterator,
    Retryable,
    ShardNotFound,
    TrimmedData,
)
from localdev.streams.process import StreamsProcess
from tests.conformance.ports.stream_clients import Backend, backend


@pytest.fixture
async def on(streams_server: StreamsProcess, use_aws: pytest.MonkeyPatch) -> AsyncIterator[Backend]:
    async with backend(streams_server.environment(), use_aws) as found:
        await found.create()
        yield found
    streams_server.control("faults", clear=True)


async def first_shard(on: Backend) -> tuple[Stream, str]:
    stream = await on.stream()
    page = await on.port.describe_stream(stream, None)
    return stream, page.shards[0].shard_id


@pytest.mark.parametrize("child_filter", [True, False])
async def test_the_children_of_a_split(
    on: Backend, streams_server: StreamsProcess, child_filter: bool
) -> None:
    stream, parent = await first_shard(on)
    await on.put("a", "b")
    opened = streams_server.control("split", table=on.table, shard=parent, children=3)["opened"]
    assert isinstance(opened, list)
    streams_server.control("split", table=on.table, shard=opened[0])
    streams_server.control("options", child_filter=child_filter)
    try:
        children = await on.port.child_shards(stream, parent)
    finally:
        streams_server.control("options", child_filter=True)
    assert sorted(child.shard_id for child in children) == sorted(opened)
    assert {child.parent_shard_id for child in children} == {parent}
    assert [child.closed for child in children if child.shard_id == opened[0]] == [True]
    assert await on.read(stream, parent) == (["a", "b"], None)


async def test_more_shards_than_a_page_lists(on: Backend, streams_server: StreamsProcess) -> None:
    stream, parent = await first_shard(on)
    streams_server.control("split", table=on.table, shard=parent, children=100)
    streams_server.control("split", table=on.table, shard="random", children=60)
    seen: list[str] = []
    after = None
    for _ in range(5):
        page = await on.port.describe_stream(stream, after)
        assert len(page.shards) <= 100
        seen += [shard.shard_id for shard in page.shards]
        after = page.last_evaluated
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 161
    assert len(await on.port.child_shards(stream, parent)) == 100


async def test_an_expired_iterator(on: Backend, streams_server: StreamsProcess) -> None:
    stream, shard = await first_shard(on)
    iterator, _ = await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    streams_server.control("iterators", expire=True)
    with pytest.raises(ExpiredIterator):
        await on.port.get_records(iterator)


async def test_trimmed_records(on: Backend, streams_server: StreamsProcess) -> None:
    stream, shard = await first_shard(on)
    await on.put("a", "b")
    iterator, _ = await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    first = (await on.port.get_records(iterator)).records[0]
    assert first.sequence is not None
    streams_server.control("trim", table=on.table)
    with pytest.raises(TrimmedData):
        await on.port.shard_iterator(stream, shard, AfterSequence(first.sequence))
    with pytest.raises(TrimmedData):
        await on.port.get_records(iterator)
    await on.put("c")
    assert (await on.read(stream, shard))[0] == ["c"]


async def test_a_shard_that_has_aged_out(on: Backend, streams_server: StreamsProcess) -> None:
    stream, shard = await first_shard(on)
    iterator, _ = await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    streams_server.control("rotate", table=on.table, shard=shard)
    streams_server.control("age-out", table=on.table, shard=shard)
    with pytest.raises(ShardNotFound):
        await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    with pytest.raises(ConsumerError):
        await on.port.get_records(iterator)


@pytest.mark.parametrize("crc", [True, False])
@pytest.mark.parametrize("kind", ["truncate", "cut", "wrong-crc", "reset"])
async def test_a_damaged_answer_is_never_a_closed_shard(
    on: Backend, streams_server: StreamsProcess, kind: str, crc: bool
) -> None:
    if kind == "wrong-crc" and not crc:
        pytest.skip("there is nothing wrong then")
    stream, shard = await first_shard(on)
    await on.put("a", "b")
    streams_server.control("rotate", table=on.table, shard=shard)
    iterator, _ = await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    streams_server.control("faults", add=[{"kind": kind, "count": 3, "crc": crc}])
    for _ in range(3):
        with pytest.raises(Retryable) as failure:
            await on.port.get_records(iterator)
        assert failure.value.reason in ("truncated", "reset")
    page = await on.port.get_records(iterator)
    assert len(page.records) == 2


@pytest.mark.parametrize(
    ("kind", "error", "reason"),
    [
        ("throttle", Retryable, "throttled"),
        ("limit-exceeded", Retryable, "throttled"),
        ("server-error", Retryable, "server_error"),
        ("expired", ExpiredIterator, "expired_iterator"),
        ("trimmed", TrimmedData, None),
        ("not-found", ShardNotFound, None),
        ("reset", Retryable, "reset"),
    ],
)
async def test_each_fault_is_an_error_of_its_own(
    on: Backend,
    streams_server: StreamsProcess,
    kind: str,
    error: type[ConsumerError],
    reason: str | None,
) -> None:
    stream, shard = await first_shard(on)
    iterator, _ = await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    streams_server.control("faults", add=[{"kind": kind}])
    with pytest.raises(error) as failure:
        await on.port.get_records(iterator)
    assert type(failure.value) is error
    assert getattr(failure.value, "reason", None) == reason
    assert (await on.port.get_records(iterator)).next_iterator is not None


@pytest.mark.parametrize("operation", ["DescribeStream", "GetShardIterator"])
@pytest.mark.parametrize("kind", ["throttle", "server-error", "reset", "truncate", "cut"])
async def test_transient_errors_of_the_other_calls(
    on: Backend, streams_server: StreamsProcess, operation: str, kind: str
) -> None:
    stream, shard = await first_shard(on)
    streams_server.control("faults", add=[{"kind": kind, "operation": operation}])
    call = (
        on.port.describe_stream(stream, None)
        if operation == "DescribeStream"
        else on.port.shard_iterator(stream, shard, AtTrimHorizon())
    )
    with pytest.raises(Retryable):
        await call
    assert len((await on.port.describe_stream(stream, None)).shards) == 1
