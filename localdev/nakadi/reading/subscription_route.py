"""`/subscriptions`: create and list them. No events are read by them here."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from aiohttp import web

from localdev.nakadi.http.answers import json_answer
from localdev.nakadi.http.body_reader import number, read_object, text, texts
from localdev.nakadi.http.negotiation import demand_json
from localdev.nakadi.http.problem import ProblemError
from localdev.nakadi.http.request_body import plain_body
from localdev.nakadi.local_subscription import LocalSubscription

if TYPE_CHECKING:
    from localdev.nakadi.local_nakadi import LocalNakadi

_PAGE = 20
_PAGE_MAX = 1000


class SubscriptionRoutes:
    """Handlers for the subscriptions of one local Nakadi."""

    def __init__(self, nakadi: LocalNakadi) -> None:
        self._nakadi = nakadi

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.get("/subscriptions", self.list), web.post("/subscriptions", self.create)]

    async def create(self, request: web.Request) -> web.Response:
        """Create a subscription, or answer with the one that there is."""
        demand_json(request)
        given = read_object(await plain_body(request))
        owner, names = text(given, "owning_application"), sorted(texts(given, "event_types"))
        if not owner or not names:
            raise ProblemError(422, "owning_application and event_types must not be null")
        for name in names:
            if self._nakadi.event_types.get(name) is None:
                raise ProblemError(
                    422, f"Failed to create subscription, event type(s) not found: '{name}'"
                )
        group = text(given, "consumer_group") or "default"
        made = LocalSubscription(str(uuid.uuid4()), owner, (*names,), group)
        for known in self._nakadi.subscriptions:
            if made == replace(known, id=made.id):
                return json_answer(known.facts())
        self._nakadi.subscriptions.append(made)
        return json_answer(made.facts(), 201)

    async def list(self, request: web.Request) -> web.Response:
        """Answer with a page of those of some event types, or of an owner."""
        wanted = set(request.query.getall("event_type", []))
        owner = request.query.get("owning_application")
        limit = number(request.query.get("limit"), _PAGE)
        offset = number(request.query.get("offset"), 0)
        if not 0 < limit <= _PAGE_MAX:
            raise ProblemError(400, "'limit' parameter should have value between 1 and 1000")
        found = [
            each
            for each in self._nakadi.subscriptions
            if owner in (None, each.owner) and wanted <= {*each.event_types}
        ]
        page = [each.facts() for each in found[offset : offset + limit]]
        return json_answer({"items": page, "_links": {}})
