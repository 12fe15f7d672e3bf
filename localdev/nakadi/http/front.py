"""Checks that the server's container and framework make before Nakadi sees a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from localdev.nakadi.http.answers import json_answer
from localdev.nakadi.http.gzip_stream import GzipCutError, GzipFormatError, header_end
from localdev.nakadi.http.negotiation import media_type
from localdev.nakadi.http.problem import PROBLEM_JSON, ProblemError
from localdev.nakadi.http.request_body import coding_of
from localdev.nakadi.timestamp import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable

HEADERS_MAX_BYTES = 8192
# Room for the container's own limit to be reached before that of our HTTP parser.
HEADER_FIELD_MAX_BYTES = 4 * HEADERS_MAX_BYTES
# What the framework's firewall refuses, by its default rules, before any path is looked up.
_REFUSED_IN_PATHS = ("//", ";", "\\", "%00", "%25", "%2e", "%2f", "%3b", "%5c")
_METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
_ORDER = ("GET", "POST", "PUT", "DELETE")
_ORDER_OF_OPTIONS = ("POST", "GET", "HEAD", "PUT", "DELETE", "OPTIONS")


def refuse_early(request: web.Request) -> web.Response | None:
    """Return the answer of the container to a request it does not pass on."""
    if sum(len(name) + len(value) + 4 for name, value in request.raw_headers) > HEADERS_MAX_BYTES:
        return _too_large()
    path = request.raw_path.partition("?")[0]
    steps = path.split("/")
    odd = any(piece in path.lower() for piece in _REFUSED_IN_PATHS) or {".", ".."} & {*steps}
    if odd or request.method not in _METHODS:
        return container_error(400, "Bad Request", path)
    return None


async def refuse_coding(request: web.Request) -> web.Response | None:
    """Return the 406 for a coded body of anything but a POST, or the answer to a bad gzip header.

    The header is read on every path, before anybody asks what the body is for; one that is cut
    short is more than the server is prepared for.
    """
    if "Content-Encoding" not in request.headers:
        return None
    if request.method != "POST":
        method = request.method
        problem = ProblemError(406, f"{method} method doesn't support gzip content encoding")
        return json_answer(problem.body(), 406)
    if coding_of(request) == "gzip":
        try:
            header_end(await request.read())
        except GzipFormatError as error:
            return json_answer(ProblemError(400, str(error)).body(), 400)
        except GzipCutError:
            return container_error(500, "Internal Server Error", request.path)
    return None


def refuse_multipart(request: web.Request) -> None:
    """Raise the 400 for parts, which the framework reads before it chooses a handler."""
    kind = media_type(request)
    if not kind.startswith("multipart/"):
        return
    reason = "java.io.IOException: Missing initial multi part boundary"
    if kind != "multipart/form-data":
        reason = (
            f"javax.servlet.ServletException: Unsupported Content-Type [{kind}], "
            "expected [multipart/form-data]"
        )
    raise ProblemError(
        400, f"Failed to parse multipart servlet request; nested exception is {reason}"
    )


def _too_large() -> web.Response:
    response = web.Response(
        status=431,
        text="<h1>Bad Message 431</h1><pre>reason: Request Header Fields Too Large</pre>",
        content_type="text/html",
        charset="iso-8859-1",
    )
    response.force_close()
    return response


def container_error(status: int, error: str, path: str) -> web.Response:
    """Return the container's own error page, which is JSON but no problem document."""
    return json_answer(
        {"timestamp": timestamp(), "status": status, "error": error, "path": path}, status
    )


def wrong_method(request: web.Request, allowed: Iterable[str]) -> web.Response:
    """Return the 405 of the framework, or the answer to OPTIONS."""
    methods = set(allowed) - {"HEAD"}
    if request.method == "OPTIONS":
        known = methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
        listed = ",".join(name for name in _ORDER_OF_OPTIONS if name in known)
        return web.Response(headers={"Allow": listed})
    problem = ProblemError(405, f"Request method '{request.method}' not supported")
    listed = ",".join(name for name in _ORDER if name in methods)
    return json_answer(problem.body(), 405, PROBLEM_JSON, {"Allow": listed})
