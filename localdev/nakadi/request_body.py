"""A request's body as text: decompressed and decoded as the server in front of Nakadi does it."""

from __future__ import annotations

import zlib

import zstandard
from aiohttp import web

from localdev.nakadi.problem import ProblemError

_IO = "I/O error while reading input message; nested exception is "
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31


def decompressed(request: web.Request, body: bytes) -> bytes:
    """Return the plain bytes of a POST; codings other than gzip and zstd are ignored."""
    match request.headers.get("Content-Encoding", "").lower():
        case "gzip":
            return _gunzip(body)
        case "zstd":
            return _unzstd(body)
        case _:
            return body


def _gunzip(body: bytes) -> bytes:
    """Decompress all members; garbage behind the last one is ignored, as Java does."""
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
            raise ProblemError(400, f"{_IO}java.io.EOFException: Unexpected end of ZLIB input stream")
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
    """Decode a body: UTF-8 for JSON types, else what the type names, else Latin-1."""
    if request.charset is None:
        subtype = request.content_type
        json_type = "Content-Type" in request.headers and (
            subtype == "application/json" or subtype.endswith("+json")
        )
        charset = "utf-8" if json_type else "latin-1"
    else:
        charset = request.charset
    return body.decode(charset, errors="replace")
