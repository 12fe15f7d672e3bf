"""The HTTP client of Nakadi: httpx on the connections of aiohttp, guarded (`http_guard.py`).

Nakadi says a request's flow id in its answer, so an answer that comes while another request is
under way is known by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
from httpx_aiohttp import AiohttpTransport, HttpxAiohttpClient

from consumer.adapters.flow_id import FLOW_ID, is_of_another
from consumer.adapters.http_guard import GuardedRequest, GuardedResponse

if TYPE_CHECKING:
    import httpx


class _Response(GuardedResponse):
    def answers_another(self, connection: object) -> bool:  # noqa: ARG002 - the flow id is enough
        sent = self.request_info.headers.get(FLOW_ID)
        return is_of_another(self.headers.get(FLOW_ID), sent)


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
                connector=connector, request_class=GuardedRequest, response_class=_Response
            )

        transport.client = session
    return transport
