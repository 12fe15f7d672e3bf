"""The items that a run is about: named by keys, or found by partition keys and a filter."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from consumer.core.republish.item_key import Key, NotAKey, read_key, read_keys
from consumer.errors import Misconfigured
from consumer.runtime.republish.repairing import BATCH_KEYS
from consumer.runtime.republish.two_reads import BATCH_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from msgspec import Raw

    from consumer.core.republish.item_filter import ItemFilter
    from consumer.core.republish.table.read_item import ReadItem
    from consumer.core.republish.table.table_description import TableDescription
    from consumer.runtime.republish.table_reader import TableReader
    from consumer.snapshot_ports import TableScan

T = TypeVar("T")

KEYS_MAX = 1_000_000
"""Most keys of one run: they are all in memory. More are better served by a snapshot."""


class Wanted(Struct, frozen=True):
    """The keys of a run, each once, the partition keys that were given alone, and the filter."""

    keys: tuple[Raw, ...]
    partitions: tuple[Raw, ...] = ()
    asked: ItemFilter | None = None

    @property
    def total(self) -> int | None:
        """How many keys there are, None if that is not known before they are found."""
        return None if self.partitions or self.asked else len(self.keys)

    def told(self) -> str:
        """Return in a line which they are."""
        told = f"{len(self.keys)} keys"
        if self.partitions:
            told += f", all items of {len(self.partitions)} partition keys"
        if self.asked is not None:
            told += ", all items that the filter takes: the whole table is read"
        return told


def wanted_keys(given: Sequence[str], path: str | None, table: TableDescription) -> Wanted:
    """Return the keys of the options. Raise Misconfigured, with one line."""
    found: dict[object, Key] = {}
    for text in given:
        try:
            key = read_key(text, table)
        except NotAKey as error:
            raise Misconfigured(f"--key: {error}") from None
        found[key.identity] = key
    if path is not None:
        for key in _of_file(path, table):
            found[key.identity] = key
            if len(found) > KEYS_MAX:
                raise Misconfigured(f"--keys-from: more than {KEYS_MAX} keys; use a snapshot")
    return Wanted(
        tuple(key.text for key in found.values() if key.is_whole),
        tuple(key.text for key in found.values() if not key.is_whole),
    )


def _of_file(path: str, table: TableDescription) -> Iterator[Key]:
    try:
        with Path(path).open("rb") as lines:
            yield from read_keys(lines, table)
    except NotAKey as error:
        raise Misconfigured(f"--keys-from: {error}") from None
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise Misconfigured(
            f"--keys-from: found {path!r} ({reason}), wanted a readable file"
        ) from None


async def read_once(
    reader: TableReader, scan: TableScan, table: TableDescription, wanted: Wanted
) -> AsyncIterator[Sequence[ReadItem]]:
    """Yield all of them as they are now, those included that are absent. Raise Retryable."""
    for keys in batches(wanted.keys):
        yield await reader.get(keys)
    async for page in found(reader, scan, table, wanted):
        yield page


async def found(
    reader: TableReader, scan: TableScan, table: TableDescription, wanted: Wanted
) -> AsyncIterator[Sequence[ReadItem]]:
    """Yield the items of the partition keys, and those that the filter takes, page by page.

    Raise Retryable.
    """
    for partition in wanted.partitions:
        async for page in reader.query(partition):
            yield page
    if wanted.asked is not None:
        taken: list[ReadItem] = []
        size = 0
        async for page in reader.scan(scan, table.item_bytes):
            for item in filter(wanted.asked.takes, page):
                taken.append(item)
                size += len(bytes(item.item or b""))
            if len(taken) >= BATCH_KEYS or size >= BATCH_BYTES:
                yield taken
                taken, size = [], 0
        if taken:
            yield taken


def batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield them in batches that are read together."""
    for first in range(0, len(items), BATCH_KEYS):
        yield items[first : first + BATCH_KEYS]
