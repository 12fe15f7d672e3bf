"""The status page in a real browser."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from consumer.adapters.serving.http_server import serve_http
from consumer.core.leases.lease_state import LeaseState
from consumer.core.publishing.flow import FlowState
from consumer.core.reports.status import (
    NOTHING_SENT,
    ConditionStatus,
    EventTypeStatus,
    LeaseStatus,
    QueueStatus,
    ShardStatus,
    StatusView,
    StreamStatus,
)
from consumer.core.reports.worker_status import WorkerStatus
from tests.integration.chromium import CHROMEDRIVER, CHROMIUM, Window, chromium
from tests.integration.cluster import Cluster, cluster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractContextManager
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or CHROMEDRIVER is None,
    reason="no chromium with chromedriver (Debian: apt-get install chromium chromium-driver)",
)

STREAM = "orders/2026-11-01T00:00:00.000"
NONE = "\N{EN DASH}"
ROWS = "[...document.querySelectorAll('#shards tr')].map(row => row.children[0].textContent)"


def shard_id(number: int) -> str:
    return f"shardId-{17000000000 + number:020d}-{number:08x}"


def lease(number: int, parent: int | None, state: LeaseState, **changes: Any) -> LeaseStatus:
    above = None if parent is None else shard_id(parent)
    owner = {LeaseState.HELD: "host-1", LeaseState.FOREIGN: "host-2"}.get(state)
    row = LeaseStatus(STREAM, shard_id(number), above, state.in_status, owner, "400", None)
    return replace(row, **changes)


VIEW = StatusView(
    worker="host-1",
    application="orders",
    version="0.1.0",
    draining=False,
    stream=StreamStatus(f"arn:aws:dynamodb:eu-central-1:1:table/{STREAM}", "NEW_AND_OLD_IMAGES"),
    shards=(
        ShardStatus(shard_id(2), "reading", "4" * 24, 0.25, 3, STREAM, None, 812.4),
        ShardStatus(shard_id(3), "suspended", "500", 4000.0, 9000, STREAM, "budget", 0.0),
    ),
    queue=QueueStatus(9003, 250_000_000, 268_435_456),
    event_types=(EventTypeStatus("order-store.payment", FlowState.BACKING_OFF, "http_503"),),
    leases=(
        lease(1, None, LeaseState.FINISHED, checkpoint="SHARD_END"),
        lease(2, 1, LeaseState.HELD),
        lease(3, 1, LeaseState.HELD),
        lease(4, 3, LeaseState.WAITING, checkpoint="TRIM_HORIZON"),
        lease(5, None, LeaseState.FOREIGN, paused=True),
        lease(6, None, LeaseState.FREE, age_seconds=50_000.0),
    ),
)


@dataclass
class Source:
    view: StatusView = VIEW
    broken: bool = False

    def live(self) -> tuple[bool, str]:
        return True, "ok"

    def ready(self) -> tuple[bool, str]:
        return True, "ok"

    def status(self) -> StatusView:
        if self.broken:
            raise RuntimeError
        return self.view

    def scrape(self) -> bytes:
        return b""


@pytest.fixture
async def window(tmp_path: Path) -> AsyncIterator[Window]:
    async with chromium(tmp_path) as opened:
        yield opened


async def test_it_shows_what_status_says(window: Window) -> None:
    async with serve_http("127.0.0.1", 0, Source()) as port:
        await window.open(f"http://127.0.0.1:{port}/")
        await window.until("document.querySelectorAll('#shards tr').length", 5)
        assert await window.run(f"return {ROWS}") == [
            shard_id(2),
            shard_id(3),
            f"└ {shard_id(4)}",
            shard_id(5),
            shard_id(6),
        ]
        cells = (
            "[...document.querySelectorAll('#shards tr')]"
            ".map(row => [...row.children].slice(1, 6).map(cell => cell.textContent))"
        )
        assert await window.run(f"return {cells}") == [
            ["reading", "this worker", "0.3 s", "812", "3"],
            ["suspended: budget", "this worker", "66 min", "0", "9,000"],
            ["waits for its turn", NONE, NONE, "", ""],
            ["held by a peer: paused", "host-2", NONE, "", ""],
            ["free", NONE, "13.9 h", "", ""],
        ]
        assert await window.text("#age") == "13.9 h"
        assert await window.text("#fill") == "93 %"
        assert await window.text("#rate") == "812 /s"
        assert await window.text("#states") == (
            "2 here, 1 with peers, 1 without owner, 1 waiting, 1 finished"
        )
        assert "backing off" in await window.text(".event-type")
        assert "http_503" in await window.text(".event-type")
        assert await window.complaints() == []


async def test_finished_shards_search_and_order(window: Window) -> None:
    async with serve_http("127.0.0.1", 0, Source()) as port:
        await window.open(f"http://127.0.0.1:{port}/")
        await window.until("document.querySelectorAll('#shards tr').length", 5)
        await window.run("document.querySelector('#finished').click()")
        assert await window.run(f"return {ROWS}") == [
            shard_id(1),
            f"├ {shard_id(2)}",
            f"└ {shard_id(3)}",
            f"  └ {shard_id(4)}",
            shard_id(5),
            shard_id(6),
        ]
        order = "const order = document.querySelector('#order'); order.value = 'age';"
        await window.run(f"{order} order.dispatchEvent(new Event('input'))")
        assert (await window.run(f"return {ROWS}"))[:2] == [shard_id(6), shard_id(3)]
        find = "const find = document.querySelector('#find'); find.value = arguments[0];"
        await window.run(f"{find} find.dispatchEvent(new Event('input'))", "HOST-2")
        assert await window.run(f"return {ROWS}") == [shard_id(5)]
        await window.run(f"{find} find.dispatchEvent(new Event('input'))", "nobody has this")
        assert await window.run(f"return {ROWS}") == ["no shard matches"]


async def test_it_refreshes_says_when_nobody_answers_and_comes_back(window: Window) -> None:
    source = Source()
    async with serve_http("127.0.0.1", 0, source) as port:
        await window.open(f"http://127.0.0.1:{port}/")
        await window.until("document.querySelector('#live').textContent", "alive")
        assert await window.run("return document.querySelector('#alarm').hidden") is True
        source.view = replace(
            VIEW, draining=True, shards=(), leases=(), ready="draining", live="stands still"
        )
        await window.until("document.querySelector('#ready').textContent", "draining")
        assert await window.text("#live") == "not alive"
        assert await window.run(f"return {ROWS}") == ["no shards are known yet"]
        source.broken = True
        await window.until("document.querySelector('#alarm').hidden", False)
        assert "status 500" in await window.text("#alarm")
        source.broken, source.view = False, VIEW
        await window.until("document.querySelector('#alarm').hidden", True)
    await window.until("document.querySelector('#alarm').hidden", False)
    said = await window.text("#alarm")
    assert said.startswith("This worker does not answer (")
    assert "This page shows the state of" in said
    assert await window.run("return document.querySelectorAll('#shards tr').length") == 5


async def test_what_comes_from_outside_is_text(window: Window) -> None:
    evil = "<img src=x onerror='document.title=1'><script>document.title=2</script>"
    view = replace(
        VIEW,
        worker=evil,
        application=evil,
        ready=evil,
        shards=(ShardStatus(evil, evil, evil, 0.0, 0, evil, evil, 0.0),),
        event_types=(EventTypeStatus(evil, FlowState.STOPPED, evil),),
        leases=(lease(7, None, LeaseState.FOREIGN, owner=evil, shard_id=evil),),
    )
    async with serve_http("127.0.0.1", 0, Source(view)) as port:
        await window.open(f"http://127.0.0.1:{port}/")
        await window.until("document.querySelectorAll('#shards tr').length", 2)
        assert await window.text("#application") == evil
        assert await window.run("return document.title") == f"{evil} · consumer"
        assert await window.run("return document.querySelectorAll('img').length") == 0
        assert await window.run("return document.querySelectorAll('script').length") == 1
        assert await window.complaints() == []


async def test_eight_hundred_shards_fit_on_a_wide_and_a_narrow_screen(window: Window) -> None:
    leases = tuple(lease(n, n // 2 if n > 1 else None, LeaseState.FOREIGN) for n in range(1, 801))
    async with serve_http("127.0.0.1", 0, Source(replace(VIEW, shards=(), leases=leases))) as port:
        await window.open(f"http://127.0.0.1:{port}/")
        await window.until("document.querySelectorAll('#shards tr').length", 800)
        overflow = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert await window.run(f"return {overflow}") is False
        await window.size(420, 900)
        assert await window.run(f"return {overflow}") is False


async def test_a_worker_serves_it(window: Window, tmp_path: Path) -> None:
    def begin() -> tuple[AbstractContextManager[Cluster], str]:
        context = cluster(tmp_path, shards=4)
        made = context.__enter__()
        worker = made.start()
        made.until(lambda: len(worker.shards()) == 4, "all shards held")
        made.fill(200)
        return context, worker.url

    context, url = await asyncio.to_thread(begin)
    try:
        await window.open(f"{url}/")
        await window.until("document.querySelectorAll('#shards tr.here').length", 4)
        await window.until("document.querySelector('#live').textContent", "alive")
        assert await window.text("#states") == "4 here"
        assert await window.complaints() == []
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)


async def test_it_says_what_is_wrong_here_and_anywhere_since_when_and_what_to_do(
    window: Window,
) -> None:
    since = 1793525400.0
    reason = "server_error, 21\N{MULTIPLICATION SIGN}: InternalServerError: x"
    stopped = EventTypeStatus("a.b", FlowState.STOPPED, "http_404", since, "none", "f-1", "do it")
    view = replace(
        VIEW,
        shards=(
            ShardStatus(shard_id(2), "failing", "400", 4.0, 0, STREAM, None, 0.0, reason, since),
        ),
        event_types=(stopped, EventTypeStatus("c.d", NOTHING_SENT)),
        condition=ConditionStatus("stopped", "event type a.b: http_404", since, "look there"),
        workers=(
            WorkerStatus("host-2", "ok", None, None, "", 1.0),
            WorkerStatus("host-3", "silent", None, since, "none", 900.0),
        ),
    )
    async with serve_http("127.0.0.1", 0, Source(view)) as port:
        await window.open(f"http://127.0.0.1:{port}/")
        await window.until("document.querySelectorAll('.trouble').length", 2)
        troubles = await window.text("#troubles")
        assert "event type a.b: http_404" in troubles
        assert "look there" in troubles
        assert "host-3" in troubles
        assert "host-2" not in troubles
        tile = await window.text(".event-type")
        assert all(words in tile for words in ("stopped", "http_404", "flow id f-1", "do it"))
        tiles = await window.text("#tiles")
        assert "nothing sent yet" in tiles
        state = "document.querySelector('#shards tr').children[1].textContent"
        told = await window.run(f"return {state}")
        assert told.startswith("failing: server_error, 21")
        assert reason in told
        assert await window.complaints() == []


async def test_it_says_what_each_event_type_took_and_which_one_holds_a_shard(
    window: Window,
) -> None:
    names = ("order-store.order", "order-store.payment", "order-store.customer")
    taken = EventTypeStatus(names[0], FlowState.PUBLISHING, records_taken=12_345)
    behind = EventTypeStatus(
        *(names[1], FlowState.STOPPED, "http_403"),
        route="public payments",
        records_taken=1,
        waiting_events=77,
        oldest_event_seconds=300.0,
    )
    nothing = EventTypeStatus(names[2], NOTHING_SENT, unseen_paths=("knid", "customer.iban"))
    held = ShardStatus(shard_id(2), "reading", "400", 300.0, 77, STREAM, behind=(names[1],))
    view = replace(
        VIEW,
        shards=(held,),
        event_types=(taken, behind, nothing),
    )
    async with serve_http("127.0.0.1", 0, Source(view)) as port:
        await window.open(f"http://127.0.0.1:{port}/")
        await window.until("document.querySelectorAll('.event-type').length", 3)
        figures = "[...document.querySelectorAll('.event-type .figures')].map(p => p.textContent)"
        assert await window.run(f"return {figures}") == [
            "12,345 records taken since the start · 0 waiting",
            "1 record taken since the start · 77 waiting, the oldest 5 min old",
            "no record taken since the start · 0 waiting",
        ]
        assert "no record had knid, customer.iban" in await window.text("#tiles")
        assert "public payments → order-store.payment" in await window.text("#tiles")
        state = "document.querySelector('#shards tr').children[1].textContent"
        assert "held back by order-store.payment" in await window.run(f"return {state}")
        assert await window.complaints() == []
