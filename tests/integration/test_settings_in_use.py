"""Settings that only show where they are used: each reaches the part that keeps it."""

import asyncio
import os

import aiohttp
import pytest
from structlog.testing import capture_logs

from consumer.errors import Misconfigured, first_in
from consumer.observability.metrics import Metrics
from consumer.service import Service
from consumer.settings.loading import load_settings
from tests.integration.consumer_process import run_consumer
from tests.patience import PATIENCE
from tests.twins.shard import STREAM, ShardTwin
from tests.unit.adapters.aws_environment import REGION, point_at

NOWHERE = "http://127.0.0.1:1"
LEAST = {
    "CONSUMER_STREAM_ARN": f"arn:aws:dynamodb:{REGION}:1:table/t/stream/2026-11-01T00:00:00.000",
    "CONSUMER_NAKADI_URL": "https://127.0.0.1:1",
    "CONSUMER_EVENT_TYPE": "a.b",
    "CONSUMER_DEAD_LETTER_QUEUE_URL": f"{NOWHERE}/1/letters",
    "CONSUMER_HTTP_HOST": "127.0.0.1",
    "CONSUMER_HTTP_PORT": "0",
}
PROCESS = {
    **LEAST,
    "PATH": os.environ["PATH"],
    "AWS_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "a",
    "AWS_SECRET_ACCESS_KEY": "a",
    "AWS_ENDPOINT_URL": NOWHERE,
}
ABSENT = {"CONSUMER_NAKADI_CLIENT_CERT_FILE": "/absent/tls.crt"}
UNUSABLE = "CONSUMER_NAKADI_CLIENT_KEY_FILE: found /absent/tls.crt"


def service(**settings: str) -> Service:
    return Service(load_settings({**LEAST, **settings}), Metrics())


async def test_the_status_is_shown_for_the_hosts_that_are_allowed(
    use_aws: pytest.MonkeyPatch,
) -> None:
    point_at(use_aws, NOWHERE)
    made = service(CONSUMER_HTTP_ALLOWED_HOSTS="relay.example.org")
    with capture_logs() as logs:
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
            tasks.create_task(made.run())
            while not logs:
                await asyncio.sleep(0.001)
            url = f"http://127.0.0.1:{logs[0]['http_port']}/status"
            async with aiohttp.ClientSession() as session:
                for host, status in (("relay.example.org", 200), ("evil.example", 421)):
                    async with session.get(url, headers={"Host": host}) as answer:
                        assert answer.status == status
            made.stop()


@pytest.mark.parametrize("command", ["check", "redrive"])
def test_commands_show_nakadi_the_certificate(command: str) -> None:
    ended = run_consumer([command], {**PROCESS, **ABSENT})
    assert ended.returncode == 2
    assert UNUSABLE in " ".join((ended.stdout + ended.stderr).split())


async def test_the_service_shows_nakadi_the_certificate(use_aws: pytest.MonkeyPatch) -> None:
    point_at(use_aws, NOWHERE)

    async def found(*_: object) -> object:
        return await ShardTwin().describe_stream(STREAM, None)

    use_aws.setattr(Service, "_find", found)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(ExceptionGroup) as ended:  # as the table is asked at the same time
            await service(**ABSENT).run()
    assert UNUSABLE in str(first_in(ended.value, Misconfigured))


def test_check_compares_the_region_with_that_of_the_stream() -> None:
    ended = run_consumer(["check"], {**PROCESS, "AWS_REGION": "eu-west-1"})
    assert ended.returncode == 2
    assert f"region eu-west-1, but the ARN of the stream has {REGION}" in ended.stdout
