"""The proxy itself: each trouble is what it says, and ends when it is told to."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from tests.crash.proxy import Proxy, proxy
from tests.crash.trouble import Kind, Trouble
from tests.wire import Say, Wire

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 5\r\nX-Amz-Target: %s\r\n\r\nhello"


@pytest.fixture
def before(line: Wire) -> Iterator[Proxy]:
    line.say(Say(ANSWER))
    with proxy(line.url) as made:
        yield made


@asynccontextmanager
async def client(made: Proxy) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(made.url.rsplit(":", 1)[1]))
    try:
        yield reader, writer
    finally:
        writer.close()


async def ask(made: Proxy, target: bytes = b"Get", seconds: float = 5.0) -> bytes:
    async with client(made) as (reader, writer), asyncio.timeout(seconds):
        writer.write(REQUEST % target)
        return await reader.readexactly(len(ANSWER))


async def test_without_trouble_everything_passes_on_one_connection(
    line: Wire, before: Proxy
) -> None:
    async with client(before) as (reader, writer):
        for _ in range(3):
            writer.write(REQUEST % b"Get")
            assert await reader.readexactly(len(ANSWER)) == ANSWER
    assert [request.body for request in line.requests] == [b"hello"] * 3
    assert line.connections == 1
    assert len(before.exchanges) == 3
    assert before.hits() == 0


async def test_a_cut_resets_what_is_open_and_what_comes_and_nothing_arrives(
    line: Wire, before: Proxy
) -> None:
    async with client(before) as (reader, writer):
        writer.write(REQUEST % b"Get")
        await reader.readexactly(len(ANSWER))
        before.set(Trouble(Kind.CUT))
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await ask(before)
    assert len(line.requests) == 1
    before.set(None)
    assert await ask(before) == ANSWER


async def test_a_lost_answer_is_a_reset_after_the_server_did_what_was_asked(
    line: Wire, before: Proxy
) -> None:
    before.set(Trouble(Kind.LOSE))
    with pytest.raises(ConnectionResetError):
        await ask(before)
    assert len(line.requests) == 1
    assert before.hits(Kind.LOSE) == 1


async def test_silence_leaves_the_client_waiting_after_the_server_did_what_was_asked(
    line: Wire, before: Proxy
) -> None:
    before.set(Trouble(Kind.SILENCE))
    async with client(before) as (reader, writer):
        writer.write(REQUEST % b"Get")
        await line.asked.wait()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await reader.readexactly(1)
    assert len(line.requests) == 1


async def test_a_delayed_request_arrives_although_the_client_has_left(
    line: Wire, before: Proxy
) -> None:
    before.set(Trouble(Kind.DELAY, seconds=0.3))
    async with client(before) as (_, writer):
        writer.write(REQUEST % b"Get")
        while not before.exchanges:
            await asyncio.sleep(0.01)
    await line.asked.wait()
    assert time.monotonic() - before.exchanges[0].started >= 0.3


async def test_a_blackhole_holds_both_ways_and_lets_everything_go_at_its_end(
    line: Wire, before: Proxy
) -> None:
    line.delay = 0.1  # of idle time, so the blackhole is there before the answer
    async with client(before) as (reader, writer):
        writer.write(REQUEST % b"Get")
        await line.asked.wait()
        before.set(Trouble(Kind.BLACKHOLE))
        with pytest.raises(TimeoutError):
            await ask(before, seconds=0.3)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.readexactly(1)
        assert len(line.requests) == 1
        before.set(None)
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        while len(line.requests) < 2:
            await asyncio.sleep(0.01)


async def test_only_some_are_hit_and_only_those_that_contain_what_was_said(before: Proxy) -> None:
    before.set(Trouble(Kind.LOSE, probability=0.5, containing=b"Update"))
    lost = 0
    for _ in range(40):
        assert await ask(before, b"Get") == ANSWER
        try:
            await ask(before, b"UpdateItem")
        except ConnectionResetError:
            lost += 1
    assert 10 <= lost <= 30
    assert before.hits() == lost
