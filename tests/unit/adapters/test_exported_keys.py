"""The lines of data files, and the distinct keys that they name."""

import gzip
from collections.abc import AsyncIterator
from hashlib import md5
from pathlib import Path
from tempfile import gettempdir

import pytest
from msgspec import Raw

from consumer.adapters.exports import changed_keys, data_file
from consumer.adapters.exports.changed_keys import ChangedKeys
from consumer.adapters.exports.data_file import lines_of
from consumer.core.repair.exported_change import ExportedChange, OddExport
from consumer.core.repair.manifest import DataFile


def digest(body: bytes) -> bytes:
    return md5(body, usedforsecurity=False).digest()


async def cut(body: bytes, size: int) -> AsyncIterator[bytes]:
    for place in range(0, len(body), size):
        yield body[place : place + size]


async def read(body: bytes, size: int = 7, checksum: bytes | None = None) -> list[bytes]:
    file = DataFile("data/file", digest(body) if checksum is None else checksum, 0)
    return [line async for line in lines_of(file, cut(body, size))]


@pytest.mark.parametrize("size", [1, 2, 1000])
async def test_lines_whatever_the_pieces(size: int) -> None:
    assert await read(gzip.compress(b"one\n\ntwo\n \nthree"), size) == [b"one", b"two", b"three"]
    assert await read(gzip.compress(b"")) == []


async def test_a_long_file_is_unpacked_a_piece_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_file, "UNPACKED_BYTES", 64)
    lines = [b"%d" % number * 30 for number in range(500)]
    assert await read(gzip.compress(b"\n".join(lines)), 1000) == lines


async def test_a_file_may_be_several_one_behind_the_other() -> None:
    assert await read(gzip.compress(b"one\ntw") + gzip.compress(b"o\n")) == [b"one", b"two"]


async def test_another_md5_is_refused_at_the_end() -> None:
    with pytest.raises(OddExport, match="data/file: its MD5 is not that of the manifest"):
        await read(gzip.compress(b"one\n"), checksum=digest(b"other"))


@pytest.mark.parametrize("size", [3, 1000])
async def test_what_is_cut_off_is_refused(size: int) -> None:
    whole = gzip.compress(b"one\ntwo\n" * 1000)
    for length in (len(whole) - 1, len(whole) - 9, 5, 0):
        with pytest.raises(OddExport, match="cut off"):
            await read(whole[:length], size)


async def test_what_is_no_gzip_is_refused() -> None:
    with pytest.raises(OddExport, match="damaged gzip"):
        await read(b'{"Keys": {}}')


async def test_a_line_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_file, "LINE_BYTES", 10)
    monkeypatch.setattr(data_file, "UNPACKED_BYTES", 4)
    assert await read(gzip.compress(b"0123456789\n")) == [b"0123456789"]
    with pytest.raises(OddExport, match="longer than 10 bytes"):
        await read(gzip.compress(b"0123456789abcdef\n"))


def changed(key: bytes, at: int, image: bytes | None = b"{}") -> ExportedChange:
    return ExportedChange(key, Raw(b"[%b]" % key), at, None if image is None else Raw(image))


def test_of_each_key_the_newest_image_is_kept() -> None:
    with ChangedKeys() as keys:
        keys.add([changed(b"b", 5, b"new"), changed(b"a", 1), changed(b"b", 4, b"old")])
        keys.add([changed(b"a", 2, None)])
        assert keys.count() == 2
        assert keys.following(b"", 9) == [changed(b"a", 2, None), changed(b"b", 5, b"new")]


def test_keys_follow_each_other_in_their_order() -> None:
    with ChangedKeys() as keys:
        keys.add(changed(b"%02d" % number, 1) for number in range(30))
        assert [each.key for each in keys.following(b"07", 2)] == [b"08", b"09"]
        assert keys.following(b"29", 2) == []


def test_a_batch_of_long_images_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changed_keys, "BATCH_BYTES", 10)
    with ChangedKeys() as keys:
        keys.add(changed(b"%d" % number, 1, b"x" * 6) for number in range(9))
        assert [each.key for each in keys.following(b"", 9)] == [b"0", b"1"]


def test_nothing_is_left_on_the_disk() -> None:
    before = set(Path(gettempdir()).glob("consumer-repair-*"))
    with ChangedKeys() as keys:
        keys.add([changed(b"a", 1)])
        assert set(Path(gettempdir()).glob("consumer-repair-*")) == before
