"""Reading back: `GET /event-types/{name}/events` from cursors, and the partitions."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from aiohttp import web

from localdev.nakadi.event_types.log import EventLog, offset_text
from localdev.nakadi.http.answers import json_answer
from localdev.nakadi.http.body_reader import read_objects
from localdev.nakadi.http.problem import ProblemError
from localdev.nakadi.http.request_body import plain_body
from localdev.nakadi.reading.cursors import distance, start_positions
from localdev.nakadi.reading.event_stream import EventStream, stream_options

if TYPE_CHECKING:
    from localdev.nakadi.local_nakadi import LocalNakadi

_CONTENT_TYPE = "application/x-json-stream"
_WARNING = (
    "299 - nakadi - the Low-level API is deprecated and will be removed from a future release. "
    "Please consider migrating to the Subscriptions API."
)


class ReadRoutes:
    """Handlers that read events of one local Nakadi."""

    def __init__(self, nakadi: LocalNakadi) -> None:
        self._nakadi = nakadi

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/event-types/{name}/partitions", self.partitions),
            web.get("/event-types/{name}/partitions/{partition}", self.partition),
            web.get("/event-types/{name}/events", self.events),
            web.post("/event-types/{name}/cursor-distances", self.distances),
        ]

    async def partitions(self, request: web.Request) -> web.Response:
        """Answer with all partitions and their oldest and newest offsets."""
        log = self._nakadi.event_types.find(request.match_info["name"]).log
        return json_answer([_partition(log, name) for name in log.partitions])

    async def partition(self, request: web.Request) -> web.Response:
        """Answer with one partition."""
        log = self._nakadi.event_types.find(request.match_info["name"]).log
        name = request.match_info["partition"]
        if name not in log.partitions:
            raise ProblemError(404, "partition not found")
        return json_answer(_partition(log, name))

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Stream events of some partitions, one line a batch."""
        options = stream_options(request)
        event_type = self._nakadi.event_types.get(request.match_info["name"])
        if event_type is None:
            raise ProblemError(404, "topic not found")
        positions = start_positions(
            event_type.name, event_type.log, request.headers.get("X-nakadi-cursors")
        )
        options.check()
        response = web.StreamResponse(headers={"Content-Type": _CONTENT_TYPE, "Warning": _WARNING})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # the reader has gone
            await EventStream(event_type, positions, options).run(response)
        return response

    async def distances(self, request: web.Request) -> web.Response:
        """Answer with the number of events between pairs of cursors."""
        event_type = self._nakadi.event_types.find(request.match_info["name"])
        pairs = read_objects(await plain_body(request))
        return json_answer([distance(event_type.name, event_type.log, pair) for pair in pairs])


def _partition(log: EventLog, name: str) -> dict[str, str]:
    return {
        "oldest_available_offset": offset_text(0),
        "newest_available_offset": offset_text(len(log.partitions[name]) - 1),
        "partition": name,
    }
