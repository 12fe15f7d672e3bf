"""Faults on the wire, as the adapter meets them on our own streams server."""

from collections.abc import AsyncIterator

import pytest

from consumer.core.stream.stream import AtTrimHorizon
from consumer.errors import (
    INVALID_ITERATOR,
    ConsumerError,
    ExpiredIterator,
    Retryable,
    ShardNotFound,
    TrimmedData,
)
from localdev.streams.process import StreamsProcess
from tests.conformance.ports.stream_clients import OnServer, on_server, only_shard, read


@pytest.fixture
async def on(
    streams_server: StreamsProcess, use_aws: pytest.MonkeyPatch
) -> AsyncIterator[OnServer]:
    async with on_server(streams_server, use_aws) as found:
        await found.create()
        yield found


@pytest.mark.parametrize("crc", [True, False])
@pytest.mark.parametrize("kind", ["truncate", "cut", "wrong-crc", "reset"])
async def test_a_damaged_answer_is_never_a_closed_shard(
    on: OnServer, streams_server: StreamsProcess, kind: str, crc: bool
) -> None:
    if kind == "wrong-crc" and not crc:
        pytest.skip("there is nothing wrong then")
    stream, shard = await only_shard(on)
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
        ("validation", ExpiredIterator, "invalid_iterator"),
        ("trimmed", TrimmedData, None),
        ("not-found", ShardNotFound, None),
        ("reset", Retryable, "reset"),
    ],
)
async def test_each_fault_is_an_error_of_its_own(
    on: OnServer,
    streams_server: StreamsProcess,
    kind: str,
    error: type[ConsumerError],
    reason: str | None,
) -> None:
    stream, shard = await only_shard(on)
    iterator, _ = await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    streams_server.control("faults", add=[{"kind": kind}])
    with pytest.raises(error) as failure:
        await on.port.get_records(iterator)
    assert type(failure.value) is error
    assert getattr(failure.value, "reason", None) == reason
    assert (await on.port.get_records(iterator)).next_iterator is not None


@pytest.mark.parametrize("iterator", ["", "nonsense", "|1|" * 1000])
async def test_what_is_no_iterator_is_to_be_replaced_as_an_expired_one(
    on: OnServer, iterator: str
) -> None:
    with pytest.raises(ExpiredIterator) as failure:
        await on.port.get_records(iterator)
    assert failure.value.reason == INVALID_ITERATOR


@pytest.mark.parametrize("operation", ["DescribeStream", "GetShardIterator"])
@pytest.mark.parametrize("kind", ["throttle", "server-error", "reset", "truncate", "cut"])
async def test_transient_errors_of_the_other_calls(
    on: OnServer, streams_server: StreamsProcess, operation: str, kind: str
) -> None:
    stream, shard = await only_shard(on)
    streams_server.control("faults", add=[{"kind": kind, "operation": operation}])
    call = (
        on.port.describe_stream(stream, None)
        if operation == "DescribeStream"
        else on.port.shard_iterator(stream, shard, AtTrimHorizon())
    )
    with pytest.raises(Retryable):
        await call
    assert len((await on.port.describe_stream(stream, None)).shards) == 1


async def test_a_page_comes_in_gzip(on: OnServer) -> None:
    stream, shard = await only_shard(on)
    await on.put(*(f"o-{number}" for number in range(30)))
    assert len((await read(on, stream, shard))[0]) == 30
    value = on.metrics.registry.get_sample_value
    sent = value("consumer_get_records_bytes_total", {"encoding": "gzip"})
    assert sent is not None
    assert 0 < sent < 30 * 200
