"""The local Nakadi as a process: faults as a client meets them, and what its control tells."""

from __future__ import annotations

import gzip
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from itertools import count
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import pytest

from localdev.nakadi.process import NakadiProcess, RefusedError, local_nakadi
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[NakadiProcess]:
    with local_nakadi(options=("--storage-wait", "0")) as nakadi:
        yield nakadi


@pytest.fixture
def name(server: NakadiProcess) -> Iterator[str]:
    name = f"orders-{next(NUMBERS)}"
    schema = {"type": "object", "properties": {"sequence": {"type": "string"}}}
    server.create_event_type(
        {
            "name": name,
            "owning_application": "tests",
            "category": "data",
            "enrichment_strategies": ["metadata_enrichment"],
            "partition_strategy": "hash",
            "partition_key_fields": ["id"],
            "schema": {"type": "json_schema", "schema": json.dumps(schema)},
        }
    )
    yield name
    server.remove_faults()


def event(number: int, **data: object) -> dict[str, object]:
    return {
        "metadata": {
            "eid": f"00000000-0000-4000-8000-{number:012d}",
            "occurred_at": "2026-11-21T07:00:00.000Z",
        },
        "data_type": "order",
        "data_op": "C",
        "data": {"id": f"o-{number}", **data},
    }


def post(
    server: NakadiProcess,
    name: str,
    body: bytes,
    timeout: float = PATIENCE,
    coding: str = "identity",
) -> HTTPResponse:
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=timeout)
    try:
        connection.request(
            "POST",
            f"/event-types/{name}/events",
            body,
            {
                "Content-Type": "application/json",
                "Content-Encoding": coding,
                "X-Flow-Id": "flow-1",
            },
        )
        response = connection.getresponse()
        response.read()
        return response
    finally:
        connection.close()


def publish(server: NakadiProcess, name: str, *numbers: int) -> HTTPResponse:
    return post(server, name, json.dumps([event(number) for number in numbers]).encode())


def stored(server: NakadiProcess, name: str) -> list[int]:
    return [int(str(entry["eid"])[-12:]) for entry in server.log(name, "eid")]


def test_the_log_holds_the_text_as_it_was_sent(server: NakadiProcess, name: str) -> None:
    text = json.dumps(event(1, n="äé😀"), ensure_ascii=False).replace('"C"', ' "C" ')
    assert post(server, name, f"[{text} ]".encode()).status == 200
    (entry,) = server.log(name)
    assert entry["event"] == text
    assert entry["flow_id"] == "flow-1"
    assert server.log(name, "eid,offset", since=1) == []


@pytest.mark.parametrize(
    ("when", "expected"), [("before", []), ("after", [1])], ids=["before", "after"]
)
def test_a_500_and_a_reset_come_before_or_after_the_write(
    server: NakadiProcess, name: str, when: str, expected: list[int]
) -> None:
    server.add_fault(kind="status", status=500, when=when, count=1)
    assert publish(server, name, 1).status == 500
    assert stored(server, name) == expected
    server.add_fault(kind="reset", when=when, count=1)
    with pytest.raises((ConnectionError, HTTPException)):
        publish(server, name, 1)
    assert stored(server, name) == expected * 2
    assert server.requests()[-1]["status"] == 0


def test_a_proxy_answers_with_html_and_retry_after(server: NakadiProcess, name: str) -> None:
    server.add_fault(kind="status", status=429, retry_after=3, body="empty", count=1)
    server.add_fault(kind="status", status=502, body="html", count=1)
    throttled, html = publish(server, name, 1), publish(server, name, 1)
    assert (throttled.status, throttled.headers["Retry-After"]) == (429, "3")
    assert (html.status, html.headers.get_content_type()) == (502, "text/html")
    assert stored(server, name) == []


def test_a_write_lands_after_the_client_gave_up(server: NakadiProcess, name: str) -> None:
    server.add_fault(kind="delay", delay=2.0, count=1)
    body = json.dumps([event(1)]).encode()
    with pytest.raises(TimeoutError):
        post(server, name, body, timeout=0.1)
    assert stored(server, name) == []
    assert publish(server, name, 2).status == 200
    deadline = time.monotonic() + PATIENCE
    while stored(server, name) != [2, 1] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert stored(server, name) == [2, 1]


def test_a_body_is_cut(server: NakadiProcess, name: str) -> None:
    server.add_fault(kind="truncate", count=1)
    with pytest.raises(IncompleteRead):
        publish(server, name, 1, 2)
    assert stored(server, name) == [1, 2]


def test_poison_is_refused_by_its_value_or_takes_the_batch_with_it(
    server: NakadiProcess, name: str
) -> None:
    server.add_fault(kind="reject", field="id", value="o-2")
    server.add_fault(kind="reject", marker='"o-3"')
    assert publish(server, name, 1, 2).status == 422
    assert publish(server, name, 1, 3).status == 400
    assert publish(server, name, 1).status == 200
    assert stored(server, name) == [1]


@pytest.mark.parametrize(
    ("selection", "struck"),
    [
        ({"contains": "o-2"}, True),
        ({"contains": "o-3"}, False),
        ({"min_events": 3}, False),
        ({"min_bytes": 100_000}, False),
        ({"on": "event-type"}, False),
        ({"on": "any"}, True),
    ],
)
def test_a_reject_is_narrowed_like_any_fault(
    server: NakadiProcess, name: str, selection: dict[str, object], struck: bool
) -> None:
    server.add_fault(kind="reject", field="id", value="o-1", **selection)
    assert publish(server, name, 1, 2).status == (422 if struck else 200)
    server.remove_faults()
    server.add_fault(kind="reject", marker="order", **selection)
    assert publish(server, name, 1, 2).status == (400 if struck else 200)


def test_a_fault_finds_its_text_in_a_compressed_body(server: NakadiProcess, name: str) -> None:
    server.add_fault(kind="status", status=503, contains="o-1", count=1)
    body = gzip.compress(json.dumps([event(1)]).encode())
    assert post(server, name, body, coding="gzip").status == 503
    assert post(server, name, body, coding="gzip").status == 200


@pytest.mark.parametrize("status", [200, 204, 299, 304, 520, 599])
@pytest.mark.parametrize("body", ["problem", "html", "empty"])
def test_any_status_can_be_injected(
    server: NakadiProcess, name: str, status: int, body: str
) -> None:
    server.add_fault(kind="status", status=status, body=body, count=1)
    assert publish(server, name, 1).status == status


def test_requests_tell_what_was_in_flight_at_the_same_time(
    server: NakadiProcess, name: str
) -> None:
    server.add_fault(kind="delay", delay=1.0)
    first = len(server.requests())
    with ThreadPoolExecutor(2) as pool:
        assert [r.status for r in pool.map(lambda n: publish(server, name, n), (1, 2))] == [200] * 2
    one, other = cast("list[dict[str, Any]]", server.requests()[first:])
    assert {str(one["keys"]), str(other["keys"])} == {"['o-1']", "['o-2']"}
    assert other["started"] < one["ended"]
    assert one["ended"] - one["started"] >= 1.0


def test_the_order_of_checks(server: NakadiProcess, name: str) -> None:
    server.settings(token_required=True)
    assert post(server, "no-such", b"{").status == 401
    server.settings(token_required=False)
    assert post(server, "no-such", b"{").status == 400
    assert publish(server, "no-such", 1).status == 404
    assert post(server, name, b"[]").status == 200


def test_an_event_type_that_is_refused_says_why(server: NakadiProcess) -> None:
    with pytest.raises(RefusedError, match="must not be null"):
        server.create_event_type({})


def test_five_hundred_events_take_a_few_tens_of_milliseconds(
    server: NakadiProcess, name: str
) -> None:
    body = json.dumps([event(number, pad="x" * 800) for number in range(500)]).encode()
    times = []
    for _ in range(5):
        started = time.perf_counter()
        assert post(server, name, body).status == 200
        times.append(time.perf_counter() - started)
    assert min(times) < 1.0  # a tenth of that, ten times slower


def get(server: NakadiProcess, path: str) -> tuple[int, Any]:
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_an_event_type_can_be_hidden_from_a_preflight(server: NakadiProcess, name: str) -> None:
    server.add_fault(kind="status", on="event-type", status=403, count=1)
    assert get(server, f"/event-types/{name}")[0] == 403
    status, found = get(server, f"/event-types/{name}")
    assert (status, found["schema"]["version"]) == (200, "1.0.0")
    assert get(server, f"/event-types/{name}/schemas/latest")[1] == found["schema"]


def test_it_ends_with_its_block() -> None:
    with local_nakadi() as nakadi:
        assert nakadi.url.startswith("http://127.0.0.1:")
    with pytest.raises(ProcessLookupError):
        os.kill(nakadi.pid, 0)


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"kind": "nonsense"},
        {"kind": "status", "status": "503"},
        {"kind": "status", "status": 199},
        {"kind": "status", "status": 600},
        {"kind": "status", "count": 0},
        {"kind": "status", "when": "sometimes"},
        {"kind": "partial", "partitions": "3"},
        {"kind": "partial", "nth": 0},
        {"kind": "reject", "field": 1},
        {"kind": "status", "colour": "red"},
    ],
)
def test_a_fault_that_means_nothing_is_refused(
    server: NakadiProcess, fault: dict[str, object]
) -> None:
    with pytest.raises(RefusedError, match="400"):
        server.add_fault(**fault)
    assert server.faults() == []
