"""Gathering the keys that changed in a gap, from complete exports of its windows.

Ownership: it has at most one batch of changes in memory; what keeps the keys is the caller's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from consumer.core.repair.export import ExportState
    from consumer.core.repair.exported_change import ExportedChange
    from consumer.core.repair.manifest import Summary
    from consumer.repair_ports import ExportFiles

BATCH_CHANGES: Final = 500
"""Most changes that are kept together."""

BATCH_BYTES: Final = 8 * 1024 * 1024
"""A batch with more bytes of images is kept before it has as many changes."""


class Keeper(Protocol):
    """Keeps each key once, with its newest image."""

    def add(self, changes: Iterable[ExportedChange]) -> None:
        """Keep these changes."""
        ...


async def gather(
    files: ExportFiles,
    state: ExportState,
    summary: Summary,
    keeper: Keeper,
    read: Callable[[int], None],
) -> int:
    """Read all changes of an export, and return how many lines it has.

    `read` is called with the number of lines read so far. Raise Retryable, Misconfigured: then what
    is kept is not all, and part of it may be wrong.
    """
    batch: list[ExportedChange] = []
    size = lines = 0
    async for change in files.changes(state, summary):
        batch.append(change)
        size += len(bytes(change.image or b""))
        lines += 1
        if len(batch) >= BATCH_CHANGES or size >= BATCH_BYTES:
            keeper.add(batch)
            batch, size = [], 0
            read(lines)
    keeper.add(batch)
    return lines
