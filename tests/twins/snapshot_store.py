"""The rows of snapshots in memory, with the conditions of the port, and faults on request.

`SnapshotRows` is the table; each process talks to it through a `SnapshotStoreTwin` of its own.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from consumer.core.republish.snapshot import Segment, Snapshot
from consumer.errors import Retryable, UnknownOutcome
from tests.twins.lease_table import Fault

T = TypeVar("T")


@dataclass
class SnapshotRows:
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    segments: dict[str, dict[int, Segment]] = field(default_factory=dict)

    def of(self, snapshot: Snapshot) -> dict[int, Segment]:
        return self.segments.setdefault(snapshot.key, {})


class SnapshotStoreTwin:
    """SnapshotStore of one process. `faults` are used up one a call."""

    def __init__(self, rows: SnapshotRows, delay: float = 0.004, limit: float = 2.0) -> None:
        self.rows = rows
        self.delay = delay
        self.limit = limit
        self.cut = False  # nothing arrives
        self.faults: deque[Fault | None] = deque()

    async def _write(self, effect: Callable[[], T]) -> T:
        await asyncio.sleep(self.delay)
        fault = self.faults.popleft() if self.faults else None
        if self.cut or fault is Fault.HANGS:
            await asyncio.sleep(self.limit)
            raise UnknownOutcome("write", "timeout")
        if fault is Fault.LOST_BEFORE:
            raise UnknownOutcome("write", "reset")
        if fault is Fault.LATE:
            asyncio.get_running_loop().call_later(self.limit * 2, effect)
            await asyncio.sleep(self.limit)
            raise UnknownOutcome("write", "timeout")
        result = effect()
        if fault is Fault.LOST_AFTER:
            raise UnknownOutcome("write", "reset")
        return result

    async def _read(self) -> None:
        await asyncio.sleep(self.delay)
        if self.cut:
            await asyncio.sleep(self.limit)
            raise Retryable("read", "timeout")

    async def read_snapshot(self, table: str, snapshot_id: str) -> Snapshot | None:
        await self._read()
        return self.rows.snapshots.get(f"{table}/{snapshot_id}")

    async def begin_snapshot(self, expected: Snapshot | None, row: Snapshot) -> Snapshot | None:
        def effect() -> Snapshot | None:
            current = self.rows.snapshots.get(row.key)
            there = None if current is None else (current.run, current.ended_at)
            wanted = None if expected is None else (expected.run, expected.ended_at)
            if there == wanted:
                self.rows.snapshots[row.key] = row
            return self.rows.snapshots.get(row.key)

        return await self._write(effect)

    async def end_snapshot(self, row: Snapshot) -> Snapshot | None:
        def effect() -> Snapshot | None:
            current = self.rows.snapshots.get(row.key)
            if current is not None and current.run == row.run and current.ended_at is None:
                self.rows.snapshots[row.key] = row
            return self.rows.snapshots.get(row.key)

        return await self._write(effect)

    async def read_segments(self, snapshot: Snapshot) -> Sequence[Segment]:
        await self._read()
        return tuple(self.rows.of(snapshot).values())

    async def write_segment(
        self, snapshot: Snapshot, expected: Segment, row: Segment
    ) -> Segment | None:
        def effect() -> Segment | None:
            rows = self.rows.of(snapshot)
            current = rows.get(row.number)
            there = None if current is None else (current.run, current.owner, current.counter)
            wanted = (expected.run, expected.owner, expected.counter)
            if there == (wanted if expected.counter else None):
                rows[row.number] = row
            return rows.get(row.number)

        return await self._write(effect)
