"""The HTTP client of Nakadi: httpx on the connections of aiohttp.

A connection on which something came after the last answer is closed, not used again. aiohttp would
take what came for the answer to the next request: a peer that says 200 twice would make events
count as stored that it has not read.

A request that is given up leaves nothing behind: what the operating system has not taken of it is
thrown away. An ordinary close would write it on, as soon as the peer reads again, behind newer
requests; in Lambda that is in a later invocation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
from httpx_aiohttp import AiohttpTransport, HttpxAiohttpClient

if TYPE_CHECKING:
    import httpx
    from aiohttp.connector import Connection


class UnaskedAnswer(aiohttp.ClientConnectionResetError):
    """Something came on a connection that was not in use. Nothing was sent on it."""


class _Request(aiohttp.ClientRequest):
    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Send on a connection that nobody has spoken on; aiohttp closes it on an error."""
        if conn.protocol is None or conn.protocol.should_close:
            raise UnaskedAnswer("the other end has spoken without being asked")
        return await super().send(conn)


class _Response(aiohttp.ClientResponse):
    def close(self) -> None:
        """Give up the request, or the rest of its answer; one that has ended is released."""
        transport = None if self.connection is None else self.connection.transport
        if transport is not None:
            transport.abort()
        super().close()


class HttpClient(HttpxAiohttpClient):
    """An httpx client all of whose connections, those to proxies too, are looked at before use."""

    async def drop_connections(self) -> None:
        """Close all connections, of which none may be in use; the next request opens a new one."""
        for transport in (self._transport, *self._mounts.values()):
            if isinstance(transport, AiohttpTransport):
                await transport.aclose()
                _looking(transport)

    def _init_transport(self, *given: Any, **named: Any) -> httpx.AsyncBaseTransport:  # noqa: ANN401 - httpx's
        return _looking(super()._init_transport(*given, **named))

    def _init_proxy_transport(self, *given: Any, **named: Any) -> httpx.AsyncBaseTransport:  # noqa: ANN401 - httpx's
        return _looking(super()._init_proxy_transport(*given, **named))


def _looking(transport: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
    """Let a transport make its session as it would, but with our requests and responses."""
    if isinstance(transport, AiohttpTransport):
        limits, context = transport.limits, transport.ssl_context

        def session() -> aiohttp.ClientSession:
            connector = aiohttp.TCPConnector(
                limit=limits.max_connections or 0,
                keepalive_timeout=limits.keepalive_expiry,
                ssl=context,
            )
            return aiohttp.ClientSession(
                connector=connector, request_class=_Request, response_class=_Response
            )

        transport.client = session
    return transport
