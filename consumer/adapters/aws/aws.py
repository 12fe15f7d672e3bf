"""The AWS session and its clients.

Region, credentials and endpoints come from the standard places (environment, profile, role), and
the region also from `AWS_REGION`, which botocore ignores. The SDK never retries: the caller
decides, because a lease write must not be repeated without its knowledge.
"""

from __future__ import annotations

import os
import ssl
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import aiobotocore
from aiobotocore.config import AioConfig
from botocore.exceptions import BotoCoreError

from consumer import __version__
from consumer.adapters.aws.aws_errors import NO_CREDENTIALS, misconfigured
from consumer.adapters.aws.credential_chain import CredentialSession, CredentialsFailed
from consumer.adapters.aws.get_records_parser import CheckedParserFactory
from consumer.adapters.aws.http_session import HttpSession, Trust
from consumer.adapters.clock import AwsClock, SystemClock
from consumer.adapters.proxies import check_proxies
from consumer.core.host import is_host
from consumer.errors import Misconfigured

if TYPE_CHECKING:
    from types import TracebackType

CONNECT_SECONDS = 2.0
READ_SECONDS = 10.0
QUEUE_READ_SECONDS = 30.0
"""Longest wait for the next bytes of an answer. SQS may hold a long poll for 20 seconds."""

IDLE_SECONDS = 12.0
"""An idle connection is closed after this, before the service closes it."""

QUEUE_CONNECTIONS = 4
FILE_CONNECTIONS = 2
SECRET_CONNECTIONS = 1

USER_AGENT = f"dynamodb-nakadi-consumer/{__version__} aiobotocore/{aiobotocore.__version__}"


class Aws:
    """One session and the clients made from it, which are closed together.

    `fallback_region` is used if neither environment nor profile names a region. `clock` learns the
    time of day from the answers to all clients.
    """

    def __init__(self, fallback_region: str | None = None, clock: AwsClock | None = None) -> None:
        self.clock = AwsClock(SystemClock()) if clock is None else clock
        self._session = CredentialSession()
        self._session.register_component("response_parser_factory", CheckedParserFactory())
        self._fallback_region = fallback_region
        self._trust = Trust()
        self._clients = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._clients.aclose()

    @property
    def region(self) -> str:
        """The region of every client. Raise Misconfigured if there is none."""
        region = (
            os.environ.get("AWS_REGION")
            or self._session.get_config_variable("region")
            or self._fallback_region
        )
        if not region:
            raise Misconfigured("AWS_REGION: not set, and no profile names a region; wanted one")
        return str(region)

    async def streams(self, connections: int) -> Any:  # noqa: ANN401 - made by botocore
        """Return a client of DynamoDB Streams; `connections` is the size of its pool."""
        return await self._open("dynamodbstreams", connections, READ_SECONDS)

    async def dynamodb(self, connections: int) -> Any:  # noqa: ANN401 - made by botocore
        """Return a client of DynamoDB; `connections` is the size of its pool.

        Its time limits are generous: the caller limits each request as a whole.
        """
        return await self._open("dynamodb", connections, READ_SECONDS)

    async def sqs(self) -> Any:  # noqa: ANN401 - made by botocore
        """Return a client of SQS."""
        return await self._open("sqs", QUEUE_CONNECTIONS, QUEUE_READ_SECONDS)

    async def s3(self) -> Any:  # noqa: ANN401 - made by botocore
        """Return a client of S3."""
        return await self._open("s3", FILE_CONNECTIONS, READ_SECONDS)

    async def drop_connections(self) -> None:
        """Close all connections, of which none may be in use: the process stood still."""
        for session in self._trust.sessions:
            await session.drop_connections()

    async def secrets(self, region: str | None) -> Any:  # noqa: ANN401 - made by botocore
        """Return a client of Secrets Manager; a secret is known only in its own `region`."""
        return await self._open("secretsmanager", SECRET_CONNECTIONS, READ_SECONDS, region)

    async def _open(
        self, service: str, connections: int, read_seconds: float, other_region: str | None = None
    ) -> Any:  # noqa: ANN401 - made by botocore
        config = AioConfig(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=read_seconds,
            max_pool_connections=connections,
            retries={"total_max_attempts": 1, "mode": "standard"},
            # Our requests have the documented form; validation takes a third of a call's time.
            parameter_validation=False,
            connector_args={"keepalive_timeout": IDLE_SECONDS},
            # Otherwise botocore builds it twice a call, a seventh of the time of an idle poll.
            user_agent=USER_AGENT,
            http_session_cls=partial(HttpSession, self.clock, self._trust),
        )
        region = self.region
        # The session's own clients, such as that of STS for the tokens of a cluster's service
        # accounts, then ask the region's endpoint: the global one is in us-east-1.
        self._session.set_config_variable("region", region)
        check_proxies()
        try:
            if not self._trust.sessions:  # this is the first client; all trust the same
                _check_authorities(self._session.get_config_variable("ca_bundle"))
            with suppress(CredentialsFailed):  # the first call tries again, and says why it fails
                if await self._session.chain.load() is None:
                    raise Misconfigured(NO_CREDENTIALS)
            made = self._session.create_client(
                service, region_name=other_region or region, config=config
            )
            client = await self._clients.enter_async_context(made)
        except (BotoCoreError, ValueError) as error:
            raise misconfigured(error) from error
        _check_endpoint(service, client.meta.endpoint_url)
        return client


def _check_endpoint(service: str, url: str) -> None:
    """Raise Misconfigured for an endpoint that is no URL, without a quotation: it may be secret.

    botocore looks at its port only when it signs a request, and then quotes what it takes for one.
    It takes 256.0.0.1 for a name, and any scheme.
    """
    if not _is_endpoint(url):
        raise Misconfigured(
            f"AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_… of {service}: found a value that is not shown,"
            " wanted an http or https URL with a host name or an IP address, without credentials"
        )


def _is_endpoint(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    named = is_host(f"[{host}]" if ":" in host else host)
    return named and port != 0 and "@" not in parts.netloc and parts.scheme in {"http", "https"}


def _check_authorities(file: str | None) -> None:
    """Raise Misconfigured if the file with trusted authorities cannot be used."""
    if file is None:
        return
    try:
        ssl.create_default_context(cafile=file)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Misconfigured(
            f"AWS_CA_BUNDLE: found {file!r} ({reason}), wanted certificates in PEM format"
        ) from error
