"""Bodies of answers, read no further than a limit.

A body may never end, and a small one may unpack to a thousand times its size: both would fill the
memory of the process. A limit is for what is kept, so it counts before and after unpacking.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterable


class BodyUnreadable(Exception):
    """A body is longer than its limit, or cannot be unpacked. The message says which."""


async def read_at_most(limit: int, chunks: AsyncIterable[bytes]) -> bytes:
    """Return the chunks as one. Raise BodyUnreadable as soon as they have more bytes than that."""
    kept: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise BodyUnreadable(f"longer than {limit} bytes")
        kept.append(chunk)
    return b"".join(kept)


def unpack_at_most(limit: int, body: bytes, coding: str) -> bytes:
    """Return a body without its Content-Encoding, which is gzip, identity or empty.

    A body of no bytes says nothing in any coding. Raise BodyUnreadable for another coding, damaged
    gzip, bytes behind its end, or more bytes than the limit.
    """
    if not body:
        return body
    match coding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            plain, behind = gunzip_at_most(limit, body)
            if behind:  # another client would read on, and perhaps find that events failed
                raise BodyUnreadable("gzip with more behind its end")
            return plain
        case _:
            raise BodyUnreadable("a Content-Encoding that was not asked for")


def gunzip_at_most(limit: int, body: bytes) -> tuple[bytes, bytes]:
    """Return what the gzip holds, and the bytes behind its end. Raise BodyUnreadable."""
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        plain = stream.decompress(body, limit + 1)
    except zlib.error:
        raise BodyUnreadable("damaged gzip") from None
    if len(plain) > limit:
        raise BodyUnreadable(f"longer than {limit} bytes")
    if not stream.eof:
        raise BodyUnreadable("gzip that is cut off")
    return plain, stream.unused_data
