"""The HTTP application of the local Nakadi."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from localdev.nakadi.control.control_route import ControlRoutes
from localdev.nakadi.control.page_route import PAGE, PageRoutes
from localdev.nakadi.event_types.event_type_route import EventTypeRoutes
from localdev.nakadi.event_types.schema_route import SchemaRoutes
from localdev.nakadi.http.answers import json_answer, problem_answer
from localdev.nakadi.http.flow_id import HEADER, flow_id
from localdev.nakadi.http.front import (
    container_error,
    refuse_coding,
    refuse_early,
    refuse_multipart,
    wrong_method,
)
from localdev.nakadi.http.negotiation import unreadable_accept
from localdev.nakadi.http.problem import ProblemError
from localdev.nakadi.http.tokens import UnauthorizedError
from localdev.nakadi.publishing.publish_route import publish
from localdev.nakadi.reading.read_route import ReadRoutes
from localdev.nakadi.reading.subscription_route import SubscriptionRoutes

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

    from localdev.nakadi.local_nakadi import LocalNakadi

# The real server took 100 MB at the door.
BODY_MAX_BYTES = 128 * 1024 * 1024
_HEALTH = "/health"
_CONTROL = "/control/"
# The real server's framework takes any path with one slash at its end, too.
_SLASH = "{slash:/?}"


def make_app(nakadi: LocalNakadi) -> web.Application:
    """Return the application on one memory."""
    app = web.Application(client_max_size=BODY_MAX_BYTES, middlewares=[_middleware(nakadi)])
    app.on_response_prepare.append(_name_flow)

    async def events(request: web.Request) -> web.StreamResponse:
        return await publish(nakadi, request, deletion=False)

    async def deleted_events(request: web.Request) -> web.StreamResponse:
        return await publish(nakadi, request, deletion=True)

    imitated = [
        web.get(_HEALTH, _health),
        web.post("/event-types/{name}/events", events),
        web.post("/event-types/{name}/deleted-events", deleted_events),
        *EventTypeRoutes(nakadi).routes(),
        *SchemaRoutes(nakadi).routes(),
        *ReadRoutes(nakadi).routes(),
        *SubscriptionRoutes(nakadi).routes(),
    ]
    app.add_routes(
        web.route(route.method, route.path + _SLASH, route.handler) for route in imitated
    )
    app.add_routes([*ControlRoutes(nakadi).routes(), *PageRoutes(nakadi).routes()])
    return app


async def _health(_request: web.Request) -> web.Response:
    return web.Response(text="OK", charset="iso-8859-1")


def _middleware(nakadi: LocalNakadi) -> Middleware:
    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Give every request a flow id, and turn every refusal into an answer."""
        try:
            if request.path == PAGE or request.path.startswith(_CONTROL):
                return await _control(request, handler)
            request[HEADER] = flow_id(request.headers.get(HEADER))
            return refuse_early(request) or await _guarded(nakadi, request, handler)
        except ConnectionResetError:  # the client closed the connection: there is nobody to answer
            return web.Response()

    return answer


async def _name_flow(request: web.Request, response: web.StreamResponse) -> None:
    """Put the flow id on every answer of the real server's, streams too."""
    if HEADER in request:
        response.headers[HEADER] = request[HEADER]


async def _control(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer what needs no token and knows no faults: the control endpoint and its page."""
    try:
        return await handler(request)
    except ProblemError as problem:
        return problem_answer(problem)
    except ValueError as error:
        return json_answer({"error": str(error)}, 400)


async def _guarded(
    nakadi: LocalNakadi, request: web.Request, handler: Handler
) -> web.StreamResponse:
    try:
        if request.method != "GET" or not f"{request.path}/".startswith(f"{_HEALTH}/"):
            nakadi.tokens.check(request.headers.get("Authorization"))
        response = await refuse_coding(request)
        if response is not None:
            return response
        refuse_multipart(request)
        return await handler(request)
    except ProblemError as problem:
        return _crash() if unreadable_accept(request) else problem_answer(problem)
    except UnauthorizedError as refusal:
        return json_answer(
            refusal.body, refusal.status, headers={"WWW-Authenticate": refusal.challenge}
        )
    except web.HTTPMethodNotAllowed as error:
        return wrong_method(request, error.allowed_methods)
    except web.HTTPNotFound:
        return container_error(404, "Not Found", request.path)


def _crash() -> web.Response:
    """Return what the real server answers when it cannot even word its refusal."""
    response = web.Response(status=500)
    response.force_close()
    return response
