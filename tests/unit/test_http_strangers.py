"""The HTTP server among strangers: few connections, short ones, own hosts, and a silent log."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct

import aiohttp
import pytest
import uvloop

from consumer.adapters.serving import http_connections
from consumer.adapters.serving.http_hosts import is_own_host
from consumer.adapters.serving.http_server import serve_http
from tests.patience import PATIENCE
from tests.unit.test_http_server import LOCAL, Source

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
RESET = struct.pack("ii", 1, 0)
HEAD = b"GET /livez HTTP/1.1\r\nHost: a\r\n"
NONSENSE = {
    "binary": bytes(range(256)) * 4,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "no method": b"/ HTTP/1.1\r\n\r\n",
    "a bad version": b"GET / HTTP/9.9\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "a long line": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    "a long header": HEAD + b"X: " + b"a" * 20_000 + b"\r\n\r\n",
    "many headers": HEAD + b"".join(b"X%d: 1\r\n" % n for n in range(500)) + b"\r\n",
    "a header with NUL": HEAD + b"X: \x00\r\n\r\n",
    "a header without a name": HEAD + b": x\r\n\r\n",
    "no chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "an odd length": HEAD + b"Content-Length: -5\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "a body that ends early": HEAD + b"Content-Length: 50\r\n\r\nhello",
    "an odd host": b"GET /status HTTP/1.1\r\nHost: [1\r\n\r\n",
    "an odd target": b"GET http://[1/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tunnel": b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "an upgrade": HEAD + b"Upgrade: h2c\r\nConnection: Upgrade\r\n\r\nPRI * HTTP/2.0\r\n\r\n",
    "half a request": b"GET /li",
    "nothing": b"",
}


async def said(port: int, data: bytes, *, half_closed: bool = False) -> bytes:
    reader, writer = await asyncio.open_connection(LOCAL, port)
    writer.write(data)
    if half_closed:
        writer.write_eof()
    try:
        async with asyncio.timeout(PATIENCE):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def reset(port: int, data: bytes) -> None:
    """Send something and break the connection."""
    with socket.create_connection((LOCAL, port), PATIENCE) as stranger:
        stranger.sendall(data)
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


async def trickle(writer: asyncio.StreamWriter) -> None:
    """Send a request that is never silent for long, and never at its end."""
    for letter in HEAD + b"X: " + b"x" * 2000:
        writer.write(bytes([letter]))
        await writer.drain()
        await asyncio.sleep(0.01)


async def livez(port: int) -> bytes:
    return (await said(port, HEAD + b"\r\n")).split(b"\r\n")[0]


def test_nonsense_leaves_nothing_in_the_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the event loop of `consumer run`."""
    monkeypatch.setattr(http_connections, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(http_connections, "LOOK_SECONDS", 0.05)

    async def everything() -> None:
        async with serve_http(LOCAL, 0, Source()) as port, asyncio.TaskGroup() as tasks:
            for data in NONSENSE.values():
                tasks.create_task(said(port, data))
                tasks.create_task(said(port, data, half_closed=True))
        async with serve_http(LOCAL, 0, Source()) as port:
            for data in NONSENSE.values():
                await asyncio.to_thread(reset, port, data)
            assert await livez(port) == b"HTTP/1.1 200 OK"

    with caplog.at_level(logging.WARNING):
        uvloop.run(everything())
    assert [record.getMessage() for record in caplog.records] == []


async def test_a_fault_of_ours_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    source = Source()
    source.metrics = None  # type: ignore[assignment]
    async with serve_http(LOCAL, 0, source) as port:
        assert b" 500 " in await said(port, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is AttributeError


async def test_a_connection_is_for_one_request() -> None:
    async with serve_http(LOCAL, 0, Source()) as port:
        answer = await said(port, 2 * (HEAD + b"\r\n"))
        absent = await said(port, b"GET /absent HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.count(b"200 OK") == 1
    assert b"connection: close" in answer.lower()
    assert b"connection: close" in absent.lower()


async def test_a_slow_request_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connections, "REQUEST_SECONDS", 0.2)
    monkeypatch.setattr(http_connections, "LOOK_SECONDS", 0.05)
    loop = asyncio.get_running_loop()
    async with serve_http(LOCAL, 0, Source()) as port:
        _, writer = await asyncio.open_connection(LOCAL, port)
        began = loop.time()
        with pytest.raises(ConnectionError):
            await trickle(writer)
        assert loop.time() - began < PATIENCE
        writer.close()


async def test_an_answer_that_nobody_reads_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connections, "REQUEST_SECONDS", 0.2)
    monkeypatch.setattr(http_connections, "LOOK_SECONDS", 0.05)
    source = Source()
    monkeypatch.setattr(source, "scrape", lambda: b"x" * 50_000_000)
    async with serve_http(LOCAL, 0, source) as port:
        reader, writer = await asyncio.open_connection(LOCAL, port, limit=1000)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.sleep(0.5)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(50_000_000)
        writer.close()


async def test_a_hundred_connections_and_the_oldest_makes_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_connections, "MAX_CONNECTIONS", 5)
    monkeypatch.setattr(http_connections, "REQUEST_SECONDS", 10 * PATIENCE)  # none ends by age
    async with serve_http(LOCAL, 0, Source()) as port:
        silent: list[Connection] = []
        for _ in range(5):
            silent.append(await asyncio.open_connection(LOCAL, port))
            await livez(port)  # it has been accepted
        for _ in range(3):
            assert await livez(port) == b"HTTP/1.1 200 OK"
        first, *_, last = [reader for reader, _ in silent]
        async with asyncio.timeout(PATIENCE):
            assert await first.read() == b""
        silent[-1][1].write(HEAD + b"\r\n")
        assert (await last.read()).startswith(b"HTTP/1.1 200 OK")
        for _, writer in silent:
            writer.close()


def test_the_limits() -> None:
    assert (http_connections.MAX_CONNECTIONS, http_connections.REQUEST_SECONDS) == (100, 10.0)


async def test_ended_connections_are_forgotten() -> None:
    connections = http_connections.HttpConnections(asyncio.Protocol)
    server = await asyncio.get_running_loop().create_server(connections, LOCAL, 0)
    port = server.sockets[0].getsockname()[1]
    for _ in range(3):
        _, writer = await asyncio.open_connection(LOCAL, port)
        writer.close()
    async with asyncio.timeout(PATIENCE):
        while connections.count:
            await asyncio.sleep(0.001)
    server.close()


OWN: list[str | None] = [
    "10.0.0.7:8080",
    "[::1]:8080",
    "[fe80::1]",
    "localhost:8080",
    "LocalHost",
    "a.localhost:1",
]
OWN += ["consumer", "consumer:8080", "localhost.", "Relay.Example.org", None]
FOREIGN = ["evil.example", "evil.example:8080", "10.0.0.7.evil.example", "localhost.evil.example"]
FOREIGN += ["", "[1", "a b.c", "127.0.0.1@evil.example", "x.relay.example.org", "a.b:99999", ":80"]


@pytest.mark.parametrize("host", OWN)
def test_own_hosts(host: str | None) -> None:
    assert is_own_host(host, ("relay.example.org",))


@pytest.mark.parametrize("host", FOREIGN)
def test_foreign_hosts(host: str) -> None:
    assert not is_own_host(host, ("relay.example.org",))


async def test_status_is_for_own_hosts_and_probes_for_all() -> None:
    async def status(path: str, host: str) -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{LOCAL}:{port}{path}", headers={"Host": host}) as answer,
        ):
            if answer.status == 421:
                assert "CONSUMER_HTTP_ALLOWED_HOSTS" in await answer.text()
            return answer.status

    async with serve_http(LOCAL, 0, Source(), ("relay.example.org",)) as port:
        for path in ("/", "/status", "/%73tatus"):
            assert await status(path, "evil.example") == 421
            assert await status(path, "relay.example.org") == 200
            assert await status(path, f"127.0.0.1:{port}") == 200
        for path in ("/livez", "/readyz", "/metrics"):
            assert await status(path, "evil.example") == 200
