"""`/event-types`: create, read, list, update, delete."""

from __future__ import annotations

from aiohttp import web

from localdev.nakadi.answers import json_answer, proxy_answer
from localdev.nakadi.faults import FaultKind
from localdev.nakadi.local_nakadi import LocalNakadi


class EventTypeRoutes:
    """Handlers for event types of one local Nakadi."""

    def __init__(self, nakadi: LocalNakadi) -> None:
        self._nakadi = nakadi

    def routes(self) -> list[web.RouteDef]:
        """Return the routes under /event-types that are not about events."""
        return [
            web.get("/event-types", self.list),
            web.post("/event-types", self.create),
            web.get("/event-types/{name}", self.read),
            web.delete("/event-types/{name}", self.delete),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """Create an event type."""
        self._nakadi.event_types.create(await request.json())
        return web.Response(status=201)

    async def list(self, _request: web.Request) -> web.Response:
        """All event types."""
        names = self._nakadi.event_types.names()
        return json_answer([self._nakadi.event_type(name).definition for name in names])

    async def read(self, request: web.Request) -> web.Response:
        """One event type; a fault with `on` event-type strikes here."""
        name = request.match_info["name"]
        fault = self._nakadi.faults.take("event-type", name, b"", 0)
        if fault is not None and fault.kind is FaultKind.STATUS:
            return proxy_answer(fault.status, fault.body, fault.retry_after)
        return json_answer(self._nakadi.event_type(name).definition)

    async def delete(self, request: web.Request) -> web.Response:
        """Remove an event type with its events."""
        name = request.match_info["name"]
        self._nakadi.event_type(name)
        self._nakadi.event_types.delete(name)
        return web.Response()
