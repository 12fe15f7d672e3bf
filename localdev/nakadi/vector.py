"""One recorded request with the answer of the real Nakadi, and how to send it byte by byte."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from localdev.nakadi.json_value import Json, JsonObject

_CALL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: str

    def json(self) -> Json:
        """Return the body as JSON, None if it is none."""
        try:
            value: Json = json.loads(self.body)
        except ValueError:
            return None
        return value

    def lines(self) -> list[Json]:
        """Return each line of the body as JSON."""
        return [json.loads(line) for line in self.body.splitlines() if line.strip()]


@dataclass(frozen=True, slots=True)
class Vector:
    """A case: the event type to create first, earlier requests, the request, the answer."""

    name: str
    kind: str
    event_type: JsonObject | None
    setup: Sequence[JsonObject]
    request: JsonObject
    expected: Answer
    volatile: frozenset[str]


def load_vectors(path: Path) -> list[Vector]:
    """Read a file of vectors."""
    return [_vector(case) for case in json.loads(path.read_text())]


def _vector(case: dict[str, object]) -> Vector:
    response = case["response"]
    assert isinstance(response, dict)  # noqa: S101 - the form of the file
    headers = {str(name).lower(): str(value) for name, value in response["headers"].items()}
    return Vector(
        name=str(case["name"]),
        kind=str(case["kind"]),
        event_type=case.get("event_type"),  # type: ignore[arg-type]
        setup=case.get("setup", ()),  # type: ignore[arg-type]
        request=case["request"],  # type: ignore[arg-type]
        expected=Answer(int(response["status"]), headers, str(response["body"])),
        volatile=frozenset(case["volatile"]),  # type: ignore[call-overload]
    )


def body_of(request: JsonObject) -> bytes:
    """Return the bytes of a recorded body: text, base64, or parts with repetitions."""
    if isinstance(encoded := request.get("body_base64"), str):
        return base64.b64decode(encoded)
    if isinstance(parts := request.get("body_parts"), list):
        return b"".join(_part(part) for part in parts if isinstance(part, dict))
    body = request.get("body")
    return body.encode() if isinstance(body, str) else b""


def _part(part: JsonObject) -> bytes:
    if "repeat" in part:
        times = part["times"]
        assert isinstance(times, int)  # noqa: S101 - the form of the file
        return str(part["repeat"]).encode() * times
    return str(part["text"]).encode()


def send(url: str, request: JsonObject) -> Answer:
    """Send a recorded request as it was, adding nothing but Host and Content-Length.

    Where no answer comes the status is 0 and the body says why.
    """
    connection = HTTPConnection(urlsplit(url).netloc, timeout=_CALL_SECONDS)
    try:
        connection.putrequest(
            str(request["method"]), str(request["path"]), skip_accept_encoding=True
        )
        headers = request.get("headers")
        for name, value in headers.items() if isinstance(headers, dict) else ():
            connection.putheader(name, str(value).encode("latin-1"))
        body = body_of(request)
        if body or request["method"] in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return Answer(
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            response.read().decode(errors="replace"),
        )
    except (OSError, HTTPException) as error:
        return Answer(0, {}, repr(error))
    finally:
        connection.close()
