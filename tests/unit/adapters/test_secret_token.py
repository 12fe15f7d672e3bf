"""A token in a secret: read when it is due and after a 401, kept through failures, never shown."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.secret_token import (
    PAUSE_SECONDS,
    PERIOD_SECONDS,
    RETRY_SECONDS,
    SecretToken,
)
from consumer.credentials import kept
from consumer.errors import Misconfigured, Retryable
from tests.unit.adapters.aws_environment import point_at
from tests.wire import Say, Wire, http

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:nakadi-token-AbCdEf"
TOKEN = "token-of-today"  # noqa: S105 - nobody's


def answered(text: object = TOKEN) -> Say:
    return Say(http(json.dumps({"ARN": ARN, "SecretString": text}).encode()))


def refused(name: str) -> Say:
    body = json.dumps({"__type": name, "Message": "why"}).encode()
    return Say(http(body, "400 Bad Request", "Content-Type: application/x-amz-json-1.1"))


class Watch:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time


@pytest.fixture
async def secrets(line: Wire, use_aws: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    point_at(use_aws, line.url)
    async with Aws() as aws:
        yield await aws.secrets("eu-west-1")


async def test_it_is_read_from_the_region_of_the_secret(line: Wire, secrets: object) -> None:
    token = SecretToken(secrets, ARN, Watch().now)
    assert token.header(0.0) is None
    line.say(answered(f" {TOKEN}\n"))
    await token.read()
    assert token.header(0.0) == f"Bearer {TOKEN}"
    (request,) = line.requests
    assert json.loads(request.body) == {"SecretId": ARN}
    assert request.headers["x-amz-target"] == "secretsmanager.GetSecretValue"
    assert "/eu-west-1/secretsmanager/" in request.headers["authorization"]
    assert TOKEN not in repr(token)


@pytest.mark.parametrize("text", ["", "two words", '{"token":"x"}', "a\nb"])
async def test_a_text_that_is_no_token_is_not_shown(line: Wire, secrets: object, text: str) -> None:
    line.say(answered(text))
    with pytest.raises(Misconfigured, match="CONSUMER_NAKADI_TOKEN_SECRET: found") as caught:
        await SecretToken(secrets, ARN, Watch().now).read()
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize("name", ["ResourceNotFoundException", "InvalidRequestException"])
async def test_a_secret_that_does_not_exist(line: Wire, secrets: object, name: str) -> None:
    line.say(refused(name))
    with pytest.raises(Misconfigured, match="wanted a secret that exists"):
        await SecretToken(secrets, ARN, Watch().now).read()


async def test_a_call_that_fails_may_be_repeated(line: Wire, secrets: object) -> None:
    line.say(refused("AccessDeniedException"))
    with pytest.raises(Retryable) as caught:
        await SecretToken(secrets, ARN, Watch().now).read()
    assert caught.value.reason == "access_denied"


async def test_when_it_is_due(line: Wire, secrets: object) -> None:
    watch = Watch()
    token = SecretToken(secrets, ARN, watch.now)
    assert token.due_in <= 0
    line.say(answered())
    await token.renew()
    assert token.due_in == PERIOD_SECONDS
    token.refresh()
    assert token.due_in == PAUSE_SECONDS
    watch.time += PAUSE_SECONDS
    line.say(refused("AccessDeniedException"))
    await token.renew()
    assert token.due_in == RETRY_SECONDS
    line.say(answered())
    await token.renew()
    assert token.due_in == PERIOD_SECONDS


async def test_while_it_cannot_be_read_the_last_token_stays(line: Wire, secrets: object) -> None:
    token = SecretToken(secrets, ARN, Watch().now)
    line.say(answered())
    await token.renew()
    with capture_logs() as logs:
        for line_said in (refused("AccessDeniedException"), answered("no token"), answered("new")):
            line.say(line_said)
            assert token.header(0.0) == f"Bearer {TOKEN}"
            await token.renew()
    assert token.header(0.0) == "Bearer new"
    assert [log["event"] for log in logs] == ["token_secret_unreadable", "condition_over"]
    assert all(TOKEN not in str(log) and "no token" not in str(log) for log in logs)


async def test_it_is_kept_fresh(line: Wire, secrets: object) -> None:
    clock = asyncio.get_running_loop().time
    token = SecretToken(secrets, ARN, clock, period=0.2, pause=0.1)
    line.say(answered("first"))
    await token.read()
    line.say(answered("second"))
    async with kept(token):
        while token.header(0.0) != "Bearer second":
            await asyncio.sleep(0.02)
    asked = len(line.requests)
    await asyncio.sleep(0.5)
    assert len(line.requests) == asked, "nothing is in flight behind it"


async def test_a_read_that_is_cut_off_is_still_due(line: Wire, secrets: object) -> None:
    token = SecretToken(secrets, ARN, Watch().now)
    line.say(Say(then="hang"))
    async with kept(token):
        await line.asked.wait()
    assert token.due_in <= 0
    line.say(answered())
    await token.renew()
    assert token.header(0.0) == f"Bearer {TOKEN}"


async def test_a_401_has_it_read_soon_and_many_only_once(line: Wire, secrets: object) -> None:
    clock = asyncio.get_running_loop().time
    token = SecretToken(secrets, ARN, clock, pause=0.2)
    line.say(answered("first"))
    await token.read()
    line.say(answered("second"))
    async with kept(token):
        await asyncio.sleep(0)
        for _ in range(5):
            token.refresh()
            await asyncio.sleep(0.01)
        while token.header(0.0) != "Bearer second":
            await asyncio.sleep(0.02)
    assert len(line.requests) == 2
