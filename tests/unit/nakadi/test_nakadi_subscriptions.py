"""Reading back by a subscription: create, stream, commit."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from localdev.nakadi.process import NakadiProcess, local_nakadi

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = {"Content-Type": "application/json"}
NUMBERS = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[NakadiProcess]:
    with local_nakadi() as nakadi:
        yield nakadi


@pytest.fixture
def name(server: NakadiProcess) -> str:
    name = f"orders-{next(NUMBERS)}"
    server.create_event_type(
        {
            "name": name,
            "owning_application": "tests",
            "category": "undefined",
            "partition_strategy": "hash",
            "partition_key_fields": ["id"],
            "schema": {"type": "json_schema", "schema": "{}"},
            "default_statistic": {
                "messages_per_minute": 1,
                "message_size": 1,
                "read_parallelism": 3,
                "write_parallelism": 3,
            },
        }
    )
    return name


def call(
    server: NakadiProcess, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, Any]:
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    try:
        payload = None if body is None else json.dumps(body)
        more = {key.replace("_", "-"): value for key, value in headers.items()}
        connection.request(method, path, payload, JSON | more)
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None
    finally:
        connection.close()


def publish(server: NakadiProcess, name: str, *numbers: int) -> None:
    """Publish events of one key: all go to partition 2."""
    events = [{"id": "order-1", "number": number} for number in numbers]
    assert call(server, "POST", f"/event-types/{name}/events", events) == (200, None)


def subscribe(server: NakadiProcess, name: str, **members: object) -> str:
    definition = {
        "owning_application": "tests",
        "event_types": [name],
        "read_from": "begin",
        **members,
    }
    status, body = call(server, "POST", "/subscriptions", definition)
    assert status == 201, body
    return str(body["id"])


@contextmanager
def streaming(server: NakadiProcess, number: str, query: str = "") -> Iterator[Any]:
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    try:
        connection.request("GET", f"/subscriptions/{number}/events?{query}")
        yield connection.getresponse()
    finally:
        connection.close()


def line(response: Any) -> Any:
    text = response.readline()
    return json.loads(text) if text else None


def numbers(batch: Any) -> list[int]:
    return [event["number"] for event in batch["events"]]


def test_events_come_from_the_committed_cursor_on(server: NakadiProcess, name: str) -> None:
    publish(server, name, 1, 2, 3)
    number = subscribe(server, name)
    with streaming(server, number, "batch_limit=2&batch_flush_timeout=1") as response:
        stream = response.getheader("X-Nakadi-StreamId")
        first = line(response)
        assert numbers(first) == [1, 2]
        assert first["info"] == {"debug": "Stream started"}
        cursor = first["cursor"]
        assert {name: cursor[name] for name in ("partition", "offset", "event_type")} == {
            "partition": "2",
            "offset": "001-0001-000000000000000001",
            "event_type": name,
        }
        assert cursor["cursor_token"]
        path = f"/subscriptions/{number}/cursors"
        body = {"items": [cursor]}
        assert call(server, "POST", path, body, X_Nakadi_StreamId=stream) == (204, None)
        again = call(server, "POST", path, body, X_Nakadi_StreamId=stream)
        assert again == (200, {"items": [{"cursor": cursor, "result": "outdated"}]})
        while "events" not in (second := line(response)):
            assert second["cursor"]["partition"] in "01"
        assert numbers(second) == [3]
    wait_until_closed(server, number, stream)
    with streaming(server, number, "stream_limit=1") as response:
        assert numbers(line(response)) == [3]


def wait_until_closed(server: NakadiProcess, number: str, stream: str) -> None:
    """Return when the server has noticed that a reader left."""
    path = f"/subscriptions/{number}/cursors"
    items = call(server, "GET", path)[1]["items"]
    while call(server, "POST", path, {"items": items}, X_Nakadi_StreamId=stream)[0] != 422:
        pass


def test_there_is_one_stream_at_a_time(server: NakadiProcess, name: str) -> None:
    number = subscribe(server, name)
    with streaming(server, number) as response:
        with streaming(server, number) as second:
            assert second.status == 409
            assert b"No free slots for streaming available" in second.read()
        stream = response.getheader("X-Nakadi-StreamId")
    wait_until_closed(server, number, stream)
    with streaming(server, number) as third:
        assert third.status == 200


def test_what_is_not_committed_holds_the_stream_back_and_then_ends_it(
    server: NakadiProcess, name: str
) -> None:
    publish(server, name, *range(5))
    number = subscribe(server, name)
    query = "max_uncommitted_events=2&commit_timeout=1"
    with streaming(server, number, query) as response:
        assert [numbers(line(response)), numbers(line(response))] == [[0], [1]]
        last = line(response)
        assert "events" not in last
        assert last["info"] == {"debug": "Commit timeout reached"}
        assert line(response) is None


def test_a_subscription_is_named_by_application_event_types_and_group(
    server: NakadiProcess, name: str
) -> None:
    number = subscribe(server, name)
    definition = {"owning_application": "tests", "event_types": [name], "read_from": "end"}
    status, body = call(server, "POST", "/subscriptions", definition)
    assert (status, body["id"], body["consumer_group"]) == (200, number, "default")
    assert body["read_from"] == "begin"
    assert subscribe(server, name, consumer_group="other") != number
    assert call(server, "GET", f"/subscriptions/{number}")[1] == body
    assert call(server, "DELETE", f"/event-types/{name}")[0] == 409
    assert call(server, "DELETE", f"/subscriptions/{number}")[0] == 204
    assert call(server, "GET", f"/subscriptions/{number}")[0] == 404


def test_reading_starts_at_the_end_or_at_cursors(server: NakadiProcess, name: str) -> None:
    publish(server, name, 1, 2)
    ended = subscribe(server, name, read_from="end")
    offsets = {
        one["partition"]: one["offset"]
        for one in call(server, "GET", f"/subscriptions/{ended}/cursors")[1]["items"]
    }
    assert offsets["2"].endswith("-000000000000000001")
    cursors = [
        {"event_type": name, "partition": partition, "offset": offset}
        for partition, offset in (("0", "BEGIN"), ("1", "BEGIN"), ("2", "001-0001-0"))
    ]
    number = subscribe(
        server, name, read_from="cursors", initial_cursors=cursors, consumer_group="b"
    )
    with streaming(server, number) as response:
        assert numbers(line(response)) == [2]


@pytest.mark.parametrize(
    ("members", "detail"),
    [
        ({"owning_application": None}, 'Field "owning_application" must not be null'),
        ({"event_types": []}, 'Field "event_types" must contain at least one element'),
        ({"event_types": ["nobody"]}, "event type(s) not found: 'nobody'"),
        ({"consumer_group": ""}, 'Field "consumer_group" must contain at least one character'),
        ({"read_from": "cursors"}, "initial_cursors should contain cursors for all partitions"),
    ],
)
def test_a_bad_subscription_is_refused(
    server: NakadiProcess, name: str, members: dict[str, object], detail: str
) -> None:
    definition = {"owning_application": "tests", "event_types": [name], **members}
    status, body = call(server, "POST", "/subscriptions", definition)
    assert status == 422
    assert detail in body["detail"]


def test_a_commit_needs_the_stream_it_belongs_to(server: NakadiProcess, name: str) -> None:
    publish(server, name, 1)
    number = subscribe(server, name)
    path = f"/subscriptions/{number}/cursors"
    items = call(server, "GET", path)[1]
    foreign = "00000000-0000-4000-8000-000000000000"
    for stream, body, status, detail in (
        (None, items, 400, "Required request header 'X-Nakadi-StreamId'"),
        ("x", items, 422, "Stream id has to be valid UUID"),
        (foreign, items, 422, f"Session with stream id {foreign} not found"),
        (foreign, {"items": []}, 422, "Cursors are empty"),
        (foreign, {"items": [{"event_type": "nobody"}]}, 422, "does not exist"),
    ):
        headers = {"X_Nakadi_StreamId": stream} if stream else {}
        found, problem = call(server, "POST", path, body, **headers)
        assert (found, detail in problem["detail"]) == (status, True), problem
    with streaming(server, number) as response:
        cursor = line(response)["cursor"] | {"partition": "99"}
        stream = response.getheader("X-Nakadi-StreamId")
        status, body = call(server, "POST", path, {"items": [cursor]}, X_Nakadi_StreamId=stream)
        assert (status, body["detail"]) == (422, "non existing partition 99")
    for query in ("batch_limit=0", "commit_timeout=61", "commit_timeout=-1"):
        with streaming(server, number, query) as response:
            assert response.status == 422
