"""Probes, metrics and status, over a real socket; and `consumer health`, which asks them."""

from __future__ import annotations

import asyncio
import base64
import errno
import hashlib
import re
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
import pytest

from consumer import cli
from consumer.adapters.serving.http_server import serve_http
from consumer.core.publishing.flow import FlowState
from consumer.core.reports.status import (
    EventTypeStatus,
    LeaseStatus,
    QueueStatus,
    ShardStatus,
    StatusView,
    StreamStatus,
)
from consumer.errors import Misconfigured
from consumer.observability.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable

LOCAL = "127.0.0.1"
VIEW = StatusView(
    worker="host-1",
    application="orders",
    version="0.1.0",
    draining=False,
    stream=StreamStatus("arn:…", "NEW_AND_OLD_IMAGES"),
    shards=(ShardStatus("shardId-1", "reading", "400", 0.25, 3, "orders/1", None, 7.5),),
    queue=QueueStatus(3, 4000, 268_435_456),
    event_types=(EventTypeStatus("order-store.payment", FlowState.BACKING_OFF, "http_503"),),
    leases=(LeaseStatus("orders/1", "shardId-1", "s-0", "held", "host-1", "400", None),),
)


@dataclass
class Source:
    alive: tuple[bool, str] = (True, "ok")
    admitted: tuple[bool, str] = (True, "ok")
    view: StatusView = VIEW
    metrics: Metrics = field(default_factory=Metrics)

    def live(self) -> tuple[bool, str]:
        return self.alive

    def ready(self) -> tuple[bool, str]:
        return self.admitted

    def status(self) -> StatusView:
        return self.view

    def scrape(self) -> bytes:
        return self.metrics.scrape()


async def get(port: int, path: str, host: str = LOCAL) -> tuple[int, str, str]:
    async with aiohttp.ClientSession() as session:  # noqa: SIM117 - the session ends last
        async with session.get(f"http://{host}:{port}{path}") as answer:
            return answer.status, answer.headers["Content-Type"], await answer.text()


async def test_probes_say_what_the_service_says() -> None:
    source = Source()
    async with serve_http(LOCAL, 0, source) as port:
        assert (await get(port, "/livez"))[::2] == (200, "ok\n")
        source.admitted = (False, "lease table not reached yet")
        assert (await get(port, "/readyz"))[::2] == (503, "lease table not reached yet\n")
        source.alive = (False, "coordinator stands still")
        assert (await get(port, "/livez"))[::2] == (503, "coordinator stands still\n")
        source.admitted = (True, "ok")
        assert (await get(port, "/readyz"))[::2] == (200, "ok\n")
        assert (await get(port, "/healthz"))[0] == 404


async def test_metrics_are_prometheus_text() -> None:
    source = Source()
    source.metrics.records_read.inc(7)
    async with serve_http(LOCAL, 0, source) as port:
        status, kind, text = await get(port, "/metrics")
    assert (status, kind.partition(";")[0]) == (200, "text/plain")
    assert "version=" in kind
    assert "consumer_records_read_total 7.0" in text


async def test_status_is_the_public_json() -> None:
    async with serve_http(LOCAL, 0, Source()) as port:
        status, kind, text = await get(port, "/status")
    assert (status, kind.partition(";")[0]) == (200, "application/json")
    assert text == (
        '{"worker":"host-1","application":"orders","version":"0.1.0","draining":false,'
        '"stream":{"arn":"arn:…","view_type":"NEW_AND_OLD_IMAGES"},'
        '"shards":[{"shard_id":"shardId-1","state":"reading","checkpoint":"400",'
        '"age_seconds":0.25,"pending_events":3,"stream":"orders/1","waits_for":null,'
        '"records_per_second":7.5,"reason":null,"since":null,"behind":[]}],'
        '"queue":{"events":3,"bytes":4000,"limit_bytes":268435456},'
        '"event_types":[{"name":"order-store.payment","state":"backing_off",'
        '"reason":"http_503","since":null,"detail":null,"flow_id":null,"action":null,'
        '"route":null,"records_taken":0,"waiting_events":0,"oldest_event_seconds":null,'
        '"unseen_paths":[]}],'
        '"live":"ok","ready":"ok",'
        '"leases":[{"stream":"orders/1","shard_id":"shardId-1","parent_shard_id":"s-0",'
        '"state":"held","owner":"host-1","checkpoint":"400","age_seconds":null,'
        '"paused":false,"reason":null,"since":null}],"clock_ahead_seconds":null,'
        '"age_seconds":null,"condition":null,"workers":[]}'
    )


async def test_the_page_may_run_its_own_script_and_nothing_else() -> None:
    async with serve_http(LOCAL, 0, Source()) as port, aiohttp.ClientSession() as session:
        answer = await session.get(f"http://{LOCAL}:{port}/")
        text = await answer.text()
    assert (answer.status, answer.content_type) == (200, "text/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", text)
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(", text)


async def test_without_a_host_it_answers_on_both_families() -> None:
    async with serve_http(None, 0, Source()) as port:
        assert (await get(port, "/livez"))[0] == 200
        if socket.has_dualstack_ipv6():
            assert (await get(port, "/livez", "[::1]"))[0] == 200


async def test_where_ipv6_is_switched_off_it_answers_on_ipv4(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create = socket.create_server

    def without_ipv6(
        address: tuple[str, int], *, family: int = socket.AF_INET, **options: bool | int
    ) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        return create((LOCAL, address[1]), family=family, backlog=int(options["backlog"]))

    monkeypatch.setattr(socket, "create_server", without_ipv6)
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: True)
    async with serve_http(None, 0, Source()) as port:
        assert (await get(port, "/livez"))[0] == 200
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    async with serve_http(None, 0, Source()) as port:
        assert (await get(port, "/livez"))[0] == 200


@pytest.mark.parametrize("host", [LOCAL, None])
async def test_an_address_that_is_taken_is_one_line(host: str | None) -> None:
    async with serve_http(host, 0, Source()) as port:
        with pytest.raises(Misconfigured, match=rf"CONSUMER_HTTP_PORT: .*{port}.*in use"):
            async with serve_http(host, port, Source()):
                pytest.fail("two servers on one port")


async def test_a_host_that_is_not_ours_is_one_line() -> None:
    for host in ("192.0.2.1", "2001:db8::1", "no-such-host.invalid"):
        with pytest.raises(Misconfigured, match="CONSUMER_HTTP_HOST"):
            async with serve_http(host, 0, Source()):
                pytest.fail(f"{host} is documentation")


async def test_a_source_that_fails_harms_only_its_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = Source()

    def broken() -> bytes:
        raise ValueError

    monkeypatch.setattr(source, "scrape", broken)
    async with serve_http(LOCAL, 0, source) as port:
        assert (await get(port, "/metrics"))[0] == 500
        assert (await get(port, "/livez"))[0] == 200


async def test_after_the_block_nobody_answers() -> None:
    async with aiohttp.ClientSession() as session:
        async with serve_http(LOCAL, 0, Source()) as port:
            answer = await session.get(f"http://{LOCAL}:{port}/livez")
            answer.release()  # a kept-alive connection does not keep the server
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(f"http://{LOCAL}:{port}/livez")


async def health(**environ: str) -> int:
    return await asyncio.to_thread(cli.execute, ["health"], environ)


async def test_health_asks_the_local_probe(capsys: pytest.CaptureFixture[str]) -> None:
    source = Source()
    async with serve_http(LOCAL, 0, source) as port:
        environ = {"CONSUMER_HTTP_PORT": str(port), "CONSUMER_POLL_SECONDS": "not its business"}
        for host in ("", "0.0.0.0", "::", LOCAL):  # noqa: S104 - where `run` listens everywhere
            assert await health(**environ, CONSUMER_HTTP_HOST=host) == 0
        assert capsys.readouterr().err == ""
        source.alive = (False, "coordinator stands still")
        assert await health(**environ) == 1
        assert "503: coordinator stands still" in capsys.readouterr().err
    assert await health(**environ) == 1
    assert "no answer" in capsys.readouterr().err


@pytest.mark.parametrize(
    "environ", [{"CONSUMER_HTTP_PORT": "x"}, {"CONSUMER_CONFIG_FILE": "/absent"}]
)
async def test_health_knows_only_0_and_1(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert await health(**environ) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH_9.9\r\n", b"\xff" * 10_000])
async def test_health_takes_no_other_server_for_the_service(
    said: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    async with await asyncio.start_server(answer, LOCAL, 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await health(CONSUMER_HTTP_PORT=str(port)) == 1
    assert "not HTTP" in capsys.readouterr().err


async def test_health_gives_up_on_a_service_that_hangs(
    monkeypatch: pytest.MonkeyPatch, free_listener: Callable[[], socket.socket]
) -> None:
    monkeypatch.setattr("consumer.commands.health.TIMEOUT_SECONDS", 0.05)
    assert await health(CONSUMER_HTTP_PORT=str(free_listener().getsockname()[1])) == 1


@pytest.fixture
def free_listener(request: pytest.FixtureRequest) -> Callable[[], socket.socket]:
    """A socket that accepts connections and never answers."""

    def listen() -> socket.socket:
        listener = socket.create_server((LOCAL, 0))
        request.addfinalizer(listener.close)
        return listener

    return listen
