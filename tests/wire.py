"""A TCP server that says exactly the bytes it is told: faults that no honest server makes."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """What a client sent. Header names are in lower case."""

    head: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Say:
    """One answer: these bytes, then what becomes of the connection."""

    data: bytes = b""
    then: str = "keep"  # keep | close | reset | hang


@dataclass
class Wire:
    """Answers requests from its script; when that is used up, with the last line of it."""

    url: str = ""
    script: list[Say] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    read_body: bool = True
    delay: float = 0.0  # seconds before each answer
    connections: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    answer: Callable[[Request], Say] | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, *lines: Say) -> None:
        self.script[:] = lines

    def interrupt(self, data: bytes) -> None:
        """Say something on every open connection, without having been asked."""
        for writer in self.open:
            writer.write(data)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.add(writer)
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            head, *lines = text.strip().split("\r\n")
            headers = {
                name.lower(): value for name, value in (line.split(": ", 1) for line in lines)
            }
            if not self.read_body:
                await asyncio.Event().wait()
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            request = Request(head, headers, body)
            self.requests.append(request)
            self.asked.set()
            if self.answer is not None:
                line = self.answer(request)
            else:
                line = self.script.pop(0) if len(self.script) > 1 else self.script[0]
            await asyncio.sleep(self.delay)
            writer.write(line.data)
            await writer.drain()
            match line.then:
                case "close":
                    return
                case "reset":
                    linger = struct.pack("ii", 1, 0)
                    sock = writer.get_extra_info("socket")
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    return
                case "hang":
                    await reader.read()
                    return


@asynccontextmanager
async def wire(tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    """A running server on a free port of 127.0.0.1."""
    line = Wire()
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await line.serve(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            talks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    line.url = (
        f"{'http' if tls is None else 'https'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    )
    try:
        yield line
    finally:
        server.close()
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await server.wait_closed()


def http(
    body: bytes = b"",
    status: str = "200 OK",
    *headers: str,
    length: int | None = None,
) -> bytes:
    """An HTTP/1.1 answer; `length` may lie."""
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {size}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
