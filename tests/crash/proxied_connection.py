"""One connection through a proxy: client to proxy, proxy to server."""

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Protocol

from tests.crash.trouble import Kind, Trouble

CHUNK_BYTES = 65536
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 s

Side = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Troubles(Protocol):
    """What a connection asks its proxy."""

    def begin(self, request: bytes) -> Trouble | None:
        """Return what meets a request that comes in."""
        ...

    async def passable(self) -> None:
        """Wait until bytes pass at all."""
        ...


class ProxiedConnection:
    """`trouble` is that of the exchange under way."""

    def __init__(self, troubles: Troubles, client: Side, server: Side) -> None:
        self._troubles = troubles
        self._from_client, self._to_client = client
        self._from_server, self._to_server = server
        self._answered = True
        self._trouble: Trouble | None = None

    def reset(self) -> None:
        """End both sides without a word."""
        reset(self._to_client)
        reset(self._to_server)

    async def pass_on(self) -> None:
        """Pass on both ways until either side ends."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._requests())
            tasks.create_task(self._answers())

    async def _requests(self) -> None:
        with suppress(OSError):
            while data := await self._from_client.read(CHUNK_BYTES):
                if self._answered:
                    self._answered = False
                    self._trouble = self._troubles.begin(data)
                    if self._is(Kind.CUT):
                        self.reset()
                        return
                    if self._trouble is not None:
                        await asyncio.sleep(self._trouble.seconds)
                await self._troubles.passable()
                self._to_server.write(data)
                await self._to_server.drain()
        self._to_server.close()

    async def _answers(self) -> None:
        with suppress(OSError):
            while data := await self._from_server.read(CHUNK_BYTES):
                if self._is(Kind.LOSE):
                    self.reset()
                    return
                self._answered = True
                await self._troubles.passable()
                if not self._is(Kind.SILENCE):
                    self._to_client.write(data)
                    await self._to_client.drain()
        self._to_client.close()

    def _is(self, kind: Kind) -> bool:
        return self._trouble is not None and self._trouble.kind is kind


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection so that its peer sees a reset; nothing happens if it is closed."""
    connection = writer.get_extra_info("socket")
    if connection is not None and not writer.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()
