"""`/subscriptions`: create, read, delete, stream events, commit cursors."""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING

from aiohttp import web

from localdev.nakadi.answers import json_answer
from localdev.nakadi.body_reader import number, read_object
from localdev.nakadi.negotiation import demand_json
from localdev.nakadi.problem import ProblemError
from localdev.nakadi.reading import STREAM, stream_options
from localdev.nakadi.request_body import plain_body
from localdev.nakadi.subscription import place_of
from localdev.nakadi.subscription_stream import Limits, SubscriptionStream

if TYPE_CHECKING:
    from localdev.nakadi.local_nakadi import LocalNakadi
    from localdev.nakadi.subscription import Subscription

STREAM_ID = "X-Nakadi-StreamId"
_UNCOMMITTED = 10
_COMMIT_SECONDS = 60


class SubscriptionRoutes:
    """Handlers for subscriptions of one local Nakadi."""

    def __init__(self, nakadi: LocalNakadi) -> None:
        self._nakadi = nakadi

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        one = "/subscriptions/{id}"
        return [
            web.get("/subscriptions", self.list),
            web.post("/subscriptions", self.create),
            web.get(one, self.read),
            web.delete(one, self.delete),
            web.get(one + "/events", self.events),
            web.get(one + "/cursors", self.cursors),
            web.post(one + "/cursors", self.commit),
        ]

    async def list(self, _request: web.Request) -> web.Response:
        """All subscriptions, newest first."""
        known = [one.definition for one in self._nakadi.subscriptions.all.values()]
        return json_answer({"items": known[::-1], "_links": {}})

    async def create(self, request: web.Request) -> web.Response:
        """Create a subscription (201), or return the one that is there already (200)."""
        demand_json(request)
        nakadi = self._nakadi
        found, new = nakadi.subscriptions.create(nakadi.event_types, await plain_body(request))
        path = f"/subscriptions/{found.id}"
        headers = {"Location": path} | ({"Content-Location": path} if new else {})
        return json_answer(found.definition, 201 if new else 200, headers=headers)

    async def read(self, request: web.Request) -> web.Response:
        """One subscription."""
        return json_answer(self._find(request).definition)

    async def delete(self, request: web.Request) -> web.Response:
        """Remove a subscription; its stream ends."""
        found = self._find(request)
        found.stream = None
        del self._nakadi.subscriptions.all[found.id]
        return web.Response(status=204)

    async def cursors(self, request: web.Request) -> web.Response:
        """What was committed."""
        return json_answer({"items": self._find(request).cursors()})

    async def commit(self, request: web.Request) -> web.Response:
        """Commit cursors: 204 when all moved forward, 200 with results when one did not."""
        demand_json(request)
        stream = request.headers.get(STREAM_ID)
        if stream is None:
            raise ProblemError(
                400,
                f"Required request header '{STREAM_ID}' for method parameter type String "
                "is not present",
            )
        items = read_object(await plain_body(request)).get("items")
        given = items if isinstance(items, list) else []
        cursors = [cursor for cursor in given if isinstance(cursor, dict)]
        places = [place_of(self._nakadi.event_types, cursor) for cursor in cursors]
        if not places:
            raise ProblemError(422, "Cursors are empty")
        found = self._find(request)
        _check_stream(found, stream)
        moved = found.commit(places)
        results = [
            {"cursor": cursor, "result": "committed" if ahead else "outdated"}
            for cursor, ahead in zip(cursors, moved, strict=True)
        ]
        return web.Response(status=204) if all(moved) else json_answer({"items": results})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Stream events behind the committed cursors; one stream at a time."""
        found = self._find(request)
        options = stream_options(request)
        limits = Limits(
            number(request.query.get("max_uncommitted_events"), _UNCOMMITTED),
            number(request.query.get("commit_timeout"), 0) or _COMMIT_SECONDS,
        )
        if options.batch_limit < 1:
            raise ProblemError(422, "batch_limit can't be lower than 1")
        limits.check()
        if found.stream is not None:
            raise ProblemError(
                409,
                f"No free slots for streaming available for subscription {found.id}. "
                f"Total slots: {len(found.committed)}",
            )
        stream_id = found.stream = str(uuid.uuid4())
        try:
            response = web.StreamResponse(headers={"Content-Type": STREAM, STREAM_ID: stream_id})
            await response.prepare(request)
            stream = SubscriptionStream(self._nakadi.event_types, found, options, limits)
            with contextlib.suppress(ConnectionError):  # the reader has gone
                await stream.run(request, response)
        finally:
            if found.stream == stream_id:
                found.stream = None
        return response

    def _find(self, request: web.Request) -> Subscription:
        return self._nakadi.subscriptions.find(request.match_info["id"])


def _check_stream(found: Subscription, stream: str) -> None:
    try:
        uuid.UUID(stream)
    except ValueError:
        raise ProblemError(
            422, f"Stream id has to be valid UUID, but `{stream} was provided"
        ) from None
    if found.stream != stream:
        raise ProblemError(422, f"Session with stream id {stream} not found")
