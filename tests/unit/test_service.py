"""A service that is stopped before it has opened everything."""

from __future__ import annotations

import asyncio

import pytest

from consumer.errors import Misconfigured, first_in
from consumer.observability.metrics import Metrics
from consumer.service import Service
from consumer.settings.loading import load_settings
from tests.patience import PATIENCE
from tests.unit.adapters.aws_environment import point_at
from tests.wire import Say, wire


def service(**more: str) -> Service:
    environ = {
        "CONSUMER_TABLE": "orders",
        "CONSUMER_NAKADI_URL": "http://127.0.0.1:1",
        "CONSUMER_EVENT_TYPE": "order-store.order",
        "CONSUMER_HTTP_HOST": "127.0.0.1",
        "CONSUMER_HTTP_PORT": "0",
        **more,
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


async def test_a_certificate_that_cannot_be_used_is_found_while_the_table_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with wire() as aws:
        aws.say(Say(then="hang"))
        point_at(monkeypatch, aws.url)
        begun = service(
            CONSUMER_NAKADI_CLIENT_CERT_FILE="/absent/crt",
            CONSUMER_NAKADI_CLIENT_KEY_FILE="/absent/key",
        )
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(ExceptionGroup) as ended:
                await begun.run()
    assert "/absent/crt" in str(first_in(ended.value, Misconfigured))
