"""The HTTP server: headers, compression, checksums, and answers that a fault damages."""

import asyncio
import socket
import struct
import time
import zlib
from dataclasses import dataclass
from itertools import count
from typing import Final

from aiohttp import web

from localdev.streams.control.control import Control
from localdev.streams.http.dispatch import Dispatch
from localdev.streams.http.fault import FaultKind
from localdev.streams.http.reply import Reply, with_spaces
from localdev.streams.names import digest

GZIP_BYTES: Final = 1024  # a smaller body goes out plain
GZIP_LEVEL: Final = 1  # the server has one core
MAX_REQUEST_BYTES: Final = 64 * 1024 * 1024  # control commands that bring items
KEEP_ALIVE_SECONDS: Final = 3600.0  # longer than any client's, so that no reset comes by chance
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 s


@dataclass(frozen=True, slots=True)
class Wire:
    """How answers are written: `spaces` as emulators in Python do; `crc`: with x-amz-crc32."""

    spaces: bool = False
    gzip: bool = True
    crc: bool = True


class Server:
    """The application that serves one model."""

    def __init__(self, dispatch: Dispatch, control: Control, wire: Wire) -> None:
        self._dispatch = dispatch
        self._control = control
        self._wire = wire
        self._requests = count(1)

    def application(self) -> web.Application:
        """Return what aiohttp runs."""
        application = web.Application(client_max_size=MAX_REQUEST_BYTES)
        application.router.add_post("/", self._serve)
        application.router.add_post("/control/{command}", self._serve_control)
        return application

    async def _serve_control(self, request: web.Request) -> web.StreamResponse:
        status, body = await self._control.call(request.match_info["command"], await request.read())
        return web.Response(status=status, body=body, content_type="application/json")

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        target = request.headers.get("X-Amz-Target", "")
        reply = self._dispatch.call(target, await request.read(), time.time())
        if reply.damage is None:
            return self._answer(request, reply)
        if reply.damage.kind is FaultKind.RESET:
            return _reset(request)
        if reply.damage.kind is FaultKind.SLOW:
            await asyncio.sleep(reply.damage.seconds)
        if reply.damage.kind is FaultKind.TRUNCATE:
            return await _truncated(request, self._answer(request, reply))
        return self._answer(request, reply)

    def _answer(self, request: web.Request, reply: Reply) -> web.Response:
        body = with_spaces(reply.body) if self._wire.spaces else reply.body
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "x-amzn-RequestId": digest("request", next(self._requests)).upper(),
        }
        accepted = request.headers.get("Accept-Encoding", "")
        if reply.damage is not None and reply.damage.gzip_header:
            headers["Content-Encoding"] = "gzip"
        elif self._wire.gzip and "gzip" in accepted and len(body) > GZIP_BYTES:
            body = zlib.compress(body, GZIP_LEVEL, wbits=zlib.MAX_WBITS | 16)
            headers["Content-Encoding"] = "gzip"
        checksum = zlib.crc32(body)  # of what is sent, so after compression
        with_checksum = self._wire.crc
        if reply.damage is not None:
            with_checksum &= reply.damage.crc
            if reply.damage.kind is FaultKind.CUT:
                body = body[: len(body) // 2]
            if reply.damage.kind is FaultKind.WRONG_CRC:
                checksum ^= 1
        if with_checksum:
            headers["x-amz-crc32"] = str(checksum)
        return web.Response(status=reply.status, body=body, headers=headers)


def _reset(request: web.Request) -> web.Response:
    """End the connection with a TCP reset."""
    transport = request.transport
    if transport is not None:
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()
    return web.Response()


async def _truncated(request: web.Request, whole: web.Response) -> web.StreamResponse:
    """Send half of an answer whose header promises all of it, then end the connection."""
    body = whole.body
    if not isinstance(body, bytes):
        raise TypeError("answers are bytes")
    response = web.StreamResponse(status=whole.status, headers=whole.headers)
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response
