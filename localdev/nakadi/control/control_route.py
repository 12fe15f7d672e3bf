"""`/control/...`: the log, the requests, the faults and the settings of the local Nakadi."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from localdev.nakadi.control.faults import fault_from
from localdev.nakadi.http.answers import json_answer
from localdev.nakadi.http.tokens import TokenState

if TYPE_CHECKING:
    from localdev.nakadi.local_nakadi import LocalNakadi

NDJSON = "application/x-ndjson"


class ControlRoutes:
    """Handlers that read and change one local Nakadi."""

    def __init__(self, nakadi: LocalNakadi) -> None:
        self._nakadi = nakadi

    def routes(self) -> list[web.RouteDef]:
        """Return all routes under /control."""
        return [
            web.get("/control/log/{name}", self.log),
            web.get("/control/requests", self.requests),
            web.get("/control/faults", self.faults),
            web.post("/control/faults", self.add_faults),
            web.delete("/control/faults", self.remove_faults),
            web.delete("/control/faults/{number}", self.remove_faults),
            web.post("/control/settings", self.settings),
        ]

    async def log(self, request: web.Request) -> web.Response:
        """Answer with the stored events in order, from index `since`; `fields` chooses members."""
        event_type = self._nakadi.event_types.find(request.match_info["name"])
        chosen = request.query.get("fields")
        names = chosen.split(",") if chosen else None
        since = int(request.query.get("since", "0"))
        lines: list[bytes] = []
        for event in event_type.log.arrivals[since:]:
            facts = event.facts()
            if names is not None:
                facts = {name: facts[name] for name in names if name in facts}
            lines.append(_line(facts))
        return web.Response(body=b"".join(lines), content_type=NDJSON)

    async def requests(self, request: web.Request) -> web.Response:
        """Answer with the latest publishing requests, oldest first, from number `since`."""
        since = int(request.query.get("since", "0"))
        lines = [
            _line(entry.facts()) for entry in self._nakadi.requests.entries if entry.number >= since
        ]
        return web.Response(body=b"".join(lines), content_type=NDJSON)

    async def faults(self, _request: web.Request) -> web.Response:
        """Answer with all faults and their counts."""
        return json_answer([fault.facts() for fault in self._nakadi.faults.all])

    async def add_faults(self, request: web.Request) -> web.Response:
        """Add one fault or a list of them; answer with their numbers."""
        given = await request.json()
        added = [fault_from(one) for one in (given if isinstance(given, list) else [given])]
        for fault in added:
            self._nakadi.faults.add(fault)
        return json_answer([fault.number for fault in added], 201)

    async def remove_faults(self, request: web.Request) -> web.Response:
        """Remove one fault by its number, or all."""
        number = request.match_info.get("number")
        faults = self._nakadi.faults
        faults.all = [] if number is None else [f for f in faults.all if f.number != int(number)]
        return web.Response(status=204)

    async def settings(self, request: web.Request) -> web.Response:
        """Change `partitions_max`, `storage_wait`, `token_required`, `token_down`, `tokens`."""
        given: dict[str, object] = await request.json()
        nakadi = self._nakadi
        for name, value in given.items():
            match name, value:
                case "partitions_max", int():
                    nakadi.event_types.partitions_max = value
                case "storage_wait", int() | float():
                    nakadi.storage_wait = value
                case "token_required", bool():
                    nakadi.tokens.required = value
                case "token_down", bool():
                    nakadi.tokens.down = value
                case "tokens", dict():
                    nakadi.tokens.tokens = {
                        str(token): TokenState(state) for token, state in value.items()
                    }
                case _:
                    return json_answer({"error": f"cannot set {name} to {value!r}"}, 400)
        return web.Response(status=204)


def _line(value: dict[str, object] | dict[str, str | int | bool]) -> bytes:
    try:
        return orjson.dumps(value) + b"\n"
    except TypeError:  # a lone surrogate has no UTF-8 form
        return json.dumps(value).encode() + b"\n"
