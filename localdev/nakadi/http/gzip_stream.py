"""Gzip as `java.util.zip.GZIPInputStream` reads it: strict in a member, lax behind the last one."""

from __future__ import annotations

import zlib

_MAGIC = b"\x1f\x8b"
_DEFLATE = 8
_HAS_CRC, _HAS_EXTRA, _HAS_NAME, _HAS_COMMENT = 2, 4, 8, 16
# Magic, method, flags, then time, extra flags and system, which are ignored.
_FIXED_LENGTH = 10
_TRAILER_LENGTH = 8
# What is left is taken for a further member if it is longer than a bare header and trailer.
_MEMBER_LENGTH_MIN = _FIXED_LENGTH + _TRAILER_LENGTH
_RAW_WINDOW = -15


class GzipFormatError(Exception):
    """Not gzip (`java.util.zip.ZipException`); the text is Java's."""


class GzipCutError(Exception):
    """The bytes end too early (`java.io.EOFException`); the text is Java's."""


def header_end(body: bytes, start: int = 0) -> int:
    """Return the position behind the header of the member at `start`."""
    # In the order in which Java looks: a header cut behind a wrong magic is a wrong magic.
    if len(_bytes(body, start, 2)) == 2 and body[start : start + 2] != _MAGIC:
        raise GzipFormatError("Not in GZIP format")
    if _bytes(body, start + 2, 1)[0] != _DEFLATE:
        raise GzipFormatError("Unsupported compression method")
    flags = _bytes(body, start + 3, 1)[0]
    at = start + _FIXED_LENGTH
    _bytes(body, start, _FIXED_LENGTH)
    if flags & _HAS_EXTRA:
        length = int.from_bytes(_bytes(body, at, 2), "little")
        _bytes(body, at + 2, length)
        at += 2 + length
    for flag in (_HAS_NAME, _HAS_COMMENT):
        if flags & flag:
            at = body.find(0, at) + 1
            if at == 0:
                raise GzipCutError
    if flags & _HAS_CRC:
        if int.from_bytes(_bytes(body, at, 2), "little") != zlib.crc32(body[start:at]) & 0xFFFF:
            raise GzipFormatError("Corrupt GZIP header")
        at += 2
    return at


def gunzip(body: bytes) -> bytes:
    """Decompress all members; what follows the last and is no member is ignored."""
    parts: list[bytes] = []
    at = header_end(body)
    while True:
        plain, at = _member(body, at)
        parts.append(plain)
        if len(body) - at <= _MEMBER_LENGTH_MIN:
            return b"".join(parts)
        try:
            at = header_end(body, at)
        except (GzipFormatError, GzipCutError):
            return b"".join(parts)


def _member(body: bytes, start: int) -> tuple[bytes, int]:
    """Decompress what follows a header; returns it and the position behind the trailer."""
    inflater = zlib.decompressobj(_RAW_WINDOW)
    try:
        plain = inflater.decompress(memoryview(body)[start:])
    except zlib.error as error:
        raise GzipFormatError(str(error).rpartition(": ")[2]) from None
    if not inflater.eof:
        raise GzipCutError("Unexpected end of ZLIB input stream")
    at = len(body) - len(inflater.unused_data)
    crc = int.from_bytes(_bytes(body, at, 4), "little")
    if crc != zlib.crc32(plain):
        raise GzipFormatError("Corrupt GZIP trailer")
    length = int.from_bytes(_bytes(body, at + 4, 4), "little")
    if length != len(plain) & 0xFFFFFFFF:
        raise GzipFormatError("Corrupt GZIP trailer")
    return plain, at + _TRAILER_LENGTH


def _bytes(body: bytes, at: int, count: int) -> bytes:
    found = body[at : at + count]
    if len(found) < count:
        raise GzipCutError
    return found
