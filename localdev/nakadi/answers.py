"""HTTP answers in Nakadi's form."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import web

from localdev.nakadi.problem import PROBLEM_JSON, ProblemError, title_of

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = "application/json"


def json_bytes(value: object) -> bytes:
    """Return compact UTF-8; what has no UTF-8 form becomes a question mark."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.encode(errors="replace")


def json_answer(
    value: object,
    status: int = 200,
    content_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """Return a value as JSON."""
    return web.Response(
        body=json_bytes(value), status=status, content_type=content_type, headers=headers
    )


def problem_answer(problem: ProblemError) -> web.Response:
    """Return a problem document."""
    return json_answer(problem.body(), problem.status, PROBLEM_JSON)


def proxy_answer(status: int, body: str, retry_after: float | None) -> web.Response:
    """Return what stands in front of Nakadi might say: a problem, HTML, nothing, or any text."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    if body == "problem":
        document = ProblemError(status, "injected by a fault").body()
        return json_answer(document, status, PROBLEM_JSON, headers)
    if body == "html":
        text = f"<html><head><title>{status} {title_of(status)}</title></head></html>"
        return web.Response(text=text, status=status, content_type="text/html", headers=headers)
    return web.Response(text="" if body == "empty" else body, status=status, headers=headers)
