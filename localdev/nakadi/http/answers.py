"""HTTP answers in Nakadi's form."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import web

from localdev.nakadi.http.problem import PROBLEM_JSON, ProblemError

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
