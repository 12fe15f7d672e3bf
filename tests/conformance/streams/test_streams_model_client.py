"""What the server can do wrong on request, as our own client meets it."""

from collections.abc import AsyncIterator

import pytest

from consumer.core.stream.stream import AtTrimHorizon, Stream
from consumer.errors import Retryable, TrimmedData
from localdev.streams.process import StreamsProcess
from tests.conformance.ports.stream_clients import OnServer, on_server, only_shard, read


@pytest.fixture
async def on(
    streams_server: StreamsProcess, use_aws: pytest.MonkeyPatch
) -> AsyncIterator[OnServer]:
    async with on_server(streams_server, use_aws) as found:
        await found.create()
        yield found


async def opened(on: OnServer) -> tuple[Stream, str, str]:
    """The stream, its first shard, and an iterator at the horizon."""
    stream, shard = await only_shard(on)
    iterator, _ = await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    return stream, shard, iterator


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("validation", "invalid_iterator"),
        ("expired-credentials", "credentials"),
        ("hollow", "truncated"),  # and no closed shard
    ],
)
async def test_a_fault_passes(
    on: OnServer, streams_server: StreamsProcess, kind: str, reason: str
) -> None:
    _, _, iterator = await opened(on)
    streams_server.control("faults", add=[{"kind": kind}])
    with pytest.raises(Retryable) as failure:
        await on.port.get_records(iterator)
    assert failure.value.reason == reason
    assert (await on.port.get_records(iterator)).next_iterator is not None


@pytest.mark.parametrize("gzip_header", [True, False])
async def test_a_large_error_plain_or_compressed_is_the_error_that_it_is(
    on: OnServer, streams_server: StreamsProcess, gzip_header: bool
) -> None:
    _, _, iterator = await opened(on)
    fault = {"kind": "trimmed", "padding": 5000, "gzip_header": gzip_header}
    streams_server.control("faults", add=[fault])
    with pytest.raises(TrimmedData):
        await on.port.get_records(iterator)


async def test_a_record_trimmed_between_two_reads(
    on: OnServer, streams_server: StreamsProcess
) -> None:
    stream, shard, iterator = await opened(on)
    await on.put("a", "b")
    streams_server.control("faults", add=[{"kind": "trim"}])
    with pytest.raises(TrimmedData):
        await on.port.get_records(iterator)
    assert (await read(on, stream, shard))[0] == ["b"]


@pytest.mark.parametrize(
    "lies", [{"page": 1}, {"last_named": 1.0}, {"shuffled": True, "page": 1}], ids=str
)
async def test_a_listing_is_read_whole_however_it_is_cut(
    on: OnServer, streams_server: StreamsProcess, lies: dict[str, float]
) -> None:
    stream, parent, _ = await opened(on)
    made = streams_server.control("split", table=on.table, shard=parent, children=4)["opened"]
    assert isinstance(made, list)
    streams_server.control("options", lies=lies)
    try:
        seen: list[str] = []
        after = None
        while not seen or after is not None:
            page = await on.port.describe_stream(stream, after)
            seen += [shard.shard_id for shard in page.shards]
            after = page.last_evaluated
        children = await on.port.child_shards(stream, parent)
    finally:
        streams_server.control("options", lies={"page": 100, "last_named": 0, "shuffled": False})
    assert sorted(seen) == sorted([parent, *made])
    assert sorted(child.shard_id for child in children) == sorted(made)


async def alternate(on: OnServer, iterators: list[str]) -> None:
    """Read with one iterator after the other; a second for all of them would be slow."""
    for _ in range(100):
        for iterator in iterators:
            assert (await on.port.get_records(iterator)).next_iterator is not None


async def test_more_readers_than_allowed_are_throttled(
    on: OnServer, streams_server: StreamsProcess
) -> None:
    stream, shard, first = await opened(on)
    others = [(await on.port.shard_iterator(stream, shard, AtTrimHorizon()))[0] for _ in range(2)]
    streams_server.control("options", readers=2)
    try:
        await alternate(on, [first, others[0]])
        with pytest.raises(Retryable) as failure:
            await alternate(on, [first, *others])
    finally:
        streams_server.control("options", readers=0)
    assert failure.value.reason == "throttled"
    await alternate(on, [first, *others])
