"""The lease table in memory: conditional writes, strongly consistent reads, faults on request.

`LeaseTable` is the table; each worker talks to it through a `LeaseTableTwin` of its own, which has
a delay and a list of faults. The conditions are those of the port; what a write may touch, too.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from consumer.core.lease import Gap, Lease, LeaseWrite, StreamRow, Worker
from consumer.errors import LeaseConflict, Retryable, UnknownOutcome


class Fault(Enum):
    LOST_BEFORE = "the request never arrived"
    LOST_AFTER = "the answer was lost"
    REFUSED = "throttled: a definite no"
    HANGS = "no answer within the time limit, no effect"


@dataclass
class LeaseTable:
    """The rows, and a log of (operation, key) in the order of their effect."""

    workers: dict[str, Worker] = field(default_factory=dict)
    streams: dict[str, StreamRow] = field(default_factory=dict)
    leases: dict[str, dict[str, Lease]] = field(default_factory=dict)
    gaps: dict[str, dict[tuple[str, str], Gap]] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)

    def of(self, stream_key: str) -> dict[str, Lease]:
        return self.leases.setdefault(stream_key, {})

    def owners(self, stream_key: str) -> dict[str, str | None]:
        return {shard: lease.owner for shard, lease in self.of(stream_key).items()}

    def count(self, operation: str) -> int:
        return sum(done == operation for done, _ in self.log)


class LeaseTableTwin:
    """LeaseStore for one worker. `faults` are used up one per call of the operation named."""

    def __init__(
        self, table: LeaseTable, delay: float = 0.004, limit: float = 2.0
    ) -> None:
        self.table = table
        self.delay = delay
        self.limit = limit
        self.cut = False  # nothing arrives: the network to the table is down
        self.faults: dict[str, deque[Fault | None]] = {}

    def fail(self, operation: str, *faults: Fault | None) -> None:
        self.faults.setdefault(operation, deque()).extend(faults)

    async def _arrive(self, operation: str, *, write: bool) -> Fault | None:
        await asyncio.sleep(self.delay / 2)
        queue = self.faults.get(operation)
        fault = queue.popleft() if queue else None
        if self.cut or fault is Fault.HANGS:
            await asyncio.sleep(self.limit)
            raise (UnknownOutcome if write else Retryable)(operation, "timeout")
        if fault is Fault.REFUSED:
            raise Retryable(operation, "throttled")
        if fault is Fault.LOST_BEFORE:
            raise (UnknownOutcome if write else Retryable)(operation, "reset")
        return fault

    async def _answer(self, operation: str, key: str, fault: Fault | None) -> None:
        self.table.log.append((operation, key))
        await asyncio.sleep(self.delay / 2)
        if fault is Fault.LOST_AFTER:
            raise UnknownOutcome(operation, "reset")

    async def _read(self, operation: str, key: str = "") -> None:
        fault = await self._arrive(operation, write=False)
        if fault is Fault.LOST_AFTER:
            raise Retryable(operation, "reset")
        self.table.log.append((operation, key))

    async def ensure_table(self, *, create: bool) -> None:
        await self._read("ensure_table")

    async def read_peers(self) -> tuple[Sequence[Worker], Sequence[StreamRow]]:
        await self._read("read_peers")
        rows = tuple(self.table.workers.values()), tuple(self.table.streams.values())
        await asyncio.sleep(self.delay / 2)
        return rows

    async def read_leases(self, stream_key: str) -> Sequence[Lease]:
        await self._read("read_leases", stream_key)
        rows = tuple(self.table.of(stream_key).values())
        await asyncio.sleep(self.delay / 2)
        return rows

    async def read_gaps(self, stream_key: str) -> Sequence[Gap]:
        await self._read("read_gaps", stream_key)
        return tuple(self.table.gaps.get(stream_key, {}).values())

    async def put_worker(self, worker: Worker) -> None:
        fault = await self._arrive("put_worker", write=True)
        self.table.workers[worker.worker_id] = worker
        await self._answer("put_worker", worker.worker_id, fault)

    async def delete_worker(self, worker_id: str) -> None:
        fault = await self._arrive("delete_worker", write=True)
        self.table.workers.pop(worker_id, None)
        await self._answer("delete_worker", worker_id, fault)

    async def create_stream(self, row: StreamRow) -> StreamRow:
        fault = await self._arrive("create_stream", write=True)
        row = self.table.streams.setdefault(row.key, row)
        await self._answer("create_stream", row.key, fault)
        return row

    async def replace_stream(self, expected: StreamRow, row: StreamRow) -> StreamRow | None:
        fault = await self._arrive("replace_stream", write=True)
        current = self.table.streams.get(row.key)
        same = current is not None and _guards(current) == _guards(expected)
        if same:
            self.table.streams[row.key] = row
        await self._answer("replace_stream", row.key, fault)
        return row if same else None

    async def create_lease(self, stream_key: str, lease: Lease) -> bool:
        fault = await self._arrive("create_lease", write=True)
        leases = self.table.of(stream_key)
        created = lease.shard_id not in leases
        leases.setdefault(lease.shard_id, lease)
        await self._answer("create_lease", lease.shard_id, fault)
        return created

    async def delete_lease(self, stream_key: str, lease: Lease) -> bool:
        fault = await self._arrive("delete_lease", write=True)
        leases = self.table.of(stream_key)
        current = leases.get(lease.shard_id)
        same = current is not None and (current.owner, current.counter, current.checkpoint) == (
            lease.owner,
            lease.counter,
            lease.checkpoint,
        )
        if same:
            del leases[lease.shard_id]
        await self._answer("delete_lease", lease.shard_id, fault)
        return same

    async def write_lease(self, stream_key: str, write: LeaseWrite) -> Lease:
        fault = await self._arrive("write_lease", write=True)
        leases = self.table.of(stream_key)
        shard_id = write.row.shard_id
        current = leases.get(shard_id)
        if current is None or not _holds(write, current):
            await self._answer("refuse_lease", shard_id, fault)
            raise LeaseConflict(f"{shard_id} is not as expected", current)
        new = replace(
            current,
            owner=write.row.owner,
            counter=write.row.counter,
            released_at=write.row.released_at,
            owner_switches=write.row.owner_switches,
        )
        if not write.keeps_checkpoint:
            new = replace(
                new,
                checkpoint=write.row.checkpoint,
                record_at=write.row.record_at,
                caught_up_at=write.row.caught_up_at,
            )
        leases[shard_id] = new
        await self._answer("write_lease", shard_id, fault)
        return new

    async def mark_parent_gone(self, stream_key: str, shard_id: str) -> None:
        fault = await self._arrive("mark_parent_gone", write=True)
        leases = self.table.of(stream_key)
        if shard_id in leases:
            leases[shard_id] = replace(leases[shard_id], parent_gone=True)
        await self._answer("mark_parent_gone", shard_id, fault)

    async def put_gap(self, stream_key: str, gap: Gap) -> bool:
        fault = await self._arrive("put_gap", write=True)
        gaps = self.table.gaps.setdefault(stream_key, {})
        created = (gap.shard_id, gap.from_) not in gaps
        gaps.setdefault((gap.shard_id, gap.from_), gap)
        await self._answer("put_gap", gap.shard_id, fault)
        return created

    async def complete_gap(self, stream_key: str, gap: Gap) -> None:
        fault = await self._arrive("complete_gap", write=True)
        gaps = self.table.gaps.setdefault(stream_key, {})
        current = gaps.get((gap.shard_id, gap.from_))
        if current is not None and current.to is None:
            gaps[gap.shard_id, gap.from_] = replace(current, to=gap.to)
        await self._answer("complete_gap", gap.shard_id, fault)


def _guards(row: StreamRow) -> tuple[object, ...]:
    return row.sweep_n, row.sweep_done, row.bootstrapped, row.fingerprint


def _holds(write: LeaseWrite, current: Lease) -> bool:
    expected = write.expected
    if (current.owner, current.counter) != (expected.owner, expected.counter):
        return False
    return write.keeps_checkpoint or current.checkpoint == expected.checkpoint
