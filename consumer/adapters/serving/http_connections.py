"""The connections of the HTTP server: few of them, each for one request and a short time.

Whoever reaches the port can open connections, say nothing, or read slowly. The probes must be
answered all the same, because the platform kills a worker whose probe is not. So a connection ends
after `REQUEST_SECONDS`, whatever it has done, and the oldest one makes room for a new one. An
answer takes milliseconds, so a connection that is old has something wrong with it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_CONNECTIONS: Final = 100
"""Most connections at a time."""

REQUEST_SECONDS: Final = 10.0
"""Longest time for a connection: to send a request, to make the answer and to read it."""

LOOK_SECONDS: Final = 1.0
"""Seconds between two looks for connections that are too old."""


class HttpConnections:
    """Makes the protocol of each connection; `serve` makes the one that reads and answers."""

    def __init__(self, serve: Callable[[], asyncio.Protocol]) -> None:
        self._serve = serve
        self._open: dict[_Connection, float] = {}  # the oldest first, by the time it was opened
        self._looking = False

    def __call__(self) -> asyncio.Protocol:
        """Return the protocol of a new connection."""
        return _Connection(self, self._serve())

    def opened(self, connection: _Connection) -> None:
        """Count a connection, and end the oldest one if there are too many."""
        loop = asyncio.get_running_loop()
        self._open[connection] = loop.time()
        if self.count > MAX_CONNECTIONS:
            self._end(next(iter(self._open)))
        if not self._looking:
            self._looking = True
            loop.call_later(LOOK_SECONDS, self._look)

    @property
    def count(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def lost(self, connection: _Connection) -> None:
        """Forget a connection that has ended."""
        self._open.pop(connection, None)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        old = loop.time() - REQUEST_SECONDS
        for connection in [each for each, since in self._open.items() if since <= old]:
            self._end(connection)
        self._looking = bool(self._open)
        if self._looking:
            loop.call_later(LOOK_SECONDS, self._look)

    def _end(self, connection: _Connection) -> None:
        self.lost(connection)
        connection.end()


class _Connection(asyncio.Protocol):
    """Passes everything on to the protocol that serves, and can be ended from outside."""

    def __init__(self, connections: HttpConnections, served: asyncio.Protocol) -> None:
        self._connections = connections
        self._served = served
        self._transport: asyncio.Transport | None = None

    def end(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._served.connection_made(transport)
        self._connections.opened(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.lost(self)
        self._served.connection_lost(error)

    def data_received(self, data: bytes) -> None:
        self._served.data_received(data)

    def eof_received(self) -> bool | None:
        return self._served.eof_received()

    def pause_writing(self) -> None:
        self._served.pause_writing()

    def resume_writing(self) -> None:
        self._served.resume_writing()
