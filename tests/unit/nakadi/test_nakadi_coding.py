"""Compressed bodies: what the server's two readers take, and which check comes first."""

from __future__ import annotations

import gzip
import zlib
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import zstandard

from localdev.nakadi.http.gzip_stream import GzipCutError, GzipFormatError, gunzip
from localdev.nakadi.process import NakadiProcess, local_nakadi
from tests.unit.nakadi.event_types import schemaless

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENTS = b'[{"x": 1}, {"x": 2}]'
SKIPPABLE = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
PATH = "/event-types/coded/events"


def packed(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


def zstd(body: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(body)


def size(value: object) -> str | None:
    return f"{len(value)} bytes" if isinstance(value, bytes) else None


GZIP = packed(EVENTS)
CUT_DATA = GZIP[:-12]


@pytest.fixture(scope="module")
def server() -> Iterator[NakadiProcess]:
    with local_nakadi() as nakadi:
        nakadi.create_event_type(schemaless("coded"))
        yield nakadi


def answer(
    server: NakadiProcess,
    body: bytes,
    coding: str,
    content_type: str = "application/json",
    path: str = PATH,
) -> tuple[int, str]:
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    try:
        headers = {"Content-Type": content_type, "Content-Encoding": coding}
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (zstd(EVENTS[:9]) + zstd(EVENTS[9:]), 200, ""),
        (SKIPPABLE + zstd(EVENTS), 200, ""),
        (zstd(b"") + zstd(EVENTS) + SKIPPABLE, 200, ""),
        (zstd(EVENTS) + b"garbage", 400, "Unknown frame descriptor"),
        (zstd(EVENTS)[:-1] + b"\0", 400, "doesn't match checksum"),
        (zstd(EVENTS)[:-1], 400, "Truncated source"),
        (zstd(EVENTS) + zstd(EVENTS)[:8], 200, ""),
        (zstd(b""), 400, "Required request body is missing"),
        (b"", 400, "Required request body is missing"),
    ],
    ids=size,
)
def test_zstd(server: NakadiProcess, body: bytes, status: int, text: str) -> None:
    found = answer(server, body, "zstd")
    assert found[0] == status
    assert text in found[1]


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (GZIP + b"\x1f\x8bgarbage, not a second header", 200, ""),
        (GZIP + GZIP[:9], 200, ""),
        (packed(EVENTS[:9]) + packed(EVENTS[9:]) + b"\0" * 20, 200, ""),
        (GZIP + CUT_DATA, 400, "Unexpected end of ZLIB input stream"),
        (GZIP[:-1] + b"\x09", 400, "Corrupt GZIP trailer"),
        (GZIP[:-3], 400, "EOFException"),
        (packed(b""), 400, "Required request body is missing"),
        (b"\x1f\x8b\x07" + GZIP[3:], 400, '"detail":"Unsupported compression method"'),
        (b"plain", 400, '"detail":"Not in GZIP format"'),
        *((GZIP[:length], 500, '"error":"Internal Server Error"') for length in range(10)),
    ],
    ids=size,
)
def test_gzip(server: NakadiProcess, body: bytes, status: int, text: str) -> None:
    found = answer(server, body, "gzip")
    assert found[0] == status
    assert text in found[1]


@pytest.mark.parametrize(
    ("content_type", "body", "coding", "status"),
    [
        ("application/json; charset=bogus", CUT_DATA, "gzip", 415),
        ("application/json; charset=bogus", b"plain", "gzip", 400),
        ("application/json; charset=bogus", b"plain", "zstd", 415),
        ("application/json; charset=bogus", zstd(b""), "zstd", 415),
        ("multipart/mixed; boundary=x", zstd(EVENTS), "zstd", 400),
    ],
    ids=size,
)
def test_a_gzip_header_comes_before_the_charset_and_the_data_behind_it(
    server: NakadiProcess, content_type: str, body: bytes, coding: str, status: int
) -> None:
    assert answer(server, body, coding, content_type)[0] == status


def test_a_gzip_header_is_read_whatever_the_path(server: NakadiProcess) -> None:
    for path, status in (("/nope", 404), ("/event-types", 415)):
        assert answer(server, GZIP, "gzip", "text/plain", path)[0] == status
        assert answer(server, b"plain", "gzip", "text/plain", path)[0] == 400


def test_all_parts_of_a_gzip_header_are_skipped() -> None:
    data = GZIP[10:]
    head = b"\x1f\x8b\x08\x1e" + bytes(6) + b"\x02\x00xx" + b"name\x00" + b"comment\x00"
    crc = (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little")
    assert gunzip(head + crc + data) == EVENTS
    assert gunzip(b"\x1f\x8b\x08\xe0" + bytes(6) + data) == EVENTS
    with pytest.raises(GzipFormatError, match="Corrupt GZIP header"):
        gunzip(head + b"\0\0" + data)
    for length in range(len(head + crc)):
        with pytest.raises(GzipCutError):
            gunzip((head + crc)[:length])
