"""The lease table in memory: conditional writes, strongly consistent reads, faults on request.

`LeaseTable` is the table; each worker talks to it through a `LeaseTableTwin` of its own, which has
a delay and a list of faults. The conditions are those of the port; what a write may touch, too.

A lease or stream row of the table whose `unreadable` names an attribute is damaged there: the rest
of it is as it was, and comes back when the attribute is repaired. `as_read` is how it is read.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from msgspec.structs import replace

from consumer.core.leases.checkpoint import UNREADABLE
from consumer.core.leases.command import Command
from consumer.core.leases.lease import SEEK, Gap, Lease, LeaseWrite, StreamRow, Worker
from consumer.core.shard.gap import met_again
from consumer.errors import LeaseConflict, LeaseTableGone, Retryable, UnknownOutcome

T = TypeVar("T")


class Fault(Enum):
    LOST_BEFORE = "the request never arrived"
    LOST_AFTER = "the answer was lost"
    REFUSED = "throttled: a definite no"
    HANGS = "no answer within the time limit, no effect"
    LATE = "no answer within the time limit, the effect comes after it"


@dataclass
class LeaseTable:
    """The rows, and a log of (operation, key) in the order of their effect."""

    workers: dict[str, Worker] = field(default_factory=dict)
    streams: dict[str, StreamRow] = field(default_factory=dict)
    leases: dict[str, dict[str, Lease]] = field(default_factory=dict)
    gaps: dict[str, dict[tuple[str, str], Gap]] = field(default_factory=dict)
    commands: dict[str, dict[int, Command]] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)
    gone: bool = False  # there is no such table, until `make`

    def drop(self) -> None:
        """Delete the table, and all rows with it."""
        for rows in (self.workers, self.streams, self.leases, self.gaps, self.commands):
            rows.clear()
        self.gone = True

    def make(self) -> None:
        """Make an empty table."""
        self.gone = False

    def of(self, stream_key: str) -> dict[str, Lease]:
        return self.leases.setdefault(stream_key, {})

    def owners(self, stream_key: str) -> dict[str, str | None]:
        return {shard: lease.owner for shard, lease in self.of(stream_key).items()}

    def count(self, operation: str) -> int:
        return sum(done == operation for done, _ in self.log)


class LeaseTableTwin:
    """LeaseStore for one worker. `faults` are used up one per call of the operation named."""

    def __init__(self, table: LeaseTable, delay: float = 0.004, limit: float = 2.0) -> None:
        self.table = table
        self.delay = delay
        self.limit = limit
        self.awake = asyncio.Event()  # cleared: the process is suspended between any two steps
        self.awake.set()
        self.cut = False  # nothing arrives: the network to the table is down
        self.faults: dict[str, deque[Fault | None]] = {}
        self.chance: Callable[[str], Fault | None] = lambda _operation: None

    def fail(self, operation: str, *faults: Fault | None) -> None:
        self.faults.setdefault(operation, deque()).extend(faults)

    async def _fault(self, operation: str, *, write: bool) -> Fault | None:
        """Wait for the request to arrive; raise if it does not."""
        unknown = UnknownOutcome if write else Retryable
        await self.awake.wait()
        await asyncio.sleep(self.delay / 2)
        queue = self.faults.get(operation)
        fault = queue.popleft() if queue else self.chance(operation)
        if self.cut or fault is Fault.HANGS:
            await asyncio.sleep(self.limit)
            raise unknown(operation, "timeout")
        if self.table.gone:
            raise LeaseTableGone(f"{operation}: no table")
        if fault is Fault.REFUSED:
            raise Retryable(operation, "throttled")
        if fault is Fault.LOST_BEFORE:
            raise unknown(operation, "reset")
        return fault

    async def _write(self, operation: str, key: str, effect: Callable[[], T]) -> T:
        fault = await self._fault(operation, write=True)
        if fault is Fault.LATE:
            asyncio.get_running_loop().call_later(
                self.limit * 2, self._land, operation, key, effect
            )
            await asyncio.sleep(self.limit)
            raise UnknownOutcome(operation, "timeout")
        try:
            result = effect()
        except LeaseConflict:
            self.table.log.append((f"refused {operation}", key))
            await self._back(operation, fault)
            raise
        self.table.log.append((operation, key))
        await self._back(operation, fault)
        return result

    async def _back(self, operation: str, fault: Fault | None) -> None:
        await asyncio.sleep(self.delay / 2)
        await self.awake.wait()
        if fault is Fault.LOST_AFTER:
            raise UnknownOutcome(operation, "reset")

    def _land(self, operation: str, key: str, effect: Callable[[], object]) -> None:
        with suppress(LeaseConflict):
            effect()
            self.table.log.append((f"late {operation}", key))

    async def _read(self, operation: str, key: str = "") -> None:
        fault = await self._fault(operation, write=False)
        self.table.log.append((operation, key))
        if fault in (Fault.LOST_AFTER, Fault.LATE):
            raise Retryable(operation, "reset")

    async def ensure_table(self, *, create: bool) -> None:
        await self._read("ensure_table")

    async def read_peers(self) -> tuple[Sequence[Worker], Sequence[StreamRow]]:
        await self._read("read_peers")
        streams = tuple(stream_as_read(row) for row in self.table.streams.values())
        rows = tuple(self.table.workers.values()), streams
        await asyncio.sleep(self.delay / 2)
        await self.awake.wait()
        return rows

    async def read_leases(self, stream_key: str) -> Sequence[Lease]:
        await self._read("read_leases", stream_key)
        rows = tuple(as_read(row) for row in self.table.of(stream_key).values())
        await asyncio.sleep(self.delay / 2)
        await self.awake.wait()
        return rows

    async def read_gaps(self, stream_key: str) -> Sequence[Gap]:
        await self._read("read_gaps", stream_key)
        return tuple(self.table.gaps.get(stream_key, {}).values())

    async def read_commands(self, stream_key: str, after: int) -> Sequence[Command]:
        await self._read("read_commands", stream_key)
        return self._commands(stream_key, after)

    def _commands(self, stream_key: str, after: int) -> Sequence[Command]:
        rows = self.table.commands.get(stream_key, {})
        return tuple(rows[number] for number in sorted(rows) if number > after)

    async def add_command(self, stream_key: str, command: Command) -> bool:
        def effect() -> bool:
            row = self.table.streams.get(stream_key)
            commands = self.table.commands.setdefault(stream_key, {})
            if command.number in commands:
                return commands[command.number].token == command.token
            if row is None or row.commands != command.number - 1:
                return False
            commands[command.number] = command
            self.table.streams[stream_key] = replace(row, commands=command.number)
            return True

        return await self._write("add_command", stream_key, effect)

    async def put_worker(self, worker: Worker) -> None:
        def effect() -> None:
            self.table.workers[worker.worker_id] = worker

        await self._write("put_worker", worker.worker_id, effect)

    async def delete_worker(self, worker_id: str) -> None:
        def effect() -> None:
            self.table.workers.pop(worker_id, None)

        await self._write("delete_worker", worker_id, effect)

    async def create_stream(self, row: StreamRow) -> StreamRow:
        def effect() -> StreamRow:
            return stream_as_read(self.table.streams.setdefault(row.key, row))

        return await self._write("create_stream", row.key, effect)

    async def replace_stream(self, expected: StreamRow, row: StreamRow) -> StreamRow | None:
        def effect() -> StreamRow | None:
            current = self.table.streams.get(row.key)
            if current is None or _guards(stream_as_read(current)) != _guards(expected):
                return None
            mark = current.passed_by if row.passed_by == expected.passed_by else row.passed_by
            new = replace(row, commands=current.commands, passed_by=mark)
            if row.event_types == expected.event_types:
                new = replace(new, event_types=current.event_types)
            if row.published == expected.published:
                new = replace(new, published=current.published)
            if row.stream_prefix == expected.stream_prefix:
                new = replace(new, stream_prefix=current.stream_prefix)
            self.table.streams[row.key] = new = replace(new, unreadable=current.unreadable)
            return None if new.unreadable is not None else new

        return await self._write("replace_stream", row.key, effect)

    async def write_purpose(self, expected: StreamRow, row: StreamRow) -> StreamRow | None:
        def effect() -> StreamRow | None:
            current = self.table.streams.get(row.key)
            if current is None or _purpose(stream_as_read(current)) != _purpose(expected):
                return None
            fingerprint, event_types, published, prefix = _purpose(row)
            new = replace(
                current,
                fingerprint=fingerprint,
                event_types=event_types,
                published=published,
                stream_prefix=prefix,
            )
            self.table.streams[row.key] = new
            return None if new.unreadable is not None else new

        return await self._write("write_purpose", row.key, effect)

    async def create_lease(self, stream_key: str, lease: Lease) -> bool:
        def effect() -> bool:
            leases = self.table.of(stream_key)
            created = lease.shard_id not in leases
            leases.setdefault(lease.shard_id, lease)
            return created

        return await self._write("create_lease", lease.shard_id, effect)

    async def delete_lease(self, stream_key: str, lease: Lease) -> bool:
        def effect() -> bool:
            leases = self.table.of(stream_key)
            current = leases.get(lease.shard_id)
            same = current is not None and _stands(current, lease, keeps_checkpoint=False)
            if same:
                del leases[lease.shard_id]
            return same

        return await self._write("delete_lease", lease.shard_id, effect)

    async def write_lease(self, stream_key: str, write: LeaseWrite) -> Lease:
        shard_id = write.row.shard_id

        def effect() -> Lease:
            leases = self.table.of(stream_key)
            current = leases.get(shard_id)
            keeps = write.keeps_checkpoint
            if current is None or not _stands(current, write.expected, keeps_checkpoint=keeps):
                shown = None if current is None else as_read(current)
                raise LeaseConflict(f"{shard_id} is not as expected", shown)
            leases[shard_id] = new = _written(write, current)
            if new.unreadable is not None:
                raise LeaseConflict(f"the row of {shard_id} cannot be read", as_read(new))
            return new

        return await self._write("write_lease", shard_id, effect)

    async def mark_parent_gone(self, stream_key: str, shard_id: str) -> None:
        def effect() -> None:
            leases = self.table.of(stream_key)
            if shard_id in leases:
                leases[shard_id] = replace(leases[shard_id], parent_gone=True)

        await self._write("mark_parent_gone", shard_id, effect)

    async def put_gap(self, stream_key: str, gap: Gap) -> bool:
        def effect() -> bool:
            gaps = self.table.gaps.setdefault(stream_key, {})
            current = gaps.setdefault((gap.shard_id, gap.from_), gap)
            if current.reason == SEEK != gap.reason:
                current = gaps[gap.shard_id, gap.from_] = gap
            if current.detected_at == gap.detected_at:
                return True
            gaps[gap.shard_id, gap.from_] = met_again(current, gap)
            return False

        return await self._write("put_gap", gap.shard_id, effect)

    async def complete_gap(self, stream_key: str, gap: Gap) -> None:
        def effect() -> None:
            gaps = self.table.gaps.setdefault(stream_key, {})
            current = gaps.get((gap.shard_id, gap.from_))
            if current is not None and current.detected_at == gap.detected_at:
                gaps[gap.shard_id, gap.from_] = replace(current, to=gap.to, to_time=gap.to_time)

        await self._write("complete_gap", gap.shard_id, effect)

    async def mark_repaired(self, stream_key: str, gap: Gap) -> bool:
        def effect() -> bool:
            gaps = self.table.gaps.setdefault(stream_key, {})
            current = gaps.get((gap.shard_id, gap.from_))
            stands = current is not None and current.detected_at == gap.detected_at
            if current is not None and stands:
                gaps[gap.shard_id, gap.from_] = replace(
                    current, to_time=gap.to_time, repaired_at=gap.repaired_at
                )
            return stands

        return await self._write("mark_repaired", gap.shard_id, effect)


def as_read(row: Lease) -> Lease:
    """Return a lease row as whoever reads it has it."""
    match row.unreadable:
        case None:
            return row
        case "leaseOwner":
            return replace(row, owner=None, checkpoint=UNREADABLE)
        case "leaseCounter":
            return replace(row, counter=0, checkpoint=UNREADABLE)
        case _:
            return replace(row, checkpoint=UNREADABLE)


def stream_as_read(row: StreamRow) -> StreamRow:
    """Return a stream row as whoever reads it has it."""
    match row.unreadable:
        case "streamArn":
            return replace(row, arn="")
        case "fingerprint":
            return replace(row, fingerprint="")
        case "sweep":
            return replace(row, sweep_n=0, sweep_done=0, swept_at=None)
        case _:
            return row


def _written(write: LeaseWrite, current: Lease) -> Lease:
    """What the write sets; `parent_gone` and the like stay as they are."""
    row = write.row
    new = replace(
        current,
        owner=row.owner,
        counter=row.counter,
        released_at=row.released_at,
        owner_switches=row.owner_switches,
    )
    for name in ("command_counter", "paused", "skip_before", "parent_gone", "pause"):
        if getattr(row, name) != getattr(write.expected, name):
            new = replace(new, **{name: getattr(row, name)})
    if write.keeps_checkpoint:
        return new
    return replace(
        new,
        checkpoint=row.checkpoint,
        record_at=row.record_at,
        caught_up_at=row.caught_up_at,
        mark=row.mark,
    )


def _purpose(
    row: StreamRow,
) -> tuple[str, tuple[str, ...] | None, tuple[str, ...] | None, str | None]:
    return row.fingerprint, row.event_types, row.published, row.stream_prefix


def _guards(row: StreamRow) -> tuple[object, ...]:
    return row.sweep_n, row.sweep_done, row.bootstrapped, row.fingerprint


def _stands(current: Lease, expected: Lease, *, keeps_checkpoint: bool) -> bool:
    """The condition of a write holds. It looks at the attributes, whatever else is damaged."""
    if current.unreadable in ("leaseOwner", "leaseCounter"):
        return False
    if (current.owner, current.counter) != (expected.owner, expected.counter):
        return False
    same = current.unreadable != "checkpoint" and current.checkpoint == expected.checkpoint
    return keeps_checkpoint or same
