"""The clock of this machine, and what it learns of the time of day by AWS."""

import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.streams import DynamoDbStreams
from consumer.adapters.clock import AwsClock, SystemClock, epoch_of
from consumer.errors import Retryable
from tests.unit.adapters.aws_environment import point_at
from tests.wire import Say, Wire, http

TRUE = 1_790_000_000.0


class WrongClock:
    """A machine whose wall clock is `ahead` seconds wrong. Its own clock is set by the test."""

    def __init__(self, ahead: float) -> None:
        self.ahead = ahead
        self.seconds = 50.0

    def now(self) -> float:
        return self.seconds

    def wall(self) -> float:
        return TRUE + self.seconds + self.ahead

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


async def test_now_is_the_time_since_boot_and_wall_the_epochs() -> None:
    clock = SystemClock()
    assert abs(clock.wall() - time.time()) < 5
    if hasattr(time, "CLOCK_BOOTTIME"):
        assert abs(clock.now() - time.clock_gettime(time.CLOCK_BOOTTIME)) < 5


async def test_sleep_waits_at_least_as_long_as_told() -> None:
    clock = SystemClock()
    before = clock.now()
    await clock.sleep(0.02)
    assert clock.now() - before >= 0.019


@pytest.mark.parametrize("ahead", [600.0, -600.0])
async def test_the_time_of_day_is_that_of_the_answers_whatever_is_done_to_the_wall_clock(
    ahead: float,
) -> None:
    machine = WrongClock(ahead)
    clock = AwsClock(machine)
    assert clock.ahead is None
    for _ in range(5):
        await clock.sleep(1.3)
        sent_at = clock.now()
        await clock.sleep(0.1)
        clock.learn(float(int(TRUE + machine.seconds)), sent_at)
    assert clock.wall() == pytest.approx(TRUE + machine.seconds, abs=0.6)
    assert clock.ahead == pytest.approx(ahead, abs=0.6)
    before = clock.wall()
    machine.ahead = 0.0  # somebody sets it
    assert clock.wall() == before
    assert clock.ahead == pytest.approx(0.0, abs=0.6)


async def test_before_there_are_answers_a_step_changes_nothing_either() -> None:
    machine = WrongClock(2.0)
    clock = AwsClock(machine)
    machine.ahead = -3600.0
    machine.seconds += 10.0
    assert clock.wall() == TRUE + 62.0


@pytest.mark.parametrize("date", [None, "", "yesterday", "Sun, 99 Nov 2026 10:11:01 GMT"])
def test_what_is_no_date_teaches_nothing(date: str | None) -> None:
    assert epoch_of(date) is None


@pytest.mark.parametrize("zone", ["GMT", "+0000", "-0000"])
def test_a_date_is_one_of_utc(zone: str) -> None:
    assert epoch_of(f"Sun, 29 Nov 2026 10:11:01 {zone}") == 1795947061.0


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request"])
async def test_every_answer_of_aws_teaches_the_time_also_a_refusal(
    line: Wire, use_aws: pytest.MonkeyPatch, status: str
) -> None:
    machine = WrongClock(-600.0)
    date = format_datetime(datetime.fromtimestamp(TRUE + machine.seconds, UTC), usegmt=True)
    refused = {"__type": "x#InvalidSignatureException", "message": "Signature expired"}
    body: Any = refused if status.startswith("400") else {"Table": {}}
    line.say(Say(http(json.dumps(body).encode(), status, f"Date: {date}")))
    point_at(use_aws, line.url)
    async with Aws(clock=AwsClock(machine)) as aws:
        port = DynamoDbStreams(await aws.streams(1), await aws.dynamodb(1), aws.clock)
        for _ in range(3):
            with suppress(Retryable):
                await port.latest_stream("orders")
        assert aws.clock.ahead == pytest.approx(-600.0, abs=0.6)
