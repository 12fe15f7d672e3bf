"""A request's body as text: decompressed and decoded as the server in front of Nakadi does it."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING
from urllib.parse import quote

import zstandard

from localdev.nakadi.negotiation import charset, media_type
from localdev.nakadi.problem import ProblemError

if TYPE_CHECKING:
    from aiohttp import web

_IO = "I/O error while reading input message; nested exception is "
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31


class EmptyGzipError(Exception):
    """An empty body that claims to be gzip, which the server is not prepared for."""


async def plain_body(request: web.Request) -> bytes:
    """Return the plain bytes of a request."""
    return decompressed(request, await request.read())


def decompressed(request: web.Request, body: bytes) -> bytes:
    """Return the plain bytes of a request; codings other than gzip and zstd are ignored.

    The server looks for the lower-case names anywhere in the header and undoes one of them once;
    its container knows `gzip` alone in any case.
    """
    coding = request.headers.get("Content-Encoding", "").strip()
    if "gzip" in coding or coding.lower() == "gzip":
        return _gunzip(body)
    return _unzstd(body) if "zstd" in coding else body


def _gunzip(body: bytes) -> bytes:
    """Decompress all members; garbage behind the last one is ignored, as Java does."""
    if not body:
        raise EmptyGzipError
    if not body.startswith(_GZIP_MAGIC):
        raise ProblemError(400, "Not in GZIP format")
    result = b""
    while body.startswith(_GZIP_MAGIC):
        member = zlib.decompressobj(_GZIP_WINDOW)
        try:
            result += member.decompress(body)
        except zlib.error as error:
            what = "Corrupt GZIP trailer" if "check" in str(error) else str(error)
            raise ProblemError(400, f"{_IO}java.util.zip.ZipException: {what}") from None
        if not member.eof:
            raise ProblemError(
                400, f"{_IO}java.io.EOFException: Unexpected end of ZLIB input stream"
            )
        body = member.unused_data
    return result


def _unzstd(body: bytes) -> bytes:
    prefix = f"{_IO}com.github.luben.zstd.ZstdIOException: "
    member = zstandard.ZstdDecompressor().decompressobj()
    try:
        result = member.decompress(body)
    except zstandard.ZstdError:
        raise ProblemError(400, f"{prefix}Unknown frame descriptor") from None
    if not member.eof:
        raise ProblemError(400, f"{prefix}Truncated source")
    return result


def text_of(request: web.Request, body: bytes) -> str:
    """Return a body as text, or raise the 415 or 400 for a type that is not read as text."""
    encoding = charset(request)
    match media_type(request):
        case "application/x-www-form-urlencoded":
            # The container takes the body for a form; what is left of it is percent-encoded.
            return quote(body)
        case "multipart/form-data":
            raise ProblemError(
                400,
                "Failed to parse multipart servlet request; nested exception is "
                "java.io.IOException: Missing initial multi part boundary",
            )
        case "application/avro-binary":
            raise ProblemError(400, None)
        case _:
            return body.decode(encoding, errors="replace")
