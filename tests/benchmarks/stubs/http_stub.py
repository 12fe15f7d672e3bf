"""A very small HTTP/1.1 server, so that a benchmark measures its client and not its server.

One answer per request, keep-alive, bodies by Content-Length. It prints its URL when it listens.
"""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import uvloop

_REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 503: "Service Unavailable"}


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request; names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; Content-Length is added."""

    body: bytes = b""
    status: int = 200
    headers: str = ""  # more header lines, each with its line end

    @property
    def wire(self) -> bytes:
        head = (
            f"HTTP/1.1 {self.status} {_REASONS[self.status]}\r\n{self.headers}"
            f"content-length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body


Answering = Callable[[Request], Response]


class _Connection(asyncio.Protocol):
    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._received = bytearray()
        self._wanted = 0  # bytes of the request that is coming in, 0 while its head is not whole
        self._head: tuple[str, str, dict[str, str]] = ("", "", {})
        self._body_at = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        assert self._transport is not None
        while self._whole():
            body = bytes(self._received[self._body_at : self._wanted])
            del self._received[: self._wanted]
            self._wanted = 0
            method, path, headers = self._head
            self._transport.write(self._answering(Request(method, path, headers, body)).wire)

    def _whole(self) -> bool:
        if not self._wanted:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return False
            first, *lines = self._received[:end].decode("latin-1").split("\r\n")
            method, path, _ = first.split(" ", 2)
            headers = {
                name.lower(): value.strip()
                for name, value in (line.split(":", 1) for line in lines)
            }
            assert "transfer-encoding" not in headers
            self._head = (method, path, headers)
            self._body_at = end + 4
            self._wanted = self._body_at + int(headers.get("content-length", "0"))
        return len(self._received) >= self._wanted


def serve(answering: Answering) -> None:
    """Answer on a free port of 127.0.0.1 until SIGTERM."""
    uvloop.run(_serve(answering))


async def _serve(answering: Answering) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    server = await loop.create_server(lambda: _Connection(answering), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await stopped.wait()
    server.close()
