"""The lines of a data file of an export: gzip, whose bytes have the MD5 of the manifest.

Memory is bounded: no more is unpacked at a time than a piece, and no line is longer than a limit.
"""

from __future__ import annotations

import zlib
from hashlib import md5
from typing import TYPE_CHECKING, Final

from consumer.core.repair.exported_change import OddExport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from consumer.core.repair.manifest import DataFile

UNPACKED_BYTES: Final = 1024 * 1024
"""Most bytes that are unpacked at a time."""

LINE_BYTES: Final = 16 * 1024 * 1024
"""Longest line. Two images of 400 KB have several times as many bytes as JSON."""

_GZIP: Final = zlib.MAX_WBITS | 16


async def lines_of(file: DataFile, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the lines of a file that are not empty. Raise OddExport, at its end at the latest."""
    unpacking = _Unpacking(file)
    async for piece in pieces:
        for line in unpacking.lines_of(piece):
            yield line
    last = unpacking.last_line()
    if last is not None:
        yield last


class _Unpacking:
    def __init__(self, file: DataFile) -> None:
        self._file = file
        self._digest = md5(usedforsecurity=False)
        self._gzip = zlib.decompressobj(_GZIP)
        self._rest = b""

    def lines_of(self, piece: bytes) -> Iterator[bytes]:
        """Yield the lines that a piece of the file completes."""
        self._digest.update(piece)
        while piece:
            if self._gzip.eof:  # a file may be several, one behind the other
                self._gzip = zlib.decompressobj(_GZIP)
            try:
                plain = self._gzip.decompress(piece, UNPACKED_BYTES)
            except zlib.error:
                raise OddExport(f"{self._file.key}: damaged gzip") from None
            piece = self._gzip.unused_data if self._gzip.eof else self._gzip.unconsumed_tail
            *lines, self._rest = (self._rest + plain).split(b"\n")
            if len(self._rest) > LINE_BYTES:
                raise OddExport(f"{self._file.key}: a line is longer than {LINE_BYTES} bytes")
            yield from filter(bytes.strip, lines)

    def last_line(self) -> bytes | None:
        """Return what is behind the last line's end. Raise OddExport if this is not the file."""
        if self._digest.digest() != self._file.md5:
            raise OddExport(f"{self._file.key}: its MD5 is not that of the manifest")
        if not self._gzip.eof:
            raise OddExport(f"{self._file.key}: gzip that is cut off")
        return self._rest if self._rest.strip() else None
