"""Content types: what a request's body is, and in which form its sender can take an answer."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from localdev.nakadi.http.answers import JSON
from localdev.nakadi.http.problem import PROBLEM_JSON, ProblemError

if TYPE_CHECKING:
    from aiohttp import web

_PARAMETER = re.compile(r";\s*charset=\"?([^\s;\"]+)", re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"[^\s/;,]+/[^\s/;,]+")
_LATIN = "latin-1"
# Text encodings that Python alone knows.
_NO_CHARSETS = {
    "",
    "idna",
    "punycode",
    "raw-unicode-escape",
    "unicode-escape",
    "utf-7",
    "utf-8-sig",
}


def media_type(request: web.Request) -> str:
    """Return the request's content type without parameters in lower case, "" if it has none."""
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def is_json(kind: str) -> bool:
    """Return whether a content type is JSON by its name."""
    return kind == JSON or (kind.startswith("application/") and kind.endswith("+json"))


def charset(request: web.Request) -> str:
    """Return how a body is decoded: UTF-8 for JSON, what the type names, else Latin-1; or 415."""
    header = request.headers.get("Content-Type", "").strip()
    kind = media_type(request)
    if not header:
        return _LATIN
    if _MEDIA_TYPE.fullmatch(kind) is None:
        raise ProblemError(415, f"Invalid mime type \"{header}\": does not contain '/'")
    named = _PARAMETER.search(header)
    if named is None:
        return "utf-8" if is_json(kind) else _LATIN
    name = named.group(1).strip("'")
    try:
        found = codecs.lookup(name).name
        b"xx".decode(found, errors="replace")  # `hex` and the like are codecs and no charsets
    except (LookupError, ValueError):
        found = ""
    if found in _NO_CHARSETS:
        raise ProblemError(415, f"Invalid mime type \"{header}\": unsupported charset '{name}'")
    return found


def demand_json(request: web.Request) -> None:
    """Raise the 415 for a body that is not declared as JSON."""
    kind = media_type(request)
    if is_json(kind):
        return
    shown = f"{kind};charset=UTF-8" if kind else "application/octet-stream"
    raise ProblemError(415, f"Content type '{shown}' not supported")


def accepted(request: web.Request) -> list[str]:
    """Return the media ranges of the Accept header in lower case; none means all."""
    header = request.headers.get("Accept", "")
    return [part.partition(";")[0].strip().lower() for part in header.split(",") if part.strip()]


def unreadable_accept(request: web.Request) -> bool:
    """Return whether the Accept header is no list of media ranges. The server cannot handle one."""
    return any(_MEDIA_TYPE.fullmatch(part) is None for part in accepted(request))


def items_type(request: web.Request) -> str | None:
    """Return the type in which items can be sent, None for an unreadable header; or raise 406."""
    if unreadable_accept(request):
        return None
    ranges = accepted(request)
    if not ranges or any(part in ("*/*", "application/*", JSON) for part in ranges):
        return JSON
    json_like = [part for part in ranges if part == PROBLEM_JSON or part.endswith("+json")]
    if json_like:
        return json_like[0]
    raise ProblemError(406, "Could not find acceptable representation")
