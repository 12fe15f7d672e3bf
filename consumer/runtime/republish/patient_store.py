"""The rows of snapshots, asked again until there is a definite answer.

Rule: a write is sent again unchanged; its caller never meets an unknown outcome. That is safe, as
the row that comes back shows whether an earlier copy took effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from consumer.errors import Retryable, Unreachable
from consumer.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from consumer.core.republish.snapshot import Segment, Snapshot
    from consumer.ports import Chance, Clock
    from consumer.snapshot_ports import SnapshotStore

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 5.0
"""Ceilings of the wait between two tries."""

PATIENCE_SECONDS = 300.0
"""A run ends when the lease table has not answered for this long; one that resumes it goes on."""

T = TypeVar("T")


class PatientStore:
    """SnapshotStore whose calls raise Unreachable in place of Retryable, late."""

    def __init__(self, store: SnapshotStore, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._patience = Patience(
            clock, chance, first=FIRST_SECONDS, longest=LONGEST_SECONDS, seconds=PATIENCE_SECONDS
        )

    async def read_snapshot(self, table: str, snapshot_id: str) -> Snapshot | None:
        """Return the row of a snapshot, None if it was never begun or has expired."""
        return await self._answer(lambda: self._store.read_snapshot(table, snapshot_id))

    async def begin_snapshot(self, expected: Snapshot | None, row: Snapshot) -> Snapshot | None:
        """Write the row if all is as expected; return the row there now."""
        return await self._answer(lambda: self._store.begin_snapshot(expected, row))

    async def end_snapshot(self, row: Snapshot) -> Snapshot | None:
        """Write end and counts, if the same run has no end yet; return the row there now."""
        return await self._answer(lambda: self._store.end_snapshot(row))

    async def read_segments(self, snapshot: Snapshot) -> Sequence[Segment]:
        """Return the rows of all segments that were ever taken."""
        return await self._answer(lambda: self._store.read_segments(snapshot))

    async def write_segment(
        self, snapshot: Snapshot, expected: Segment, row: Segment
    ) -> Segment | None:
        """Write the row if it is as expected; return the row there now."""
        return await self._answer(lambda: self._store.write_segment(snapshot, expected, row))

    async def _answer(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            return await self._patience.answer(call)
        except Retryable as error:
            raise Unreachable(f"lease table: {error}") from error
