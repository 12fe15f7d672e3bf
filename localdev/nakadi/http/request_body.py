"""A request's body as text: decompressed and decoded as the server in front of Nakadi does it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import zstandard

from localdev.nakadi.http.gzip_stream import GzipCutError, GzipFormatError, gunzip
from localdev.nakadi.http.negotiation import charset, media_type
from localdev.nakadi.http.problem import ProblemError

if TYPE_CHECKING:
    from aiohttp import web

_IO = "I/O error while reading input message; nested exception is "
_FORM = "application/x-www-form-urlencoded"


async def plain_body(request: web.Request) -> bytes:
    """Return the plain bytes of a request."""
    return decompressed(request, await request.read())


def coding_of(request: web.Request) -> str:
    """Return `gzip`, `zstd` or "", which is any other and ignored.

    The server looks for the lower-case names anywhere in the header and undoes one of them once;
    its container knows `gzip` alone in any case.
    """
    coding = request.headers.get("Content-Encoding", "").strip()
    if "gzip" in coding or coding.lower() == "gzip":
        return "gzip"
    return "zstd" if "zstd" in coding else ""


def decompressed(request: web.Request, body: bytes) -> bytes:
    """Return the plain bytes of a request, or raise the 400 for a coding that does not hold."""
    match coding_of(request):
        case "gzip":
            return _gunzip(body)
        case "zstd":
            return _unzstd(body)
        case _:
            return body


def _gunzip(body: bytes) -> bytes:
    try:
        return gunzip(body)
    except GzipFormatError as error:
        raise ProblemError(400, f"{_IO}java.util.zip.ZipException: {error}") from None
    except GzipCutError as error:
        raise ProblemError(400, f"{_IO}java.io.EOFException: {error}".rstrip(": ")) from None


def _unzstd(body: bytes) -> bytes:
    """Decompress all frames, skippable ones to nothing; what follows them must be a frame, too.

    Only a first frame that is cut is noticed: the reader remembers that some frame was whole.
    """
    prefix = f"{_IO}com.github.luben.zstd.ZstdIOException: "
    parts: list[bytes] = []
    while body:
        frame = zstandard.ZstdDecompressor().decompressobj()
        try:
            parts.append(frame.decompress(body))
        except zstandard.ZstdError as error:
            raise ProblemError(400, prefix + str(error).rpartition(": ")[2]) from None
        if not frame.eof and len(parts) == 1:
            raise ProblemError(400, f"{prefix}Truncated source")
        body = frame.unused_data
    return b"".join(parts)


def text_of(request: web.Request, body: bytes) -> str:
    """Return a body, compressed as it was sent, as text.

    Raise the 415 for its type, then the 400 for its coding, then the 400 for one that is empty.
    """
    encoding = charset(request)
    plain = decompressed(request, body)
    if not plain:
        raise ProblemError(400, "Required request body is missing")
    if media_type(request) == _FORM:
        # The container takes the body for a form; what is left of it is percent-encoded.
        return quote(plain)
    return plain.decode(encoding, errors="replace")
