"""`/event-types`: create, read, list, update, delete, and the server's settings and abilities."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from localdev.nakadi.control.faults import FaultKind, Target
from localdev.nakadi.control.faulty_answer import faulty_answer
from localdev.nakadi.event_types.definition import read_definition
from localdev.nakadi.event_types.event_type_rules import STRATEGIES
from localdev.nakadi.http import body_reader
from localdev.nakadi.http.answers import json_answer
from localdev.nakadi.http.negotiation import demand_json
from localdev.nakadi.http.problem import ProblemError
from localdev.nakadi.http.request_body import plain_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localdev.nakadi.json_value import Json, JsonObject
    from localdev.nakadi.local_nakadi import LocalNakadi

_REGISTRY: Mapping[str, Json] = {
    "/registry/partition-strategies": [*STRATEGIES],
    "/registry/enrichment-strategies": ["metadata_enrichment"],
    "/version": {"scm_source": None},
}


def _warning(definition: JsonObject) -> dict[str, str]:
    compacted = definition["cleanup_policy"] == "compact"
    more = ". Compaction warning" if compacted else ""
    return {"Warning": f'299 nakadi "Data access warning{more}"'}


class EventTypeRoutes:
    """Handlers for event types of one local Nakadi."""

    def __init__(self, nakadi: LocalNakadi) -> None:
        self._nakadi = nakadi

    def routes(self) -> list[web.RouteDef]:
        """Return the routes that are not about events."""
        one = "/event-types/{name}"
        return [
            web.get("/event-types", self.list),
            web.post("/event-types", self.create),
            web.get(one, self.read),
            web.put(one, self.update),
            web.delete(one, self.delete),
            web.put(one + "/partition-count", self.repartition),
            web.put("/settings/blacklist/PRODUCER_ET/{name}", self.block),
            web.delete("/settings/blacklist/PRODUCER_ET/{name}", self.unblock),
            *(web.get(path, self.about) for path in _REGISTRY),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """Answer with all event types, or those of one application."""
        application = request.query.get("owning_application")
        return json_answer(
            [
                known.definition
                for known in self._nakadi.event_types.all()
                if application in (None, known.definition["owning_application"])
            ]
        )

    async def create(self, request: web.Request) -> web.Response:
        """Create an event type."""
        demand_json(request)
        definition = read_definition(await plain_body(request))
        self._nakadi.event_types.create(definition)
        return web.Response(status=201, headers=_warning(definition))

    async def read(self, request: web.Request) -> web.Response:
        """Answer with one event type; a fault with `on` event-type applies here."""
        name = request.match_info["name"]
        fault = self._nakadi.faults.take(Target("event-type", name))
        if fault is not None:
            await asyncio.sleep(fault.delay)
            if fault.kind in (FaultKind.STATUS, FaultKind.RESET):
                return faulty_answer(request, fault)
        return json_answer(self._nakadi.event_types.find(name).definition)

    async def update(self, request: web.Request) -> web.Response:
        """Replace a definition."""
        demand_json(request)
        definition = read_definition(await plain_body(request))
        self._nakadi.event_types.update(request.match_info["name"], definition)
        return web.Response(headers=_warning(definition))

    async def delete(self, request: web.Request) -> web.Response:
        """Remove an event type with its events."""
        self._nakadi.event_types.delete(request.match_info["name"])
        return web.Response()

    async def repartition(self, request: web.Request) -> web.Response:
        """Raise the number of partitions."""
        demand_json(request)
        count = body_reader.integer(
            body_reader.read_object(await plain_body(request)), "partition_count"
        )
        if count is None:
            raise ProblemError(400, "partition_count is missing")
        self._nakadi.event_types.repartition(request.match_info["name"], count)
        return web.Response(status=204)

    async def block(self, request: web.Request) -> web.Response:
        """Block publishing to an event type, as an operator of Nakadi can."""
        self._nakadi.blocked.add(request.match_info["name"])
        return web.Response(status=204)

    async def unblock(self, request: web.Request) -> web.Response:
        """Unblock publishing to an event type."""
        self._nakadi.blocked.discard(request.match_info["name"])
        return web.Response(status=204)

    async def about(self, request: web.Request) -> web.Response:
        """Answer with what the server supports."""
        return json_answer(_REGISTRY[request.path.rstrip("/")])
