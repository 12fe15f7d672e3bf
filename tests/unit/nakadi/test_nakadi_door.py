"""What is decided before a body is looked at: codings, tokens, headers."""

from __future__ import annotations

import gzip
import json
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from localdev.nakadi.http.tokens import TokenService, TokenState, UnauthorizedError
from localdev.nakadi.process import NakadiProcess, local_nakadi
from tests.unit.nakadi.event_types import schemaless

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server() -> Iterator[NakadiProcess]:
    with local_nakadi() as nakadi:
        yield nakadi


@pytest.fixture(scope="module")
def name(server: NakadiProcess) -> str:
    server.create_event_type(schemaless("plain"))
    return "plain"


def status_of(
    server: NakadiProcess, method: str, path: str, body: bytes | None = None, **headers: str
) -> int:
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} | headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_coding_is_looked_for_in_the_header_and_undone_once_on_any_post(
    server: NakadiProcess, name: str
) -> None:
    definition = {
        "name": f"{name}-packed",
        "owning_application": "tests",
        "category": "undefined",
        "schema": {"type": "json_schema", "schema": "{}"},
    }
    events = b'[{"a": 1}]'
    for path, body, coding, status in (
        ("/event-types", json.dumps(definition).encode(), "gzip", 201),
        (f"/event-types/{name}/events", events, "x-gzip", 200),
        (f"/event-types/{name}/events", events, "GZIP", 200),
        (f"/event-types/{name}/events", events, "identity, gzip", 200),
        (f"/event-types/{name}/events", gzip.compress(events), "gzip, gzip", 400),
        (f"/event-types/{name}/events", events, "X-GZIP", 400),
    ):
        headers = {"Content-Encoding": coding}
        assert status_of(server, "POST", path, gzip.compress(body), **headers) == status, coding


def test_a_token_is_looked_at_before_a_coding(server: NakadiProcess, name: str) -> None:
    for required, status in ((False, 406), (True, 401)):
        server.settings(token_required=required)
        headers = {"Content-Encoding": "gzip"}
        assert status_of(server, "GET", f"/event-types/{name}", None, **headers) == status
    server.settings(token_required=False)


def test_one_slash_at_the_end_of_a_path_changes_nothing(server: NakadiProcess, name: str) -> None:
    for method, path, status in (
        ("POST", f"/event-types/{name}/events/", 200),
        ("PUT", f"/event-types/{name}/events/", 405),
        ("GET", f"/event-types/{name}/", 200),
        ("GET", "/event-types/", 200),
        ("GET", "/version/", 200),
        ("GET", "/health/", 200),
        ("GET", f"/event-types/{name}//", 400),
        ("GET", "/nope/", 404),
    ):
        body = b"[]" if method == "POST" else None
        assert status_of(server, method, path, body) == status, path


def test_paths_and_methods_that_the_firewall_refuses(server: NakadiProcess, name: str) -> None:
    pieces = ("//", "/;", "/%2F", "/%5c", "/%25", "/%2e", "/%3B", "/%00", "/./x", "/../x", "/..")
    for piece in pieces:
        assert status_of(server, "GET", f"/event-types/{name}{piece}") == 400, piece
    for method, status in (("TRACE", 400), ("BREW", 400), ("PATCH", 405), ("GET", 200)):
        assert status_of(server, method, f"/event-types/{name}") == status, method


def test_a_charset_is_one_that_java_knows(server: NakadiProcess, name: str) -> None:
    for charset, status in (
        ("utf-8", 200),
        ("'UTF-8'", 200),
        ('"iso-8859-1"', 200),
        ("windows-1252", 200),
        ("hex", 415),
        ("undefined", 415),
        ("rot13", 415),
        ("utf-8-sig", 415),
        ("unicode_escape", 415),
    ):
        headers = {"Content-Type": f"application/json; charset={charset}"}
        found = status_of(server, "POST", f"/event-types/{name}/events", b"[]", **headers)
        assert found == status, charset


def test_avro_is_refused_after_what_comes_first_for_any_body(
    server: NakadiProcess, name: str
) -> None:
    avro = {"Content-Type": "application/avro-binary"}
    here, nowhere = f"/event-types/{name}", "/event-types/no-such"
    block = f"/settings/blacklist/PRODUCER_ET/{name}"
    assert status_of(server, "POST", f"{here}/events", b"x", **avro) == 400
    assert status_of(server, "POST", f"{here}/deleted-events", b"x", **avro) == 422
    assert status_of(server, "POST", f"{nowhere}/events", b"x", **avro) == 404
    tagged = avro | {"X-CONSUMER-TAG": "x"}
    assert status_of(server, "POST", f"{nowhere}/events", b"x", **tagged) == 422
    assert status_of(server, "PUT", block) == 204
    assert status_of(server, "POST", f"{here}/events", b"x", **avro) == 403
    assert status_of(server, "DELETE", block) == 204


def test_a_number_in_a_query_is_read_before_the_event_type(
    server: NakadiProcess, name: str
) -> None:
    for query, status in (
        ("batch_limit=x", 400),
        ("batch_limit=1_0", 400),
        ("batch_limit=2147483648", 400),
        ("batch_limit=", 404),
        ("batch_limit=+1", 404),
    ):
        path = f"/event-types/no-such/events?{query}".replace("+", "%2B")
        assert status_of(server, "GET", path) == status, query
    assert status_of(server, "GET", f"/event-types/{name}/events?batch_limit=0") == 422


def test_health_alone_needs_no_token(server: NakadiProcess) -> None:
    server.settings(token_required=True)
    try:
        for method, path, status in (
            ("GET", "/health", 200),
            ("GET", "/health/", 200),
            ("GET", "/health/x", 404),
            ("GET", "/healthy", 401),
            ("POST", "/health", 401),
        ):
            assert status_of(server, method, path) == status, path
    finally:
        server.settings(token_required=False)


def test_a_stream_names_its_flow(server: NakadiProcess, name: str) -> None:
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    try:
        path = f"/event-types/{name}/events?stream_timeout=1&batch_flush_timeout=1"
        connection.request("GET", path, headers={"X-Flow-Id": "f-1"})
        response = connection.getresponse()
        response.read()
    finally:
        connection.close()
    assert (response.status, response.headers["X-Flow-Id"]) == (200, "f-1")


@pytest.mark.parametrize(
    ("header", "down", "status"),
    [
        (None, False, 401),
        ("Basic one", False, 401),
        ("Bearer ", False, 401),
        ("Bearer one", False, None),
        ("bearer one", False, None),
        ("Bearer other", False, 401),
        ("Bearer old", False, 401),
        ("Bearer late", False, 503),
        ("Bearer one", True, 503),
        (None, True, 401),
    ],
)
def test_what_the_token_service_says_decides(
    header: str | None, down: bool, status: int | None
) -> None:
    states = {"one": TokenState.GOOD, "old": TokenState.EXPIRED, "late": TokenState.SLOW}
    service = TokenService(required=True, down=down, tokens=states)
    if status is None:
        service.check(header)
        return
    with pytest.raises(UnauthorizedError) as caught:
        service.check(header)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        ("consumer_subscription_id=0-0-0-0-1", 200),
        ("CONSUMER_SUBSCRIPTION_ID=00000000-0000-4000-8000-000000000001,", 200),
        ("CONSUMER_SUBSCRIPTION_ID=00000000000040008000000000000001", 422),
        ("CONSUMER_SUBSCRIPTION_ID=", 422),
        ("DEBUG_PUBLISHER_TOPIC_ID=x", 422),
    ],
)
def test_a_consumer_tag_is_read_as_java_reads_it(
    server: NakadiProcess, name: str, tag: str, status: int
) -> None:
    body = json.dumps([{"a": 1}]).encode()
    path = f"/event-types/{name}/events"
    assert status_of(server, "POST", path, body, **{"X-CONSUMER-TAG": tag}) == status
