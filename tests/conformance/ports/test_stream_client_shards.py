"""What every StreamClient does when shards split, close and age, and when a call fails.

No emulator can do that: the suite runs on our own streams server and on the twins.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from consumer.core.stream.stream import AfterSequence, AtTrimHorizon, Stream
from consumer.errors import ConsumerError, ExpiredIterator, Retryable, ShardNotFound, TrimmedData
from tests.conformance.ports.stream_clients import Shards, only_shard, read, stream_of
from tests.conformance.ports.stream_twins import shards_of

WHOLE = ["simulation", "streams_server"]

listed = pytest.mark.parametrize("on", [*WHOLE, "shard_list_twin"], indirect=True)
read_too = pytest.mark.parametrize("on", [*WHOLE, "shard_twin"], indirect=True)


@pytest.fixture(params=WHOLE)
async def on(request: pytest.FixtureRequest, use_aws: pytest.MonkeyPatch) -> AsyncIterator[Shards]:
    async with shards_of(request, use_aws) as found:
        await found.create()
        yield found


@listed
@pytest.mark.parametrize("child_filter", [True, False])
async def test_the_children_of_a_split(on: Shards, child_filter: bool) -> None:
    stream, parent = await only_shard(on)
    opened = await on.split(parent, 3)
    await on.split(opened[0], 2)
    if not child_filter:
        await on.ignore_child_filter()
    children = await on.port.child_shards(stream, parent)
    assert sorted(child.shard_id for child in children) == sorted(opened)
    assert {child.parent_shard_id for child in children} == {parent}
    assert [child.shard_id for child in children if child.closed] == [opened[0]]


@listed
@pytest.mark.parametrize("child_filter", [True, False])
async def test_more_shards_than_a_page_lists(on: Shards, child_filter: bool) -> None:
    stream, parent = await only_shard(on)
    first = await on.split(parent, 100)
    await on.split(first[7], 60)
    if not child_filter:
        await on.ignore_child_filter()
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


@read_too
async def test_a_closed_shard_is_read_to_its_end(on: Shards) -> None:
    stream, shard = await only_shard(on)
    await on.put("a", "b")
    iterator, _ = await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    tip = (await on.port.get_records(iterator)).next_iterator
    assert tip is not None
    await on.split(shard, 1)
    assert await read(on, stream, shard) == (["a", "b"], None)
    page = await on.port.get_records(tip)
    assert (list(page.records), page.next_iterator) == ([], None)


async def test_an_expired_iterator(on: Shards) -> None:
    stream, shard = await only_shard(on)
    iterator, _ = await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    await on.expire()
    with pytest.raises(ExpiredIterator):
        await on.port.get_records(iterator)
    assert (await read(on, stream, shard))[1] is not None


@read_too
async def test_trimmed_records(on: Shards) -> None:
    stream, shard = await only_shard(on)
    await on.put("a", "b")
    iterator, _ = await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    numbers = [record.sequence or 0 for record in (await on.port.get_records(iterator)).records]
    assert len(numbers) == 2
    await on.trim()
    for number in numbers:  # the last one, too, after which nothing was lost
        with pytest.raises(TrimmedData):
            await on.port.shard_iterator(stream, shard, AfterSequence(number))
    with pytest.raises(TrimmedData):
        await on.port.get_records(iterator)
    await on.put("c")
    assert (await read(on, stream, shard))[0] == ["c"]


@read_too
async def test_a_shard_that_has_aged_out(on: Shards) -> None:
    stream, shard = await only_shard(on)
    iterator, _ = await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    await on.split(shard, 1)
    await on.age_out(shard)
    with pytest.raises(ShardNotFound):
        await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    with pytest.raises((ShardNotFound, TrimmedData)):
        await on.port.get_records(iterator)


@listed
async def test_a_shard_that_has_aged_out_is_not_listed(on: Shards) -> None:
    stream, shard = await only_shard(on)
    (child,) = await on.split(shard, 1)
    await on.age_out(shard)
    page = await on.port.describe_stream(stream, None)
    # The child still names its parent.
    assert [(s.shard_id, s.parent_shard_id) for s in page.shards] == [(child, shard)]
    with pytest.raises(ShardNotFound):
        await on.port.shard_iterator(stream, shard, AtTrimHorizon())


Call = Callable[[Shards, Stream, str, str], Awaitable[object]]
LISTING: dict[str, Call] = {
    "latest_stream": lambda on, _stream, _shard, _iterator: on.port.latest_stream(on.table),
    "describe_stream": lambda on, stream, _shard, _iterator: on.port.describe_stream(stream, None),
    "child_shards": lambda on, stream, shard, _iterator: on.port.child_shards(stream, shard),
}
OPENING: dict[str, Call] = {
    "shard_iterator": lambda on, stream, shard, _iterator: on.port.shard_iterator(
        stream, shard, AtTrimHorizon()
    ),
}
READING: dict[str, Call] = {
    "get_records": lambda on, _stream, _shard, iterator: on.port.get_records(iterator),
}


async def fails_once(on: Shards, call: Call, reason: str) -> None:
    stream, shard = await only_shard(on)
    iterator, _ = await on.port.shard_iterator(stream, shard, AtTrimHorizon())
    await on.fail(reason)
    with pytest.raises(ConsumerError) as failure:
        await call(on, stream, shard, iterator)
    assert type(failure.value) is Retryable
    assert failure.value.reason == reason
    await call(on, stream, shard, iterator)


@listed
@pytest.mark.parametrize("reason", ["throttled", "reset"])
@pytest.mark.parametrize("call", [*LISTING, *OPENING])
async def test_a_call_of_the_listing_may_fail_for_once(on: Shards, call: str, reason: str) -> None:
    await fails_once(on, {**LISTING, **OPENING}[call], reason)


@read_too
@pytest.mark.parametrize("reason", ["throttled", "reset"])
@pytest.mark.parametrize("call", [*OPENING, *READING])
async def test_a_call_of_the_reading_may_fail_for_once(on: Shards, call: str, reason: str) -> None:
    await fails_once(on, {**OPENING, **READING}[call], reason)


async def test_the_latest_stream_is_there_after_a_failure(on: Shards) -> None:
    await on.fail("reset")
    with pytest.raises(Retryable):
        await stream_of(on)
    assert (await stream_of(on)).table == on.table
