"""The page of the local Nakadi in a real browser."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING
from urllib.error import HTTPError

import pytest

from localdev.nakadi.process import NakadiProcess, local_nakadi
from tests.integration.chromium import CHROMEDRIVER, CHROMIUM, Window, chromium

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or CHROMEDRIVER is None,
    reason="no chromium with chromedriver (Debian: apt-get install chromium chromium-driver)",
)

NAME = "order-store.order"
SCRIPT = "<img src=x onerror='window.broken=1'><script>window.broken=1</script>"
PATCH = [
    {"op": "replace", "path": "/status", "value": "PAID"},
    {"op": "add", "path": "/lines/1", "value": {"sku": "B-7"}},
    {"op": "remove", "path": "/gone " + SCRIPT.replace("/", "~1")},
    {"op": "replace", "path": "/a~1b", "value": 1},
]


def definition(name: str) -> dict[str, object]:
    return {
        "name": name,
        "owning_application": "order-store",
        "category": "data",
        "enrichment_strategies": ["metadata_enrichment"],
        "partition_strategy": "hash",
        "partition_key_fields": ["order_id"],
        "schema": {"type": "json_schema", "schema": "{}"},
        "default_statistic": {
            "messages_per_minute": 1,
            "message_size": 1,
            "read_parallelism": 3,
            "write_parallelism": 3,
        },
    }


def event(number: int, **data: object) -> dict[str, object]:
    return {
        "metadata": {
            "eid": f"00000000-0000-4000-8000-{number:012d}",
            "occurred_at": "2026-11-21T07:00:00.000Z",
        },
        "data_type": NAME,
        "data_op": "U",
        "data": {"order_id": "order-1", **data},
    }


def publish(nakadi: NakadiProcess, *events: dict[str, object]) -> int:
    """Publish to partition 2 of 3, where `order-1` goes."""
    body = json.dumps(events).replace('"@amount"', "12345678901234567890.10")
    request = urllib.request.Request(
        f"{nakadi.url}/event-types/{NAME}/events",
        body.encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


@pytest.fixture
async def window(tmp_path: Path) -> AsyncIterator[Window]:
    async with chromium(tmp_path) as opened:
        yield opened


@pytest.fixture
def nakadi() -> Iterator[NakadiProcess]:
    with local_nakadi() as running:
        running.create_event_type(definition(NAME))
        yield running


def switch(label: str) -> str:
    return f"//button[@role='switch' and text()='{label}']"


async def test_a_patch_is_marked_in_its_event_and_nothing_in_it_runs(
    nakadi: NakadiProcess, window: Window
) -> None:
    data = {
        "status": "PAID",
        "amount": "@amount",
        "lines": [{"sku": SCRIPT}, {"sku": "B-7"}],
        "a/b": 1,
        SCRIPT: SCRIPT,
        "patch": PATCH,
    }
    assert publish(nakadi, event(1, **data)) == 200
    await window.open(nakadi.url)
    await window.shows(
        "document.querySelector('#types button')?.textContent.includes('order-store')"
    )
    await window.shows("document.querySelectorAll('#events details[open] .row').length > 10")
    marked = await window.run(
        "return [...document.querySelectorAll('pre .row:not([class=\"row \"])')]"
        ".map((row) => [row.className, row.textContent.trim()])"
    )
    assert marked == [
        ["row replace", '"status": "PAID",← replace'],
        ["row add", "{← add"],
        ["row add", '"sku": "B-7"'],
        ["row add", "}"],
        ["row replace", '"a/b": 1,← replace'],
    ]
    assert "12345678901234567890.10" in await window.run("return document.body.textContent")
    assert "remove" in await window.run("return document.querySelector('.patch').textContent")
    assert await window.run("return window.broken") is None
    assert await window.run("return document.images.length") == 0
    assert nakadi.url.removeprefix("http://") == await window.run(
        "return document.getElementById('address').textContent"
    )


async def test_a_click_breaks_nakadi_and_another_mends_it(
    nakadi: NakadiProcess, window: Window
) -> None:
    await window.open(nakadi.url)
    await window.shows("document.querySelector('#types button')")
    for label, status in (("503", 503), ("429", 429), ("401 token refused", 401)):
        await window.click(switch(label))
        await window.shows("document.querySelector('[role=switch][aria-checked=true]')")
        assert publish(nakadi, event(1)) == status
        await window.shows("document.querySelector('#faults li')?.textContent.includes('struck 1')")
        await window.click(switch(label))
        await window.shows("!document.querySelector('[role=switch][aria-checked=true]')")
        assert publish(nakadi, event(1)) == 200
    assert nakadi.faults() == []


async def test_a_field_is_rejected_and_a_fault_removed_from_the_list(
    nakadi: NakadiProcess, window: Window
) -> None:
    await window.open(nakadi.url)
    await window.shows("document.querySelector('#types button')")
    await window.click(switch("Reject the field (422)"))
    await window.shows("document.querySelector('#faults li')")
    assert publish(nakadi, event(1, status="PAID")) == 422
    assert publish(nakadi, event(1, status="NEW")) == 200
    await window.click("//ul[@id='faults']//button")
    await window.shows("!document.querySelector('#faults li')")
    assert publish(nakadi, event(1, status="PAID")) == 200


async def test_every_switch_is_a_fault_that_the_server_takes(
    nakadi: NakadiProcess, window: Window
) -> None:
    await window.open(nakadi.url)
    await window.shows("document.querySelector('[role=switch]')")
    count = await window.run("return document.querySelectorAll('[role=switch]').length")
    await window.run("document.querySelectorAll('[role=switch]').forEach((one) => one.click())")
    await window.shows(
        "document.querySelectorAll('[role=switch][aria-checked=true]').length === arguments[0]",
        count,
    )
    assert len({fault["note"] for fault in nakadi.faults()}) == count
    await window.click("//button[text()='Remove all faults']")
    await window.shows("!document.querySelector('[role=switch][aria-checked=true]')")


async def test_the_page_works_by_keyboard_and_keeps_the_focus_while_it_refreshes(
    nakadi: NakadiProcess, window: Window
) -> None:
    publish(nakadi, event(1), event(2))
    await window.open(nakadi.url)
    await window.shows("document.querySelectorAll('#events li').length === 2")
    await window.run("document.getElementById('filter').focus()")
    tab, space = "\ue004", " "
    await window.keys(tab, tab)  # past the event type to the first partition, which is empty
    await window.keys(space)
    await window.shows("document.getElementById('events-empty').checkVisibility()")
    publish(nakadi, event(3))
    await window.shows("document.querySelector('#types .count').textContent.startsWith('3 events')")
    assert "Partition 0" in await window.run("return document.activeElement.textContent")


async def test_hundreds_of_event_types_and_a_large_event_stay_within_bounds(
    nakadi: NakadiProcess, window: Window
) -> None:
    for number in range(300):
        nakadi.create_event_type(definition(f"team-{number}.stock"))
    many = {f"k{number}": SCRIPT for number in range(5000)}
    assert publish(nakadi, event(1, **many)) == 200
    await window.open(nakadi.url)
    await window.shows("document.querySelectorAll('#types li').length === 301")
    await window.shows("document.querySelector('#events pre')")
    assert (
        await window.run("return document.querySelector('#events pre').textContent.length") < 40_000
    )
    await window.click("//button[starts-with(text(), 'Show all')]")
    await window.shows("document.querySelector('#events pre').textContent.includes('not shown')")
    assert await window.run("return document.querySelectorAll('#events .row').length") <= 1500
    await window.run(
        "const filter = document.getElementById('filter'); filter.value = 'team-29';"
        "filter.dispatchEvent(new Event('input'))"
    )
    await window.shows("document.querySelectorAll('#types li').length === 11")
    assert await window.run("return document.documentElement.scrollWidth <= window.innerWidth")
    assert await window.run("return window.broken") is None
