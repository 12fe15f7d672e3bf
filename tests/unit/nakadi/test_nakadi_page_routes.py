"""What the page asks the local Nakadi for; `tests/integration/test_nakadi_page.py` looks at it."""

from __future__ import annotations

import json
import socket
import struct
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest

from localdev.nakadi.process import NakadiProcess, local_nakadi
from tests.unit.nakadi.event_types import schemaless

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server() -> Iterator[NakadiProcess]:
    with local_nakadi() as nakadi:
        nakadi.create_event_type(schemaless("orders"))
        yield nakadi


def post(server: NakadiProcess, body: str) -> None:
    request = urllib.request.Request(
        f"{server.url}/event-types/orders/events",
        body.encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request).close()


def test_what_the_page_asks_for_is_bounded(server: NakadiProcess) -> None:
    for size in (1,) * 150 + (50_000,):
        post(server, json.dumps([{"id": "a", "big": "ä" * size}]))
    total = 0
    for partition in (one["partition"] for one in get(server, "/event-types/orders/partitions")):
        shown = get(server, f"/control/latest/orders/{partition}?limit=1000000")
        assert [one["offset"] for one in shown] == sorted(
            (one["offset"] for one in shown), reverse=True
        )
        assert len(shown) <= 100
        total += len(shown)
        large = [one for one in shown if one["cut"]]
        assert all(len(one["event"]) == 32_768 < one["characters"] for one in large)
    assert total >= 100
    overview = get(server, "/control/overview")
    assert overview["address"] == urlsplit(server.url).netloc
    assert len(overview["requests"]) <= 12
    assert {one["name"]: one["events"] for one in overview["event_types"]}["orders"] == 151


def get(server: NakadiProcess, path: str) -> Any:
    with urllib.request.urlopen(server.url + path) as answer:
        return json.load(answer)


def test_the_page_lets_a_browser_run_nothing_but_its_own_files(server: NakadiProcess) -> None:
    for path in ("/", "/control/page/page.js", "/control/page/page.css"):
        with urllib.request.urlopen(server.url + path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'; script-src 'self'" in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for path in ("server.py", "..%2fserver.py", "%2e%2e/server.py", ""):
        with pytest.raises(HTTPError, match="404"):
            urllib.request.urlopen(f"{server.url}/control/page/{path}")


def test_a_client_that_leaves_in_the_middle_of_a_body_is_no_error(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with local_nakadi() as nakadi:
        for path in ("/event-types/x/events", "/event-types", "/control/faults"):
            address = urlsplit(nakadi.url)
            with socket.create_connection((address.hostname, address.port)) as connection:
                head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n"
                more = "Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n"
                connection.sendall((head + more).encode())
                assert connection.recv(100).startswith(b"HTTP/1.1 100")  # the handler reads
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        assert nakadi.requests() == []
    assert capfd.readouterr().err == ""
