"""Objects of an S3 bucket, read piece by piece: memory and time of a request are bounded.

Each piece is a request of its own, on condition that the object is still the same, so that a
failure costs a piece and not a file.
"""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from consumer.adapters.aws.aws_errors import (
    CALL_FAILURES,
    answered_status,
    describe,
    error_code,
    retryable,
)
from consumer.adapters.limited_body import BodyUnreadable
from consumer.adapters.odd_answer import reading
from consumer.errors import Misconfigured, Retryable
from consumer.patience import Patience

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from consumer.ports import Chance, Clock

PIECE_BYTES: Final = 4 * 1024 * 1024
REQUEST_SECONDS: Final = 30.0
"""Longest request for a piece, its body included."""

TRIES: Final = 8
PAUSE_SECONDS: Final = 0.2
PAUSE_MAX_SECONDS: Final = 10.0
"""Most requests for a piece, and the pauses between them: about half a minute."""

_TOTAL: Final = re.compile(r"bytes \d+-\d+/(\d+)")


class Bucket:
    """One bucket. `s3` is a client made by `Aws`; `owner` is the account that it must belong to."""

    def __init__(
        self,
        s3: Any,  # noqa: ANN401 - made by botocore
        bucket: str,
        owner: str | None,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._owner = {} if owner is None else {"ExpectedBucketOwner": owner}
        self._patience = Patience(
            clock, chance, first=PAUSE_SECONDS, longest=PAUSE_MAX_SECONDS, tries=TRIES
        )

    async def read(self, key: str, limit: int) -> bytes:
        """Return an object of at most `limit` bytes. Raise Retryable, Misconfigured."""
        pieces: list[bytes] = []
        async for piece in self.pieces(key):
            pieces.append(piece)
            if sum(map(len, pieces)) > limit:
                raise Misconfigured(f"s3://{self._bucket}/{key}: longer than {limit} bytes")
        return b"".join(pieces)

    async def pieces(self, key: str) -> AsyncIterator[bytes]:
        """Yield the bytes of an object, as they are. Raise Retryable, Misconfigured."""
        place, total = 0, 1
        same: dict[str, str] = {}
        while place < total:
            piece, total, etag = await self._patience.answer(partial(self._piece, key, place, same))
            same = {"IfMatch": etag}
            place += len(piece)
            if piece:
                yield piece

    async def _piece(self, key: str, place: int, same: dict[str, str]) -> tuple[bytes, int, str]:
        """Return a piece, the length of the whole object, and its ETag."""
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                answer = await self._s3.get_object(
                    Bucket=self._bucket,
                    Key=key,
                    Range=f"bytes={place}-{place + PIECE_BYTES - 1}",
                    **self._owner,
                    **same,
                )
                body = await answer["Body"].raw_stream.read()
        except (aiohttp.ClientError, BodyUnreadable) as error:
            raise Retryable(f"GetObject: {type(error).__name__}", "truncated") from error
        except CALL_FAILURES as error:
            if error_code(error) == "InvalidRange" and not place:
                return b"", 0, ""
            status = answered_status(error) or 0
            if 400 <= status < 500 and status not in (408, 429):
                where = f"s3://{self._bucket}/{key}"
                raise Misconfigured(f"{where}: {describe(error)}") from error
            raise retryable("GetObject", error) from error
        with reading("GetObject"):
            found = _TOTAL.fullmatch(answer.get("ContentRange") or "")
            total = int(found[1]) if found else len(body)
            if not body and total:
                raise Retryable("GetObject: a piece without bytes", "malformed_answer")
            return body, total, str(answer["ETag"])
