"""Answers and broken connections of faults."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from localdev.nakadi.control.faults import FaultKind
from localdev.nakadi.http.answers import json_answer
from localdev.nakadi.http.problem import PROBLEM_JSON, ProblemError, title_of

if TYPE_CHECKING:
    from localdev.nakadi.control.faults import Fault

# Set on a request whose connection was closed without a whole answer.
CLOSED = "closed"


def faulty_answer(request: web.Request, fault: Fault) -> web.Response:
    """Return the answer of a `status` fault, or reset the connection for any other."""
    if fault.kind is FaultKind.STATUS:
        return _instead(fault.status, fault.body, fault.retry_after)
    request[CLOSED] = True
    transport = request.transport
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()
    return web.Response()


def _instead(status: int, body: str, retry_after: float | None) -> web.Response:
    """Return an answer of Nakadi or of a proxy: a problem, HTML, nothing, any text."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    match body:
        case "problem":
            document = ProblemError(status, "injected by a fault").body()
            return json_answer(document, status, PROBLEM_JSON, headers)
        case "html":
            page = f"<html><head><title>{status} {title_of(status)}</title></head></html>"
            return web.Response(text=page, status=status, content_type="text/html", headers=headers)
        case _:
            text = "" if body == "empty" else body
            return web.Response(text=text, status=status, headers=headers)
