"""`/`: the page on which a developer sees what was published, and breaks the local Nakadi."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from localdev.nakadi.http.answers import json_answer
from localdev.nakadi.http.body_reader import number
from localdev.nakadi.http.problem import ProblemError

if TYPE_CHECKING:
    from localdev.nakadi.control.request_log import PublishRequest
    from localdev.nakadi.event_types.event_type import EventType
    from localdev.nakadi.event_types.log import StoredEvent
    from localdev.nakadi.local_nakadi import LocalNakadi

PAGE = "/"
REQUESTS_SHOWN = 12
EVENTS_SHOWN, EVENTS_SHOWN_MAX = 20, 100
# A longer text is cut; the whole event can be requested alone.
TEXT_MAX_CHARACTERS = 32_768
_FILES = Path(__file__).parent / "page"
_INDEX = "index.html"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_NAMES = (_INDEX, "page.css", "page.js", "event_view.js", "faults.js", "json.js")
# An event can have any content: only our own files may be run, loaded or requested.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class PageRoutes:
    """Handlers that show one local Nakadi to a browser."""

    def __init__(self, nakadi: LocalNakadi) -> None:
        self._nakadi = nakadi

    def routes(self) -> list[web.RouteDef]:
        """Return the page, its files, and what its script asks for."""
        return [
            web.get(PAGE, self.file),
            web.get("/control/page/{file}", self.file),
            web.get("/control/overview", self.overview),
            web.get("/control/latest/{name}/{partition}", self.latest),
            web.get("/control/text/{name}/{index}", self.text),
        ]

    async def file(self, request: web.Request) -> web.Response:
        """Answer with the page, or one of its files."""
        name = request.match_info.get("file", _INDEX)
        if name not in _NAMES:
            raise ProblemError(404, "there is no such file")
        path = _FILES / name
        text = path.read_text(encoding="utf-8")
        return web.Response(text=text, content_type=_TYPES[path.suffix], headers=_HEADERS)

    async def overview(self, _request: web.Request) -> web.Response:
        """Answer with the address, event types and counts, the latest requests, the faults."""
        nakadi = self._nakadi
        latest = list(islice(reversed(nakadi.requests.entries), REQUESTS_SHOWN))
        return json_answer(
            {
                "address": nakadi.address,
                "event_types": [_type_facts(known) for known in nakadi.event_types.all()],
                "requests": [_request_facts(entry) for entry in latest],
                "faults": [fault.facts() for fault in nakadi.faults.all],
            }
        )

    async def latest(self, request: web.Request) -> web.Response:
        """Answer with the last events of a partition, newest first; long texts are cut."""
        event_type = self._nakadi.event_types.find(request.match_info["name"])
        events = event_type.log.partitions.get(request.match_info["partition"])
        if events is None:
            raise ProblemError(404, "partition not found")
        wanted = number(request.query.get("limit"), EVENTS_SHOWN)
        shown = islice(reversed(events), max(1, min(wanted, EVENTS_SHOWN_MAX)))
        return json_answer([_cut(event) for event in shown])

    async def text(self, request: web.Request) -> web.Response:
        """Answer with one event exactly as it was sent, as plain text."""
        event_type = self._nakadi.event_types.find(request.match_info["name"])
        index = number(request.match_info["index"], 0)
        if not 0 <= index < len(event_type.log.arrivals):
            raise ProblemError(404, "event not found")
        body = event_type.log.arrivals[index].text.encode(errors="replace")
        return web.Response(body=body, content_type="text/plain", charset="utf-8", headers=_HEADERS)


def _type_facts(event_type: EventType) -> dict[str, object]:
    partitions = event_type.log.partitions
    return {
        "name": event_type.name,
        "events": len(event_type.log.arrivals),
        "partitions": {name: len(events) for name, events in partitions.items()},
    }


def _request_facts(entry: PublishRequest) -> dict[str, object]:
    facts = entry.facts()
    ended = entry.ended
    took = None if ended is None else round((ended - entry.started) * 1000, 1)
    shown = ("number", "event_type", "flow_id", "events", "bytes", "status", "fault")
    return {**{name: facts[name] for name in shown}, "milliseconds": took}


def _cut(event: StoredEvent) -> dict[str, object]:
    text = event.text
    return {
        **event.facts(),
        "event": text[:TEXT_MAX_CHARACTERS],
        "characters": len(text),
        "cut": len(text) > TEXT_MAX_CHARACTERS,
    }
