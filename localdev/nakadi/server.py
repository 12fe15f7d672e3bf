"""The HTTP application of the local Nakadi."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from localdev.nakadi.answers import json_answer, problem_answer
from localdev.nakadi.control_route import ControlRoutes
from localdev.nakadi.event_type_route import EventTypeRoutes
from localdev.nakadi.flow_id import HEADER, flow_id
from localdev.nakadi.local_nakadi import LocalNakadi
from localdev.nakadi.problem import ProblemError
from localdev.nakadi.publish_route import publish
from localdev.nakadi.reading import ReadRoutes
from localdev.nakadi.tokens import UnauthorizedError

# The real server took 100 MB at the door.
BODY_MAX_BYTES = 128 * 1024 * 1024
_OPEN_PATHS = ("/health", "/control/")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(nakadi: LocalNakadi) -> web.Application:
    """Return the application on one memory."""
    app = web.Application(client_max_size=BODY_MAX_BYTES, middlewares=[_middleware(nakadi)])

    async def events(request: web.Request) -> web.Response:
        return await publish(nakadi, request, deletion=False)

    async def deleted_events(request: web.Request) -> web.Response:
        return await publish(nakadi, request, deletion=True)

    app.add_routes(
        [
            web.get("/health", _health),
            web.post("/event-types/{name}/events", events),
            web.post("/event-types/{name}/deleted-events", deleted_events),
            *EventTypeRoutes(nakadi).routes(),
            *ReadRoutes(nakadi).routes(),
            *ControlRoutes(nakadi).routes(),
        ]
    )
    return app


async def _health(_request: web.Request) -> web.Response:
    return web.Response(text="OK")


def _middleware(nakadi: LocalNakadi) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Give every request a flow id, check its token, and turn errors into answers."""
        request[HEADER] = flow_id(request.headers.get(HEADER))
        try:
            if not request.path.startswith(_OPEN_PATHS):
                nakadi.tokens.check(request.headers.get("Authorization"))
            response = await handler(request)
        except ProblemError as problem:
            response = problem_answer(problem)
        except UnauthorizedError as refusal:
            response = json_answer(
                refusal.body, refusal.status, headers={"WWW-Authenticate": refusal.challenge}
            )
        if not response.prepared:
            response.headers[HEADER] = request[HEADER]
        return response

    return answer
