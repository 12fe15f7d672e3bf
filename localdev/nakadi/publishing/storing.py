"""Decides for each event whether the store takes it, which faults and limits prevent."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

import zstandard

from localdev.nakadi.control.faults import Fault, PartialMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from localdev.nakadi.publishing.batch import Event

# Kafka's default message.max.bytes; a partition's part of a request travels as one batch.
MESSAGE_MAX_BYTES = 1_048_588
# The server's producer compresses by LZ4 in blocks of 64 KiB. This level of zstd leaves literals
# alone as LZ4 does, and this window sees as little.
_LEVEL, _WINDOW_LOG = -1, 16


@dataclass(frozen=True, slots=True)
class Fate:
    """The status of an item (`submitted`, `failed`, `aborted`), and whether its event is stored."""

    status: str
    written: bool


STORED = Fate("submitted", written=True)
LOST = Fate("failed", written=False)


@dataclass(frozen=True, slots=True)
class Placed:
    """An event that has passed all checks, with its partition and its ordering key."""

    event: Event
    partition: str
    key: str


def fates(placed: list[Placed], fault: Fault | None) -> list[Fate]:
    """Return what happens to each event of a request."""
    found = [STORED] * len(placed) if fault is None else _by_fault(placed, fault)
    for partition in _oversized(placed, MESSAGE_MAX_BYTES):
        found = [
            LOST if item.partition == partition else fate
            for item, fate in zip(placed, found, strict=True)
        ]
    return found


def _by_fault(placed: list[Placed], fault: Fault) -> list[Fate]:
    failed = Fate("failed", fault.written)
    match fault.mode:
        case PartialMode.PARTITION:
            return _choose(placed, lambda item: item.partition in fault.partitions, failed)
        case PartialMode.ALL:
            return [failed] * len(placed)
        case PartialMode.NTH:
            return [failed if at % fault.nth == fault.nth - 1 else STORED for at in _at(placed)]
        case PartialMode.LATER:
            return _later(placed)
        case PartialMode.ABORTED:
            aborted = [Fate("aborted", written=at % 2 == 1) for at in _at(placed)]
            return [LOST, *aborted[1:]]
        case PartialMode.BYTES:
            large = _oversized(placed, fault.limit)
            return _choose(placed, lambda item: item.partition in large, failed)
        case _:
            assert_never(fault.mode)


def _at(placed: list[Placed]) -> range:
    return range(len(placed))


def _choose(placed: list[Placed], bad: Callable[[Placed], bool], failed: Fate) -> list[Fate]:
    return [failed if bad(item) else STORED for item in placed]


def _later(placed: list[Placed]) -> list[Fate]:
    """Fail the first event of every key with several: the store does not keep their order."""
    several = {key for key, count in Counter(item.key for item in placed).items() if count > 1}
    result: list[Fate] = []
    for item in placed:
        result.append(LOST if item.key in several else STORED)
        several.discard(item.key)
    return result


def _oversized(placed: list[Placed], limit: int) -> list[str]:
    """Return the partitions whose part of the request is too much for one message."""
    if sum(len(item.event.text) for item in placed) * 4 <= limit:
        return []
    parts: defaultdict[str, list[str]] = defaultdict(list)
    for item in placed:
        parts[item.partition].append(item.event.text)
    return [name for name, texts in parts.items() if _batch_bytes(texts, limit) > limit]


_compressor = zstandard.ZstdCompressor(
    compression_params=zstandard.ZstdCompressionParameters.from_level(
        _LEVEL, window_log=_WINDOW_LOG
    )
)


def _batch_bytes(texts: list[str], limit: int) -> int:
    """Return the bytes of a batch as sent; it is compressed only if it could be too large."""
    raw = "".join(texts).encode(errors="replace")
    return len(raw) if len(raw) <= limit else len(_compressor.compress(raw))
