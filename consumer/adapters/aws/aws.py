"""The AWS session and its clients.

Region, credentials and endpoints come from the standard places (environment, profile, role), and
the region also from `AWS_REGION`, which botocore ignores. The SDK never retries: the caller
decides, because a lease write must not be repeated without its knowledge.
"""

from __future__ import annotations

import os
import ssl
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import aiobotocore
from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from botocore.exceptions import BotoCoreError

from consumer import __version__
from consumer.adapters.aws.aws_errors import NO_CREDENTIALS, misconfigured
from consumer.adapters.aws.credential_chain import CredentialSession, CredentialsFailed
from consumer.adapters.aws.get_records_parser import MAX_BODY_BYTES, CheckedParserFactory
from consumer.adapters.limited_body import read_at_most
from consumer.adapters.proxies import check_proxies
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

USER_AGENT = f"dynamodb-nakadi-consumer/{__version__} aiobotocore/{aiobotocore.__version__}"


class Aws:
    """One session and the clients made from it, which are closed together.

    `fallback_region` is used if neither environment nor profile names a region.
    """

    def __init__(self, fallback_region: str | None = None) -> None:
        self._session = CredentialSession()
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

    async def _open(self, service: str, connections: int, read_seconds: float) -> Any:  # noqa: ANN401 - made by botocore
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
            http_session_cls=LimitedSession,
        )
        region = self.region
        # The session's own clients, such as that of STS for the tokens of a cluster's service
        # accounts, then ask the region's endpoint: the global one is in us-east-1.
        self._session.set_config_variable("region", region)
        check_proxies()
        try:
            _check_authorities(self._session.get_config_variable("ca_bundle"))
            with suppress(CredentialsFailed):  # the first call tries again, and says why it fails
                if await self._session.chain.load() is None:
                    raise Misconfigured(NO_CREDENTIALS)
            made = self._session.create_client(service, region_name=region, config=config)
            client = await self._clients.enter_async_context(made)
        except (BotoCoreError, ValueError) as error:
            raise misconfigured(error) from error
        _check_endpoint(service, client.meta.endpoint_url)
        return client


def _check_endpoint(service: str, url: str) -> None:
    """Raise Misconfigured for an endpoint that is no URL, without a quotation: it may be secret.

    botocore looks at it only when it signs a request, and then quotes what it takes for a port.
    """
    try:
        _ = urlsplit(url).port
    except ValueError:
        raise Misconfigured(
            f"AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_… of {service}: found a value that is not shown,"
            " wanted a URL"
        ) from None


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


class LimitedSession(AIOHTTPSession):  # type: ignore[misc]
    """A session that reads no answer further than MAX_BODY_BYTES, and gets gzip for GetRecords.

    aiobotocore reads to the end whatever comes, and always sends `Accept-Encoding: identity`. The
    header is not among those that are signed.
    """

    async def _get_session(self, proxy_url: str | None) -> _Requests:
        return _Requests(await super()._get_session(proxy_url))


class _Requests:
    def __init__(self, session: Any) -> None:  # noqa: ANN401 - an aiohttp.ClientSession
        self._session = session

    async def request(self, method: str, **arguments: Any) -> _Response:  # noqa: ANN401 - passed through
        headers = arguments["headers"]
        if headers.get("X-Amz-Target", "").endswith(".GetRecords"):
            headers["Accept-Encoding"] = "gzip"
        return _Response(await self._session.request(method, **arguments))


class _Response:
    """What aiobotocore uses of an aiohttp.ClientResponse."""

    def __init__(self, response: Any) -> None:  # noqa: ANN401 - an aiohttp.ClientResponse
        self.url, self.status = response.url, response.status
        self.raw_headers = response.raw_headers
        self._response = response

    async def read(self) -> bytes:
        """Return the body as it was sent; after a longer one the connection is closed."""
        async with self._response as response:
            return await read_at_most(MAX_BODY_BYTES, response.content.iter_any())
