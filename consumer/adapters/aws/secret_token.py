"""The bearer token in a secret of AWS Secrets Manager.

It is read before the first request, every five minutes, and after a 401. Requests never wait for
it: they carry the last token that was read. A token never appears in a log line or in a repr.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from consumer.adapters.aws.aws_errors import CALL_FAILURES, error_code, retryable
from consumer.adapters.odd_answer import reading
from consumer.core.secret import secret_word
from consumer.errors import Misconfigured, Retryable
from consumer.observability.conditions import Conditions

if TYPE_CHECKING:
    from collections.abc import Callable

PERIOD_SECONDS: Final = 300.0
"""Longest time for which a new token is not noticed, unless Nakadi refuses the old one."""

PAUSE_SECONDS: Final = 5.0
"""Shortest time between two reads: Nakadi may answer 401 to every request."""

RETRY_SECONDS: Final = 30.0
"""Time until a read that failed is tried again."""

REQUEST_SECONDS: Final = 10.0

_SETTING: Final = "CONSUMER_NAKADI_TOKEN_SECRET"
_ABSENT: Final = frozenset({"ResourceNotFoundException", "InvalidRequestException"})
"""There is no such secret, or it is marked for deletion."""


class SecretToken:
    """The Token of a secret, whose text it is. `secrets` is made by `Aws`, `now` is a clock's.

    `read` it once, then have a task `keep` it while requests are made.
    """

    def __init__(
        self,
        secrets: Any,  # noqa: ANN401 - made by botocore
        arn: str,
        now: Callable[[], float],
        *,
        period: float = PERIOD_SECONDS,
        pause: float = PAUSE_SECONDS,
    ) -> None:
        self._secrets = secrets
        self._arn = arn
        self._now = now
        self._period = period
        self._pause = pause
        self._header: str | None = None
        self._read_at = self._due_at = float("-inf")
        self._refused = asyncio.Event()
        self._conditions = Conditions(now)

    def __repr__(self) -> str:
        return f"SecretToken({self._arn!r})"

    def header(self, now: float) -> str | None:  # noqa: ARG002 - the protocol's
        """Return `Bearer …`, or None until the secret has been read."""
        return self._header

    def refresh(self) -> None:
        """Have the secret read soon, because Nakadi answered 401."""
        self._due_at = min(self._due_at, self._read_at + self._pause)
        self._refused.set()

    @property
    def due_in(self) -> float:
        """Seconds until the secret is to be read again; not above 0 if it is due now."""
        return self._due_at - self._now()

    async def read(self) -> None:
        """Read the secret. Raise Retryable if the call fails, Misconfigured if it has no token."""
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                answer = await self._secrets.get_secret_value(SecretId=self._arn)
        except CALL_FAILURES as error:
            if error_code(error) in _ABSENT:
                raise Misconfigured(
                    f"{_SETTING}: found {self._arn!r}, wanted a secret that exists"
                ) from error
            raise retryable("GetSecretValue", error) from error
        with reading("GetSecretValue"):
            text = str(answer.get("SecretString", ""))
        word = secret_word(text)
        if word is None or word.startswith("{"):
            raise Misconfigured(
                f"{_SETTING}: found {self._arn!r} with a value that is not shown, wanted one whose"
                " text is the token: one word of printable ASCII, no JSON"
            )
        self._header = f"Bearer {word}"
        self._read_at = self._now()
        self._due_at = self._read_at + self._period

    async def renew(self) -> None:
        """Read the secret. While that fails the last token stays in use, and the log says so."""
        try:
            await self.read()
        except (Misconfigured, Retryable) as error:
            self._due_at = self._now() + RETRY_SECONDS
            self._conditions.warning(
                "token_secret_unreadable",
                detail=str(error),
                action="let the role read the secret, and its text be the token; the last one that"
                " was read stays in use",
            )
        else:
            self._conditions.over("token_secret_unreadable")

    async def keep(self) -> None:
        """Read the secret whenever it is due, until cancelled; a read that is cut off stays due."""
        while True:
            self._refused.clear()
            wait = self.due_in
            if wait <= 0:
                await self.renew()
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._refused.wait()
