"""The HTTP session of a client: every request to AWS passes through it.

It requests gzip for GetRecords, where aiobotocore always sends `identity`, and reads no answer
further than MAX_BODY_BYTES, where aiobotocore reads to the end whatever comes. It tells the clock
the Date of each answer, also of an error: a clock that is so wrong that AWS refuses its signatures
is put right by the refusals.

All shards share the connections of one client, so an answer that is taken for that to the next
request has the records of another shard, or a row that was never written. `http_guard` and
`answer_ids` guard against it. What no id tells: an answer with an id of its own that something
between this service and AWS has given to the wrong request. Nothing in it names its request.

The clients of a process trust the same authorities. Each would read them anew, in a thread, which
takes as long as all else that a first call does; so they are read once.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiobotocore.httpsession import AIOHTTPSession

from consumer.adapters.aws.answer_ids import AnswerIds
from consumer.adapters.aws.get_records_parser import MAX_BODY_BYTES
from consumer.adapters.clock import epoch_of
from consumer.adapters.http_guard import GuardedRequest, GuardedResponse
from consumer.adapters.limited_body import read_at_most

if TYPE_CHECKING:
    import ssl

    from consumer.adapters.clock import AwsClock


READ_BYTES: Final = 1024 * 1024
"""A page's bytes that wait for us, half of what makes aiohttp stop reading the connection.

With its default of 64 KB it stops and goes on again many times a page.
"""


class Trust:
    """The contexts of connections to AWS, by what the SDK's setting `verify` says.

    `sessions` are all that share it.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()  # the SDK makes contexts in threads
        self.contexts: dict[bool | str | None, ssl.SSLContext] = {}
        self.sessions: list[HttpSession] = []


class HttpSession(AIOHTTPSession):  # type: ignore[misc]
    """A session that hands each request to `_Requests`, and shares its trust with others."""

    def __init__(self, clock: AwsClock, trust: Trust, **options: Any) -> None:  # noqa: ANN401 - passed through
        super().__init__(**options)
        self._clock = clock
        self._trust = trust
        self._responses = _responses(AnswerIds())
        trust.sessions.append(self)

    async def drop_connections(self) -> None:
        """Close all connections, of which none may be in use; the next request opens a new one."""
        for session in [*(self._sessions or {}).values()]:
            await session.close()
        if self._sessions:
            self._sessions.clear()

    def _build_verify_context(self) -> ssl.SSLContext:
        with self._trust.lock:
            context = self._trust.contexts.get(self._verify)
            if context is None:
                context = self._trust.contexts[self._verify] = super()._build_verify_context()
            return context

    async def _get_session(self, proxy_url: str | None) -> _Requests:
        async with self._sessions_lock:
            session = self._sessions.get(proxy_url)
            if session is None:
                # As in aiobotocore, whose own sessions take any answer for that to any request.
                made = aiohttp.ClientSession(
                    connector=await self._create_connector(proxy_url),
                    timeout=self._timeout,
                    skip_auto_headers={"CONTENT-TYPE"},
                    auto_decompress=False,
                    request_class=GuardedRequest,
                    response_class=self._responses,
                )
                session = await self._exit_stack.enter_async_context(made)
                self._sessions[proxy_url] = session
        return _Requests(session, self._clock)


def _responses(ids: AnswerIds) -> type[GuardedResponse]:
    """Return the class of the responses to requests whose answers have these ids."""

    class Response(GuardedResponse):
        def answers_another(self, connection: object) -> bool:
            return ids.came_before(self.headers, connection)

    return Response


class _Requests:
    def __init__(self, session: Any, clock: AwsClock) -> None:  # noqa: ANN401 - an aiohttp.ClientSession
        self._session = session
        self._clock = clock

    async def request(self, method: str, **arguments: Any) -> _Response:  # noqa: ANN401 - passed through
        headers = arguments["headers"]
        if headers.get("X-Amz-Target", "").endswith(".GetRecords"):
            headers["Accept-Encoding"] = "gzip"  # it is not among the signed headers
            arguments["read_bufsize"] = READ_BYTES
        sent_at = self._clock.now()
        response = await self._session.request(method, **arguments)
        date = epoch_of(response.headers.get("Date"))
        if date is not None:
            self._clock.learn(date, sent_at)
        return _Response(response)


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
