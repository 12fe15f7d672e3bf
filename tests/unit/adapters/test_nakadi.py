"""Nakadi's answers, and everything that may stand or fail between it and us."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from consumer.adapters import nakadi as nakadi_module
from consumer.adapters.clock import SystemClock
from consumer.adapters.nakadi import Nakadi, json_array
from consumer.adapters.token import FileToken, LiteralToken, NoToken
from consumer.core.publishing.answer import PublishingStatus
from consumer.errors import Retryable
from tests.wire import Say, Wire, http

OK = Say(http(b"", "200 OK", "X-Flow-Id: echo"))
ITEMS = [
    {"eid": "", "publishing_status": "submitted", "step": "publishing", "partition": "0"},
    {"eid": "", "publishing_status": "failed", "step": "publishing", "detail": "down"},
]


def nakadi(url: str, **settings: Any) -> Nakadi:
    usual: dict[str, Any] = {"concurrency": 2, "timeout": 5.0, "token": NoToken()}
    usual["clock"] = SystemClock()
    return Nakadi(url, "order store/payment", **usual | settings)


@pytest.fixture
async def port(line: Wire) -> AsyncIterator[Nakadi]:
    async with nakadi(line.url) as publisher:
        yield publisher


async def test_a_request_as_nakadi_wants_it(line: Wire) -> None:
    line.say(OK)
    async with nakadi(line.url + "/", token=LiteralToken(" secret\n")) as port:
        answer = await port.publish([b'{"a":1}', b'{"b":2}'])
    assert (answer.status, answer.items, answer.reason) == (200, None, "http_200")
    assert answer.flow_id == "echo"
    (request,) = line.requests
    assert request.head == "POST /event-types/order%20store%2Fpayment/events HTTP/1.1"
    assert json.loads(request.body) == [{"a": 1}, {"b": 2}]
    headers = request.headers
    assert headers["content-type"] == "application/json"
    assert headers["accept"] == "application/json"
    assert headers["content-length"] == str(len(request.body))
    assert "transfer-encoding" not in headers
    assert headers["authorization"] == "Bearer secret"
    assert headers["user-agent"].startswith("dynamodb-nakadi-consumer/")


@pytest.mark.parametrize("events", [[b"1"], [b"1", b"2"], [b"1", b"2", b"3"]], ids=len)
def test_events_are_an_array(events: list[bytes]) -> None:
    assert json_array(events) == b"[%b]" % b",".join(events)


async def test_a_request_in_gzip(line: Wire) -> None:
    line.say(OK)
    async with nakadi(line.url, gzip=True) as port:
        await port.publish([b'{"a":1}'] * 100)
    (request,) = line.requests
    assert request.headers["content-encoding"] == "gzip"
    assert request.headers["content-length"] == str(len(request.body))
    assert json.loads(gzip.decompress(request.body)) == [{"a": 1}] * 100


async def test_partitions_are_named_or_not_ours_to_see(line: Wire, port: Nakadi) -> None:
    line.say(Say(http(b'[{"partition":"1"},{"partition":"0"}]')), Say(http(b"", "403 Forbidden")))
    assert await port.partitions() == ("1", "0")
    assert await port.partitions() == ()
    heads = [request.head for request in line.requests]
    assert heads == ["GET /event-types/order%20store%2Fpayment/partitions HTTP/1.1"] * 2


async def test_each_request_has_a_flow_id_of_its_own(line: Wire, port: Nakadi) -> None:
    line.say(Say(http(b"")))
    flow_ids = {(await port.publish([b"{}"])).flow_id for _ in range(3)}
    assert flow_ids == {request.headers["x-flow-id"] for request in line.requests}
    assert len(flow_ids) == 3


async def test_connections_are_kept(line: Wire, port: Nakadi) -> None:
    line.say(OK)
    for _ in range(3):
        await port.publish([b"{}"])
    assert line.connections == 1


async def test_items_of_a_partial_success(line: Wire, port: Nakadi) -> None:
    line.say(Say(http(json.dumps(ITEMS).encode(), "207 Multi-Status")))
    answer = await port.publish([b"{}", b"{}"])
    assert answer.status == 207
    assert answer.items is not None
    assert [item and item.status for item in answer.items] == [
        PublishingStatus.SUBMITTED,
        PublishingStatus.FAILED,
    ]


async def test_a_redirect_is_not_followed(line: Wire, port: Nakadi) -> None:
    line.say(Say(http(b"", "307 Elsewhere", "Location: /elsewhere")))
    assert (await port.publish([b"{}"])).status == 307
    assert len(line.requests) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Say(b"", "close"), "reset"),
        (Say(b"", "reset"), "reset"),
        (Say(b"HTTP/1.1 200 OK\r\nContent-Le", "close"), "reset"),
        (Say(b"what?\r\n\r\n", "close"), "malformed_answer"),
        (Say(http(b"[{}", "207 Multi-Status", length=900), "close"), "truncated"),
        (Say(http(b'[{"publishing_status":"sub', "207 Multi-Status")), "unreadable"),
        (Say(http(b'[{"publishing_status":"sub', "422 Sorry")), "unreadable"),
        (Say(http(b"<html>log in</html>", "200 OK")), "unexpected_body"),
    ],
)
async def test_what_is_no_answer(line: Wire, port: Nakadi, answer: Say, reason: str) -> None:
    line.say(answer)
    found = await port.publish([b"{}"])
    assert (found.status, found.items, found.reason) == (0, None, reason)
    assert len(line.requests) == 1


@pytest.mark.parametrize("status", [413, 429, 502, 504, 500, 503])
async def test_html_of_a_proxy(line: Wire, port: Nakadi, status: int) -> None:
    line.say(Say(http(b"<html>no</html>", f"{status} No", "Retry-After: 7")))
    answer = await port.publish([b"{}"])
    assert (answer.status, answer.items, answer.retry_after) == (status, None, 7.0)
    assert answer.reason == f"http_{status}"
    assert answer.detail.startswith("15 bytes of ")


async def test_an_answer_too_long_to_be_one(
    line: Wire, port: Nakadi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nakadi_module, "MAX_ANSWER_BYTES", 100)
    for status, known in (("200 OK", 0), ("207 Some", 0), ("422 No", 0), ("502 Bad Gateway", 502)):
        line.say(Say(http(b" " * 101, status)))
        answer = await port.publish([b"{}"])
        assert (answer.status, answer.items, answer.by_nakadi) == (known, None, known == 0)
        assert answer.detail.endswith("longer than 100 bytes")


async def test_a_silent_server_is_a_timeout(line: Wire) -> None:
    line.say(Say(b"", "hang"))
    async with nakadi(line.url, timeout=0.1) as port:
        answer = await port.publish([b"{}"])
    assert (answer.status, answer.reason) == (0, "timeout")


async def test_an_answer_that_stops_half_way_is_a_timeout(line: Wire) -> None:
    line.say(Say(http(b"[", "207 Multi-Status", length=50), "hang"))
    async with nakadi(line.url, timeout=0.1) as port:
        answer = await port.publish([b"{}"])
    assert (answer.status, answer.reason) == (0, "timeout")


async def test_an_answer_may_take_longer_than_sending(
    line: Wire, port: Nakadi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nakadi_module, "SEND_SECONDS", 0.2)
    line.delay = 0.5
    line.say(OK)
    assert (await port.publish([b"{}"])).status == 200


async def test_a_request_that_cannot_be_written_does_not_leave_later(
    line: Wire, port: Nakadi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nakadi_module, "SEND_SECONDS", 0.2)
    line.read_body = False
    async with asyncio.timeout(3):  # less than a whole request may take
        answer = await port.publish([b" " * 30_000_000])
    assert (answer.status, answer.reason) == (0, "send_timeout")


@pytest.mark.parametrize("cancelled", [False, True])
async def test_the_rest_of_a_request_that_is_given_up_is_never_written(
    monkeypatch: pytest.MonkeyPatch, *, cancelled: bool
) -> None:
    """The other end reads on afterwards: it would take the request for a whole one."""
    monkeypatch.setattr(nakadi_module, "SEND_SECONDS", 30.0 if cancelled else 0.2)
    reached, given_up = asyncio.Event(), asyncio.Event()
    length = 30_000_000
    received: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        await given_up.wait()
        count = 0
        with suppress(ConnectionError):
            while found := await reader.read(1 << 20):
                count += len(found)
        received.set_result(count)
        writer.close()

    server = await asyncio.start_server(late, "127.0.0.1", 0)
    async with server, nakadi(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as port:
        request = asyncio.create_task(port.publish([b" " * length]))
        await reached.wait()
        if cancelled:
            request.cancel()
        await asyncio.wait([request])
        given_up.set()
        async with asyncio.timeout(10):
            assert await received < length


async def test_a_process_that_stood_still_before_it_wrote_the_body_does_not_write_it(
    line: Wire,
) -> None:
    """As after SIGSTOP or a suspended machine: the fence may have passed since its test."""
    line.say(OK)
    clock = Jumping()
    async with nakadi(line.url, clock=clock) as port:
        clock.jumps = True
        answer = await port.publish([b"{}"])
        assert (answer.status, answer.reason) == (0, "connect_timeout")
        clock.jumps = False
        assert (await port.publish([b"{}"])).status == 200
    assert len(line.requests) == 1


class Jumping(SystemClock):
    """A clock that has gone on by a minute whenever it is asked again."""

    jumps = False
    shift = 0.0

    def now(self) -> float:
        self.shift += 60.0 * self.jumps
        return super().now() + self.shift


async def test_waiting_for_a_connection_counts_as_sending(
    line: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nakadi_module, "SEND_SECONDS", 0.2)
    line.say(Say(b"", "hang"))
    async with nakadi(line.url, concurrency=1, timeout=1.0) as port, asyncio.TaskGroup() as tasks:
        first = tasks.create_task(port.publish([b"{}"]))
        await line.asked.wait()
        second = await port.publish([b"{}"])
    assert second.reason == "connect_timeout"  # not one byte of it was sent
    assert first.result().reason == "timeout"
    assert len(line.requests) == 1


async def test_a_connection_that_is_never_complete_has_carried_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A TLS handshake without an answer, as of a load balancer that stalls."""
    monkeypatch.setattr(nakadi_module, "SEND_SECONDS", 0.2)
    over = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    number = server.sockets[0].getsockname()[1]
    async with server, nakadi(f"https://127.0.0.1:{number}") as port:
        answer = await port.publish([b"{}"])
        over.set()
    assert (answer.status, answer.reason) == (0, "connect_timeout")


async def test_nobody_listens() -> None:
    async with nakadi("http://127.0.0.1:9") as port:
        answer = await port.publish([b"{}"])
    assert (answer.status, answer.reason) == (0, "connect")


async def test_a_host_without_an_address() -> None:
    async with nakadi("http://no-such-host.invalid") as port:
        answer = await port.publish([b"{}"])
    assert (answer.status, answer.reason) == (0, "dns")


async def test_a_401_makes_the_token_be_read_again(line: Wire, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")
    line.say(Say(http(b"{}", "401 No")), OK)
    async with nakadi(line.url, token=FileToken(file)) as port:
        assert (await port.publish([b"{}"])).status == 401
        file.write_text("new")
        assert (await port.publish([b"{}"])).status == 200
    sent = [request.headers["authorization"] for request in line.requests]
    assert sent == ["Bearer old", "Bearer new"]


async def test_a_look_at_the_event_type(line: Wire, port: Nakadi) -> None:
    line.say(Say(http(b'{"name":"x"}')), Say(b"", "close"))
    status, body, flow_id = await port.event_type()
    assert (status, body) == (200, b'{"name":"x"}')
    assert line.requests[0].head == "GET /event-types/order%20store%2Fpayment HTTP/1.1"
    assert line.requests[0].headers["x-flow-id"] == flow_id
    with pytest.raises(Retryable):
        await port.event_type()


@pytest.mark.parametrize(
    ("url", "token", "warned"),
    [
        ("http://nakadi.example", LiteralToken("secret"), True),
        ("https://nakadi.example", LiteralToken("secret"), False),
        ("http://127.0.0.1:8080", LiteralToken("secret"), False),
        ("http://[::1]:8080", LiteralToken("secret"), False),
        ("http://localhost", LiteralToken("secret"), False),
        ("http://nakadi.example", NoToken(), False),
    ],
)
async def test_a_token_over_plain_http_is_a_warning(
    url: str, token: LiteralToken | NoToken, warned: bool
) -> None:
    with capture_logs() as logs:
        async with nakadi(url, token=token):
            pass
    assert [log["event"] for log in logs] == (["token_over_plain_http"] if warned else [])
    assert "secret" not in repr(logs)
