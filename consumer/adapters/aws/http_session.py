"""The HTTP session of a client: every request to AWS passes through it.

It requests gzip for GetRecords, where aiobotocore always sends `identity`, and tells the clock the
Date of each answer, also of an error: a clock that is so wrong that AWS refuses its signatures is
put right by the refusals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiobotocore.httpsession import AIOHTTPSession

from consumer.adapters.clock import epoch_of

if TYPE_CHECKING:
    from consumer.adapters.clock import AwsClock


class HttpSession(AIOHTTPSession):  # type: ignore[misc]
    """A session that hands each request to `_Requests`."""

    def __init__(self, clock: AwsClock, **options: Any) -> None:  # noqa: ANN401 - passed through
        super().__init__(**options)
        self._clock = clock

    async def _get_session(self, proxy_url: str | None) -> _Requests:
        return _Requests(await super()._get_session(proxy_url), self._clock)


class _Requests:
    def __init__(self, session: Any, clock: AwsClock) -> None:  # noqa: ANN401 - an aiohttp.ClientSession
        self._session = session
        self._clock = clock

    async def request(self, method: str, **arguments: Any) -> Any:  # noqa: ANN401 - passed through
        headers = arguments["headers"]
        if headers.get("X-Amz-Target", "").endswith(".GetRecords"):
            headers["Accept-Encoding"] = "gzip"  # it is not among the signed headers
        sent_at = self._clock.now()
        response = await self._session.request(method, **arguments)
        date = epoch_of(response.headers.get("Date"))
        if date is not None:
            self._clock.learn(date, sent_at)
        return response
