"""A service that is stopped before it has opened everything."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from consumer.observability.metrics import Metrics
from consumer.service import Service
from consumer.settings.loading import load_settings
from tests.unit.adapters.aws_environment import point_at
from tests.wire import Say, wire

if TYPE_CHECKING:
    import pytest


def service() -> Service:
    environ = {
        "CONSUMER_TABLE": "orders",
        "CONSUMER_NAKADI_URL": "http://127.0.0.1:1",
        "CONSUMER_EVENT_TYPE": "order-store.order",
        "CONSUMER_HTTP_HOST": "127.0.0.1",
        "CONSUMER_HTTP_PORT": "0",
    }
    return Service(load_settings(environ), Metrics())


async def test_stopped_while_its_server_opens_it_asks_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with wire() as aws:
        aws.say(Say(then="hang"))
        point_at(monkeypatch, aws.url)
        stopped = service()
        stopped.stop()
        await stopped.run()
    assert aws.connections == 0


async def test_stopped_twice_while_it_waits_for_aws_it_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with wire() as aws, asyncio.TaskGroup() as tasks:
        aws.say(Say(then="hang"))
        point_at(monkeypatch, aws.url)
        stopped = service()
        running = tasks.create_task(stopped.run())
        await aws.asked.wait()
        stopped.stop()
        while not running.cancelling():
            await asyncio.sleep(0)
        stopped.stop()
        await running
    assert len(aws.requests) == 1
