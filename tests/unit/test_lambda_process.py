"""What a process of Lambda refuses, asks once, and does after it stood still."""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from consumer import aws_lambda, lambda_relay
from consumer.adapters.aws.secret_token import PAUSE_SECONDS, PERIOD_SECONDS
from consumer.adapters.clock import SystemClock
from consumer.adapters.nakadi import Nakadi
from consumer.adapters.resumed_clock import ResumedClock
from consumer.core.invocation.batch_answer import BatchUnsettled
from consumer.core.invocation.stream_batch import NoStreamBatch
from consumer.errors import Misconfigured
from consumer.lambda_relay import IGNORED, LambdaRelay
from consumer.settings.loading import load_settings
from consumer.settings.settings import Settings
from tests.fresh_python import run_script
from tests.twins.invocations import event_of, some_records
from tests.twins.shard import FIRST, STREAM
from tests.unit.adapters.aws_environment import point_at
from tests.wire import Request, Say, Wire, http, wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SECONDS = 120.0
ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:nakadi-token-AbCdEf"


SETTINGS = {
    "CONSUMER_TABLE": "orders",
    "CONSUMER_NAKADI_URL": "http://127.0.0.1:9",
    "CONSUMER_EVENT_TYPE": "order-store.order",
    "CONSUMER_LAMBDA_PARTIAL": "true",
    "CONSUMER_LAMBDA_PATIENCE_SECONDS": "0.2",
}


class Machine:
    """A machine whose clocks a test sets.

    `frozen` is what only the wall clock has counted, `passed` what both have.
    """

    def __init__(self) -> None:
        self.frozen = self.passed = 0.0
        self._clock = SystemClock()

    def now(self) -> float:
        return self._clock.now() + self.passed

    def wall(self) -> float:
        return self._clock.wall() + self.passed + self.frozen

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


_OPEN: list[LambdaRelay] = []


class Lambda:
    """A process, its Nakadi, and an AWS that describes the stream."""

    memory = 512

    def __init__(self, nakadi: Wire, **more: str) -> None:
        self.nakadi = nakadi
        self.machine = Machine()
        self.asked = 0
        environ = {**SETTINGS, "CONSUMER_NAKADI_URL": nakadi.url, **more}
        environ = {name: value for name, value in environ.items() if value}
        self.relay = LambdaRelay(load_settings(environ), ResumedClock(self.machine), self.memory)
        _OPEN.append(self.relay)

    async def invoke(self, event: object, seconds: float = SECONDS) -> Any:
        return await self.relay.invoke(event, seconds)

    @property
    def posts(self) -> list[Request]:
        return [each for each in self.nakadi.requests if each.head.startswith("POST")]


def answering(status: str = "200 OK") -> Any:
    """The event type cannot be read; what is published is answered so."""

    def answer(request: Request) -> Say:
        return Say(http(b"", "403 Forbidden" if request.head.startswith("GET") else status))

    return answer


@pytest.fixture
async def nakadi() -> AsyncIterator[Wire]:
    async with wire() as found:
        found.answer = answering()
        yield found
        while _OPEN:
            await _OPEN.pop().close()


def event(count: int = 3, **keys: Any) -> dict[str, Any]:
    found = event_of(some_records(count, keys=3))
    for each in found["Records"]:
        each["dynamodb"]["Keys"].update(keys)
        for image in ("NewImage", "OldImage"):
            each["dynamodb"][image].update(keys)
    return found


async def test_a_batch_is_published_and_answered(nakadi: Wire) -> None:
    process = Lambda(nakadi)
    assert await process.invoke(event()) == {"batchItemFailures": []}
    (request,) = process.posts
    assert len(json.loads(request.body)) == 3
    nakadi.answer = answering("503 Service Unavailable")
    failed = await process.invoke(event_of(some_records(2, keys=2, start=FIRST + 9)))
    assert failed == {"batchItemFailures": [{"itemIdentifier": str(FIRST + 9)}]}


async def test_without_a_mapping_that_reports_it_fails(nakadi: Wire) -> None:
    nakadi.answer = answering("503 Service Unavailable")
    with pytest.raises(BatchUnsettled):
        await Lambda(nakadi, CONSUMER_LAMBDA_PARTIAL="").invoke(event())


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"CONSUMER_TABLE": "others"}, "CONSUMER_TABLE"),
        (
            {"CONSUMER_TABLE": "", "CONSUMER_STREAM_ARN": STREAM.arn + "0"},
            "CONSUMER_STREAM_ARN",
        ),
        ({"CONSUMER_ORDERING_KEY": "n"}, "CONSUMER_ORDERING_KEY"),
    ],
)
async def test_a_stream_that_is_not_that_of_the_settings_is_refused(
    nakadi: Wire, settings: dict[str, str], told: str
) -> None:
    with pytest.raises(Misconfigured, match=told):
        await Lambda(nakadi, **settings).invoke(event())
    assert nakadi.requests == []


async def test_the_stream_of_the_settings_is_taken(nakadi: Wire) -> None:
    settings = {"CONSUMER_TABLE": "", "CONSUMER_STREAM_ARN": STREAM.arn}
    assert await Lambda(nakadi, **settings).invoke(event()) == {"batchItemFailures": []}


async def test_no_records_too_little_time_and_latest_are_refused(nakadi: Wire) -> None:
    process = Lambda(nakadi)
    with pytest.raises(NoStreamBatch):
        await process.invoke({})
    with pytest.raises(Misconfigured, match="too short by 47 s"):
        await process.invoke(event(), 3.0)
    with pytest.raises(Misconfigured, match="CONSUMER_START"):
        Lambda(nakadi, CONSUMER_START="latest")
    assert nakadi.requests == []


@pytest.mark.parametrize("view_type", ["KEYS_ONLY", "SOMETHING"])
async def test_records_without_the_images_are_refused(nakadi: Wire, view_type: str) -> None:
    found = event()
    for each in found["Records"]:
        each["dynamodb"]["StreamViewType"] = view_type
    with pytest.raises(Misconfigured, match=r"view type|StreamViewType"):
        await Lambda(nakadi).invoke(found)


async def test_what_means_nothing_to_a_function_is_named_once(nakadi: Wire) -> None:
    process = Lambda(nakadi, CONSUMER_HTTP_PORT="8081", CONSUMER_LEASE_TABLE="leases")
    with capture_logs() as logs:
        await process.invoke(event())
        await process.invoke(event())
    told = [each["settings"] for each in logs if each["event"] == "settings_ignored"]
    assert told == [["http_port", "lease_table"]]


@pytest.mark.parametrize(
    ("memory", "given", "limit"),
    [
        (512, "", 128 << 20),
        (10_240, "", 2_560 << 20),
        (32, "", 16 << 20),
        (512, "17000000", 17_000_000),
    ],
)
async def test_events_have_a_quarter_of_the_memory_unless_it_is_set(
    nakadi: Wire, monkeypatch: pytest.MonkeyPatch, memory: int, given: str, limit: int
) -> None:
    monkeypatch.setattr(Lambda, "memory", memory)
    process = Lambda(nakadi, CONSUMER_QUEUE_BYTES=given)
    await process.invoke(event())
    (relay,) = process.relay._relays.values()
    assert relay._limits.queue_bytes == limit


def test_the_ignored_settings_exist() -> None:
    assert set(IGNORED) <= set(Settings.model_fields)


@pytest.mark.parametrize(("ordering_key", "asked"), [("", 1), ("id", 0)])
async def test_the_stream_is_asked_for_its_keys_once_and_only_if_needed(
    nakadi: Wire, monkeypatch: pytest.MonkeyPatch, ordering_key: str, asked: int
) -> None:
    described = {
        "StreamDescription": {
            "StreamArn": STREAM.arn,
            "StreamStatus": "ENABLED",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            "TableName": "orders",
            "KeySchema": [
                {"AttributeName": "id", "KeyType": "HASH"},
                {"AttributeName": "at", "KeyType": "RANGE"},
            ],
            "Shards": [],
        }
    }
    async with wire() as aws:
        aws.say(Say(http(json.dumps(described).encode())))
        point_at(monkeypatch, aws.url)
        process = Lambda(nakadi, CONSUMER_ORDERING_KEY=ordering_key)
        for _ in range(2):
            assert await process.invoke(event(at={"S": "now"})) == {"batchItemFailures": []}
        targets = [each.headers["x-amz-target"] for each in aws.requests]
    assert targets == ["DynamoDBStreams_20120810.DescribeStream"] * asked


FAILING = {
    "key schema": {},
    "secret": {"CONSUMER_ORDERING_KEY": "id", "CONSUMER_NAKADI_TOKEN_SECRET": ARN},
}


@pytest.mark.parametrize("settings", FAILING.values(), ids=FAILING)
async def test_an_outage_before_anything_is_sent_is_answered_like_one_of_nakadi(
    nakadi: Wire, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    """An error would have a mapping with BisectBatchOnFunctionError cut up its batches."""
    async with wire() as aws:
        aws.say(Say(http(b"", "503 Service Unavailable")))
        point_at(monkeypatch, aws.url)
        process = Lambda(nakadi, **settings)
        for _ in range(2):
            with capture_logs() as logs:
                answer = await process.invoke(event(at={"S": "now"}))
            assert answer == {"batchItemFailures": [{"itemIdentifier": str(FIRST)}]}
            assert [each["event"] for each in logs] == ["batch_not_begun", "batch_unsettled"]
        with pytest.raises(BatchUnsettled):
            await Lambda(nakadi, CONSUMER_LAMBDA_PARTIAL="", **settings).invoke(
                event(at={"S": "now"})
            )
        assert nakadi.requests == []


@pytest.mark.parametrize("settings", FAILING.values(), ids=FAILING)
async def test_what_hangs_before_anything_is_sent_ends_with_the_invocation(
    nakadi: Wire, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    monkeypatch.setattr(lambda_relay, "GIVE_UP_SECONDS", SECONDS - 1)
    async with wire() as aws, asyncio.timeout(8):  # less than a request to AWS may take
        aws.say(Say(then="hang"))
        point_at(monkeypatch, aws.url)
        answer = await Lambda(nakadi, **settings).invoke(event(at={"S": "now"}))
        assert answer == {"batchItemFailures": [{"itemIdentifier": str(FIRST)}]}


async def test_the_token_is_read_once_then_when_it_is_due_and_after_a_401(
    nakadi: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wire() as aws:
        point_at(monkeypatch, aws.url)
        process = Lambda(
            nakadi, CONSUMER_NAKADI_TOKEN_SECRET=ARN, CONSUMER_LAMBDA_PATIENCE_SECONDS="20"
        )

        def keep(token: str) -> None:
            aws.say(Say(http(json.dumps({"SecretString": token}).encode())))

        async def sent_with(start: int) -> str:
            records = event_of(some_records(1, keys=1, start=start))
            assert await process.invoke(records) == {"batchItemFailures": []}
            return process.posts[-1].headers["authorization"]

        keep("first")
        assert await sent_with(FIRST) == "Bearer first"
        keep("second")
        process.machine.frozen += PERIOD_SECONDS - 10
        assert await sent_with(FIRST + 1) == "Bearer first"
        process.machine.frozen += 20
        assert await sent_with(FIRST + 2) == "Bearer second"
        assert len(aws.requests) == aws.connections == 2  # the first one was idle for too long
        keep("third")
        process.machine.frozen += PAUSE_SECONDS + 1
        good = "Bearer third"
        nakadi.answer = lambda request: (
            answering()(request)
            if request.headers["authorization"] == good
            else answering("401 Unauthorized")(request)
        )
        assert await sent_with(FIRST + 3) == good
        assert len(aws.requests) == 3


async def test_the_time_in_which_connections_are_dropped_is_time_of_the_invocation(
    nakadi: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Lambda(nakadi)
    await process.invoke(event())
    sent = len(process.posts)

    async def slowly(_: Nakadi) -> None:
        process.machine.passed += 6

    monkeypatch.setattr(Nakadi, "drop_connections", slowly)
    process.machine.frozen += 30
    answer = await process.invoke(event_of(some_records(1, keys=1, start=FIRST + 9)), 50.0)
    assert answer == {"batchItemFailures": [{"itemIdentifier": str(FIRST + 9)}]}
    assert len(process.posts) == sent  # 44 s are left, of the 45 that a request needs


@pytest.mark.parametrize(("frozen", "connections"), [(10.0, 1), (30.0, 2)])
async def test_connections_that_were_idle_are_dropped(
    nakadi: Wire, frozen: float, connections: int
) -> None:
    process = Lambda(nakadi)
    await process.invoke(event())
    assert nakadi.connections == 1
    process.machine.frozen = frozen
    await process.invoke(event_of(some_records(2, keys=2, start=FIRST + 9)))
    assert nakadi.connections == connections


async def test_back_off_goes_by_the_time_that_has_passed(nakadi: Wire) -> None:
    """A Retry-After of a minute is over after a minute, in which no clock but the wall's went."""
    process = Lambda(nakadi)
    retry = Say(http(b"", "429 Too Many Requests", "Retry-After: 60"))
    nakadi.answer = lambda request: answering()(request) if "GET" in request.head else retry
    await process.invoke(event())
    nakadi.answer = answering()
    sent = len(process.posts)
    assert (await process.invoke(event()))["batchItemFailures"] != []
    assert len(process.posts) == sent
    process.machine.frozen = 61.0
    assert await process.invoke(event()) == {"batchItemFailures": []}


async def test_metrics_are_told_once_a_minute_and_with_each_answer_that_is_not_empty(
    nakadi: Wire,
) -> None:
    process = Lambda(nakadi, CONSUMER_CLOUDWATCH_NAMESPACE="orders")

    async def told(start: int, count: int = 1) -> list[Any]:
        with capture_logs() as logs:
            await process.invoke(event_of(some_records(count, keys=2, start=start)))
        lines = [each for each in logs if each["event"] == "metrics"]
        return [(each["Unsettled"], each["EventTypeStopped"]) for each in lines]

    assert await told(FIRST) == [(0, 0)]
    assert await told(FIRST + 1) == []
    process.machine.frozen = 61.0
    assert await told(FIRST + 2) == [(0, 0)]
    kind = "Content-Type: application/problem+json"
    refusal = Say(http(b'{"title":"Forbidden","status":403}', "403 Forbidden", kind))
    nakadi.answer = lambda _: refusal
    assert await told(FIRST + 3, 2) == [(2, 1)]
    assert await told(FIRST + 3, 2) == [(2, 1)]


async def test_a_route_whose_event_type_can_take_nothing_holds_the_batch_until_it_can(
    nakadi: Wire,
) -> None:
    undefined = Say(http(b'{"category":"undefined","schema":{"schema":"{}"}}'))
    routes = [{"event_type": "order-store.order"}, {"event_type": "order-store.audit"}]
    process = Lambda(
        nakadi,
        CONSUMER_APPLICATION="order-store",
        CONSUMER_EVENT_TYPE="",
        CONSUMER_ROUTES=json.dumps(routes),
        CONSUMER_LAMBDA_PATIENCE_SECONDS="1",
    )
    nakadi.answer = lambda request: (
        undefined if "audit HTTP" in request.head else answering()(request)
    )
    failed = {"batchItemFailures": [{"itemIdentifier": str(FIRST)}]}
    assert await process.invoke(event()) == failed
    assert {each.head.split("/")[2] for each in process.posts} == {"order-store.order"}
    nakadi.answer = answering()
    assert await process.invoke(event()) == failed  # it is not asked again so soon
    process.machine.frozen = 31.0
    assert await process.invoke(event()) == {"batchItemFailures": []}
    assert [each.head.split("/")[2] for each in process.posts] == [
        "order-store.order",
        "order-store.audit",
    ]


async def test_an_event_type_that_can_take_nothing_is_asked_again_in_the_next_invocation(
    nakadi: Wire,
) -> None:
    undefined = Say(http(b'{"category":"undefined","schema":{"schema":"{}"}}'))
    nakadi.answer = lambda request: undefined if "GET" in request.head else answering()(request)
    process = Lambda(nakadi)
    with pytest.raises(Misconfigured, match="CONSUMER_EVENT_TYPE"):
        await process.invoke(event())
    assert process.posts == []
    nakadi.answer = answering()
    assert await process.invoke(event()) == {"batchItemFailures": []}


@pytest.mark.parametrize(
    ("extra", "told"), [([], ValueError), ([Misconfigured("b")], Misconfigured)]
)
def test_an_error_of_a_task_is_raised_as_itself(
    extra: list[Exception], told: type[Exception]
) -> None:
    """Lambda shows the text of the error and nothing of those in a group."""

    async def broken() -> None:
        raise ExceptionGroup("", [ExceptionGroup("", [ValueError("a"), *extra])])

    process = aws_lambda._Process()
    with pytest.raises(told, match=r"a|b"):
        process._run(broken())
    assert process._runner is not None
    process._runner.close()


def test_lambda_finds_the_handlers_by_name() -> None:
    for name in ("consumer.aws_lambda.relay", "consumer.aws_lambda.redrive"):
        module, _, function = name.rpartition(".")
        assert callable(getattr(import_module(module), function))


IMPORTED = """
import os, random, sys, threading
made_by = []
made = random.Random.__init__
def noted(self, *seed):
    made_by.append(sys._getframe(1).f_globals["__name__"])
    made(self, *seed)
random.Random.__init__ = noted
before = len(os.listdir("/proc/self/fd"))
from consumer import aws_lambda, lambda_relay
assert len(os.listdir("/proc/self/fd")) == before, "a file or a socket is open"
assert threading.active_count() == 1, "a thread runs"
print(*made_by)
"""
"""Where random numbers were begun. The SDK masks WebSockets with some, which nothing here opens."""


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="asks Linux what is open")
def test_importing_it_opens_nothing_and_begins_nothing() -> None:
    """A snapshot of what was imported goes on in many processes (SnapStart)."""
    made_by = run_script(IMPORTED).stdout.split()
    assert [name for name in made_by if name.startswith("consumer")] == []


def test_no_garbage_is_looked_for_in_what_was_imported() -> None:
    script = (
        "import gc; from consumer import aws_lambda;"
        "print(gc.isenabled(), gc.get_freeze_count() > len(gc.get_objects()))"
    )
    assert run_script(script).stdout == "True True\n"


def test_the_relay_does_without_the_modules_of_a_redrive() -> None:
    script = "import sys; from consumer import aws_lambda; print(*sys.modules)"
    modules = run_script(script).stdout.split()
    assert "consumer.lambda_relay" in modules
    assert [name for name in modules if name.startswith("consumer.commands")] == []
