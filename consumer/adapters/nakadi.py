"""The Publisher port for one event type of Nakadi, and the requests that read the event type.

A publishing request has two deadlines. Everything before its last byte is handed to the operating
system (waiting for a connection, connecting, writing) ends within `SEND_SECONDS`, which is less
than the fence's margin: a request that was tested against the fence does not leave after it, unless
the process stood still while it wrote. The answer may then take as long as the publish timeout
says. A request that fails returns an Answer with status 0 and raises nothing.

Something before Nakadi may say anything: a phrase that is not ASCII, a body without an end, a
cookie that no request can carry. All of that is a request that failed, and nothing of it is kept.
So is an answer with the flow id of another request: nothing is known of this one.
"""

from __future__ import annotations

import asyncio
import zlib
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote, urlsplit

import aiohttp
import httpx
import structlog

from consumer import __version__
from consumer.adapters.flow_id import FLOW_ID, new_flow_id
from consumer.adapters.http_client import HttpClient
from consumer.adapters.http_failure import describe_failure
from consumer.adapters.limited_body import BodyUnreadable, read_at_most, unpack_at_most
from consumer.adapters.nakadi_words import fit_for_logs, flow_id_of, kept_headers
from consumer.adapters.odd_answer import ODD
from consumer.adapters.tls import Tls
from consumer.core.preflight.event_definition import partition_names
from consumer.core.publishing.answer import Answer, no_answer, parse_answer, without_body
from consumer.errors import Retryable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from types import TracebackType

    from consumer.adapters.token import Token
    from consumer.ports import Clock

log = structlog.get_logger()

SEND_SECONDS: Final = 1.5
"""Longest time to get a connection and write a request; below the fence's margin of 2 s."""

GET_SECONDS: Final = 10.0
"""Longest GET of an event type or its partitions."""

IDLE_SECONDS: Final = 20.0
"""An idle connection is closed after this: before Nakadi closes it, which it does after 30 s."""

MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
"""A longer answer counts as unreadable. The result of one event takes some hundred bytes."""

MAX_DEFINITION_BYTES: Final = 8 * 1024 * 1024
"""An event type or a list of partitions that is longer counts as unreadable."""

GZIP_LEVEL: Final = 1
"""Higher levels take more than twice the time and save only a fifth of the bytes."""

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")

_BROKEN: Final = (
    (aiohttp.ConnectionTimeoutError, "connect_timeout"),
    (aiohttp.ServerTimeoutError, "timeout"),
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientSSLError, "tls"),
    (aiohttp.ClientConnectorError, "connect"),
    (aiohttp.ClientPayloadError, "truncated"),
    (aiohttp.ClientConnectionError, "reset"),
    (aiohttp.ClientResponseError, "malformed_answer"),
    (httpx.ConnectTimeout, "connect_timeout"),
    (httpx.PoolTimeout, "connect_timeout"),
    (httpx.TimeoutException, "timeout"),
    (httpx.ConnectError, "connect"),
    (httpx.TransportError, "reset"),
    (BodyUnreadable, "unreadable"),
    *((kind, "malformed_answer") for kind in ODD),
)

_FAILURES: Final = (
    httpx.HTTPError,
    httpx.InvalidURL,
    aiohttp.ClientError,
    BodyUnreadable,
    OSError,
    *ODD,  # the clients raise these for answers that they do not expect
)
"""Everything that a request raises because of what the network or its other end does."""


class Nakadi:
    """Publisher port, to be used as an async context. It opens at most `concurrency` connections.

    `timeout` is in seconds, from the start of a request to the end of its answer. With `gzip`,
    request bodies are compressed. `tls` says whom to trust and which certificate to show.
    """

    def __init__(
        self,
        url: str,
        event_type: str,
        token: Token,
        clock: Clock,
        *,
        concurrency: int,
        timeout: float,
        gzip: bool = False,
        tls: Tls | None = None,
    ) -> None:
        self._gzip = gzip
        self._name = quote(event_type, safe="")
        self._url = url.rstrip("/")
        self._type = f"{self._url}/event-types/{self._name}"
        self._events = httpx.URL(f"{self._type}/events")
        self._token = token
        self._clock = clock
        self._timeout = timeout
        self._tls = Tls() if tls is None else tls
        self._client = HttpClient(
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": f"dynamodb-nakadi-consumer/{__version__}",
            },
            limits=httpx.Limits(max_connections=concurrency, keepalive_expiry=IDLE_SECONDS),
            timeout=httpx.Timeout(timeout, connect=SEND_SECONDS, pool=SEND_SECONDS),
            follow_redirects=False,
            verify=self._tls.context,
            # httpx keeps even a cookie with a control character, which no request can carry.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )
        host = urlsplit(url)
        if host.scheme == "http" and host.hostname not in _LOOPBACK and self._header():
            log.warning(
                "token_over_plain_http",
                host=host.hostname,
                action="use https: over http the token can be read on its way",
            )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._client.__aexit__(kind, error, traceback)

    async def drop_connections(self) -> None:
        """Close all connections, of which none may be in use: the process stood still."""
        await self._client.drop_connections()

    async def publish(self, bodies: Sequence[bytes]) -> Answer:
        """Send events, at least one, in one request, in this order.

        After a 401 the token is read again.
        """
        flow_id = new_flow_id()
        body = json_array(bodies)
        started, leave_by = asyncio.get_running_loop().time(), self._clock.now() + SEND_SECONDS
        if self._gzip:
            body = compressed(body)
        connected, sending = False, True

        async def content() -> AsyncIterator[bytes]:
            nonlocal connected, sending
            if self._clock.now() >= leave_by:
                raise TimeoutError  # the process stood still, and the fence may have passed
            connected = True
            yield body
            # The client asks for more, so the body is written. Do not move a limit that has ended.
            if sending and not limit.expired():
                sending = False
                limit.reschedule(started + self._timeout)

        limit = asyncio.timeout_at(started + min(SEND_SECONDS, self._timeout))
        try:
            async with limit:
                try:
                    answer = await self._post(content(), len(body), flow_id)
                finally:
                    late, sending = sending, False
        except TimeoutError:
            if late and not connected:
                return no_answer("connect_timeout", "no connection in time", flow_id)
            if late:
                return no_answer("send_timeout", "not written in time", flow_id)
            return no_answer("timeout", f"no answer within {self._timeout:g} s", flow_id)
        except _FAILURES as error:
            what = describe_failure(error.__cause__ or error)
            return no_answer(_reason(error), what, flow_id)
        if answer.status == 401:
            self._token.refresh()
        return fit_for_logs(answer, bodies)

    async def event_type(self) -> tuple[int, bytes, str]:
        """Return status, body and flow id of `GET /event-types/{name}`. Raise Retryable."""
        return await self._get(self._type)

    async def partitions(self) -> tuple[str, ...]:
        """Return the names of the event type's partitions; none if Nakadi refuses to list them.

        Raise Retryable if the request fails.
        """
        status, body, _ = await self._get(f"{self._type}/partitions")
        return partition_names(body) if status == 200 else ()

    async def subscriptions(self) -> tuple[int, bytes, str]:
        """Return status, body and flow id of the listing of its subscriptions. Raise Retryable."""
        return await self._get(f"{self._url}/subscriptions?limit=1000&event_type={self._name}")

    async def _get(self, path: str) -> tuple[int, bytes, str]:
        headers = {FLOW_ID: new_flow_id(), **self._authorization()}
        try:
            async with asyncio.timeout(GET_SECONDS):
                async with self._client.stream("GET", path, headers=headers) as response:
                    body = await _body(response, MAX_DEFINITION_BYTES)
        except _FAILURES as error:
            what = describe_failure(error.__cause__ or error)
            raise Retryable(f"{path}: {what}", _reason(error)) from error
        if response.status_code == 401:
            self._token.refresh()
        return response.status_code, body, flow_id_of(response.headers, headers[FLOW_ID])

    async def _post(self, content: AsyncIterator[bytes], length: int, flow_id: str) -> Answer:
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(length),
            FLOW_ID: flow_id,
            **({"Content-Encoding": "gzip"} if self._gzip else {}),
            **self._authorization(),
        }
        request = self._client.stream("POST", self._events, content=content, headers=headers)
        async with request as response:
            said = kept_headers(response.headers.items(), flow_id)
            try:
                body = await _body(response, MAX_ANSWER_BYTES)
            except BodyUnreadable as error:
                return without_body(response.status_code, said, str(error))
        return parse_answer(response.status_code, said, body)

    def _authorization(self) -> dict[str, str]:
        header = self._header()
        return {"Authorization": header} if header else {}

    def _header(self) -> str | None:
        now = self._clock.now()
        self._tls.refresh(now)
        return self._token.header(now)


def json_array(events: Sequence[bytes]) -> bytes:
    """Return events, at least one, as one array; the bytes of a full request are copied once."""
    parts = [*events]
    parts[0] = b"[" + parts[0]
    parts[-1] += b"]"
    return b",".join(parts)


def compressed(body: bytes) -> bytes:
    """Return a request's body compressed with gzip."""
    packer = zlib.compressobj(GZIP_LEVEL, wbits=zlib.MAX_WBITS | 16)
    return packer.compress(body) + packer.flush()


async def _body(response: httpx.Response, limit: int) -> bytes:
    """Return the body without its coding. httpx would unpack a part of it to any size."""
    if response.headers.get("transfer-encoding", "chunked").strip().lower() != "chunked":
        raise BodyUnreadable("a Transfer-Encoding that was not asked for")
    sent = await read_at_most(limit, response.aiter_raw())
    return unpack_at_most(limit, sent, response.headers.get("content-encoding", ""))


def _reason(error: BaseException) -> str:
    """Return a short word for metrics. aiohttp's exception says more than the one of httpx."""
    if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ClientError):
        return "timeout"
    for cause in (error.__cause__, error):
        for kind, reason in _BROKEN:
            if isinstance(cause, kind):
                return reason
    return "error"
