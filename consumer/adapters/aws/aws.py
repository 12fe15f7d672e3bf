"""The AWS session and its clients.

Region, credentials and endpoints come the standard way (environment, profile, role), with one
addition: `AWS_REGION`, which botocore alone ignores. Retries of the SDK are off everywhere: who
calls decides, and a lease write must not be repeated behind its author's back.
"""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Self

import aiobotocore
from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError

from consumer import __version__
from consumer.adapters.aws.aws_errors import NO_CREDENTIALS, misconfigured
from consumer.adapters.aws.get_records_parser import CheckedParserFactory
from consumer.errors import Misconfigured

if TYPE_CHECKING:
    from types import TracebackType

CONNECT_SECONDS = 2.0
READ_SECONDS = 10.0
QUEUE_READ_SECONDS = 30.0
"""Longest silence of a server while it answers. SQS may hold a long poll for 20 seconds."""

IDLE_SECONDS = 12.0
"""A pooled connection is closed after this; the services close theirs later."""

QUEUE_CONNECTIONS = 4

USER_AGENT = f"dynamodb-nakadi-consumer/{__version__} aiobotocore/{aiobotocore.__version__}"


class Aws:
    """One session and the clients made from it, closed together.

    `fallback_region` is used where neither environment nor profile name a region, such as the one
    in a stream's ARN.
    """

    def __init__(self, fallback_region: str | None = None) -> None:
        self._session = AioSession()
        self._session.register_component("response_parser_factory", CheckedParserFactory())
        self._fallback_region = fallback_region
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
        """The region of every client. Misconfigured if there is none."""
        region = (
            os.environ.get("AWS_REGION")
            or self._session.get_config_variable("region")
            or self._fallback_region
        )
        if not region:
            raise Misconfigured("AWS_REGION: not set, and no profile names a region; wanted one")
        return str(region)

    async def streams(self, connections: int) -> Any:  # noqa: ANN401 - made by botocore
        """A client of DynamoDB Streams with a pool of so many connections (two per held shard)."""
        return await self._open(
            "dynamodbstreams", connections, READ_SECONDS, http_session_cls=GzipSession
        )

    async def dynamodb(self, connections: int) -> Any:  # noqa: ANN401 - made by botocore
        """A client of DynamoDB. Who calls bounds a whole request; these limits are a backstop."""
        return await self._open("dynamodb", connections, READ_SECONDS)

    async def sqs(self) -> Any:  # noqa: ANN401 - made by botocore
        """A client of SQS."""
        return await self._open("sqs", QUEUE_CONNECTIONS, QUEUE_READ_SECONDS)

    async def _open(
        self,
        service: str,
        connections: int,
        read_seconds: float,
        http_session_cls: type[AIOHTTPSession] = AIOHTTPSession,
    ) -> Any:  # noqa: ANN401 - made by botocore
        config = AioConfig(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=read_seconds,
            max_pool_connections=connections,
            retries={"total_max_attempts": 1, "mode": "standard"},
            # What we send has its documented shape; checking it again costs a third of a call.
            parameter_validation=False,
            connector_args={"keepalive_timeout": IDLE_SECONDS},
            # Given whole, or botocore puts it together twice a call: a seventh of an idle poll.
            user_agent=USER_AGENT,
            http_session_cls=http_session_cls,
        )
        region = self.region
        try:
            if await self._session.get_credentials() is None:
                raise Misconfigured(NO_CREDENTIALS)
            client = self._session.create_client(service, region_name=region, config=config)
            return await self._clients.enter_async_context(client)
        except (BotoCoreError, ValueError) as error:
            raise misconfigured(error) from error


class GzipSession(AIOHTTPSession):  # type: ignore[misc]
    """Asks for gzip on GetRecords. aiobotocore sets `Accept-Encoding: identity` on every request.

    The header is not among those that are signed.
    """

    async def _get_session(self, proxy_url: str | None) -> _GzipRequests:
        return _GzipRequests(await super()._get_session(proxy_url))


class _GzipRequests:
    def __init__(self, session: Any) -> None:  # noqa: ANN401 - an aiohttp.ClientSession
        self._session = session

    def request(self, method: str, **arguments: Any) -> Any:  # noqa: ANN401 - passed through
        headers = arguments["headers"]
        if headers.get("X-Amz-Target", "").endswith(".GetRecords"):
            headers["Accept-Encoding"] = "gzip"
        return self._session.request(method, **arguments)
