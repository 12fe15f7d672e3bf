"""The lease table on DynamoDB: the LeaseStore port.

How requests are sent, and what counts as an answer, is in `lease_requests`.

A failed condition is settled from the old item that the service returns with it. Where a backend
returns none, the row is read, strongly consistent: a row that does not meet the condition is what a
repetition of the write would have met at that moment, so it is as good as the old item; one that
meets it proves nothing, and the outcome stays unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from consumer.adapters.aws.aws_errors import describe
from consumer.adapters.lease_table.lease_expressions import Expressions, changed
from consumer.adapters.lease_table.lease_requests import ConditionFailed, LeaseRequests
from consumer.adapters.lease_table.lease_rows import (
    KEY,
    STREAM,
    WORKER,
    Row,
    command_key,
    command_of,
    command_values,
    gap_key,
    gap_of,
    gap_prefix,
    gap_values,
    key_of,
    lease_key,
    lease_of,
    lease_prefix,
    lease_values,
    stream_of,
    stream_values,
    worker_of,
    worker_values,
)
from consumer.adapters.lease_table.lease_table_setup import ensure_table
from consumer.core.leases.lease import SEEK
from consumer.errors import LeaseConflict, Retryable, UnknownOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumer.core.leases.command import Command
    from consumer.core.leases.lease import Gap, Lease, LeaseWrite, StreamRow, Worker
    from consumer.observability.metrics import Metrics
    from consumer.ports import Clock

LAST_COMMAND: Final = 10**10 - 1
"""No stream has as many commands as its keys have room for."""

_AFTER_WORKERS: Final = "worker0"  # '0' follows '/'

_KEPT_BY_TAKE: Final = ("checkpoint", "recordAt", "caughtUpAt")

Value = TypeVar("Value")


class LeaseTable:
    """LeaseStore port for one application. `dynamodb` is a client made by `Aws`."""

    def __init__(
        self,
        dynamodb: Any,  # noqa: ANN401 - made by botocore
        clock: Clock,
        *,
        table: str,
        application: str,
        request_seconds: float,
        metrics: Metrics | None = None,
    ) -> None:
        self._dynamodb = dynamodb
        self._clock = clock
        self._table = table
        self._requests = LeaseRequests(dynamodb, table, application, request_seconds, metrics)

    async def ensure_table(self, *, create: bool) -> None:
        """Check (or make) the table. Misconfigured if it is absent or has another key."""
        await ensure_table(self._dynamodb, self._clock, self._table, create=create)

    async def read_peers(self) -> tuple[Sequence[Worker], Sequence[StreamRow]]:
        """All worker and stream rows, by one Query: their keys are neighbours."""
        rows = await self._requests.query_between(STREAM, _AFTER_WORKERS)
        workers = [row for row in rows if key_of(row).startswith(WORKER)]
        streams = [row for row in rows if key_of(row).startswith(STREAM)]
        return _read(worker_of, workers), _read(stream_of, streams)

    async def read_leases(self, stream_key: str) -> Sequence[Lease]:
        """All lease rows of a stream."""
        return _read(lease_of, await self._requests.query_prefix(lease_prefix(stream_key)))

    async def read_gaps(self, stream_key: str) -> Sequence[Gap]:
        """All gap rows of a stream."""
        return _read(gap_of, await self._requests.query_prefix(gap_prefix(stream_key)))

    async def read_commands(self, stream_key: str, after: int) -> Sequence[Command]:
        """The commands with a higher number, in order."""
        first, last = command_key(stream_key, after + 1), command_key(stream_key, LAST_COMMAND)
        return _read(command_of, await self._requests.query_between(first, last))

    async def add_command(self, stream_key: str, command: Command) -> bool:
        """Put the command and announce it on the stream row, in one transaction."""
        before = command.number - 1
        announced = Expressions()
        announced.exists(KEY)
        announced.equal("commands", before or None)
        announced.set({"commands": command.number})
        key = command_key(stream_key, command.number)
        try:
            await self._requests.create_and_update(
                (key, command_values(command)), (STREAM + stream_key, announced), command.token
            )
        except ConditionFailed:
            found = await self._requests.settling_read(key)
            return found is not None and command_of(found).token == command.token
        return True

    async def put_worker(self, worker: Worker) -> None:
        """Write the whole worker row."""
        await self._requests.put(WORKER + worker.worker_id, worker_values(worker))

    async def delete_worker(self, worker_id: str) -> None:
        """Delete a worker row."""
        await self._requests.delete(WORKER + worker_id)

    async def create_stream(self, row: StreamRow) -> StreamRow:
        """Put if absent; returns the row that stands there now."""
        try:
            await self._requests.create(STREAM + row.key, stream_values(row))
        except ConditionFailed as failed:
            found = failed.row or await self._requests.settling_read(STREAM + row.key)
            if found is None:
                raise UnknownOutcome("PutItem: refused, but the row is absent") from None
            return stream_of(found)
        return row

    async def replace_stream(self, expected: StreamRow, row: StreamRow) -> StreamRow | None:
        """Write what differs; `changes` is raised by the difference, whatever it stands at."""
        update = Expressions()
        update.equal("sweep.n", expected.sweep_n)
        update.equal("sweep.done", expected.sweep_done)
        update.equal("bootstrapped", expected.bootstrapped)
        update.equal("fingerprint", expected.fingerprint)
        difference = changed(stream_values(expected), stream_values(row))
        if difference.pop("changes", None) is not None:
            update.add("changes", row.changes - expected.changes)
        update.set({**difference, "fingerprint": row.fingerprint})
        try:
            return stream_of(await self._requests.update(STREAM + expected.key, update))
        except ConditionFailed:
            return None

    async def create_lease(self, stream_key: str, lease: Lease) -> bool:
        """Put if absent. True if this call created it."""
        try:
            await self._requests.create(lease_key(stream_key, lease.shard_id), lease_values(lease))
        except ConditionFailed:
            return False
        return True

    async def delete_lease(self, stream_key: str, lease: Lease) -> bool:
        """Delete if owner, counter and checkpoint are still those given."""
        condition = _still(lease, keeps_checkpoint=False)
        try:
            await self._requests.delete(lease_key(stream_key, lease.shard_id), condition)
        except ConditionFailed:
            return False
        return True

    async def write_lease(self, stream_key: str, write: LeaseWrite) -> Lease:
        """Write what differs, owner and counter always; returns the whole new row."""
        expected, row = write.expected, write.row
        after = lease_values(row)
        values = changed(lease_values(expected), after)
        always = ["leaseOwner", "leaseCounter"]
        if write.keeps_checkpoint:
            values = {name: value for name, value in values.items() if name not in _KEPT_BY_TAKE}
        else:
            always += _KEPT_BY_TAKE
        values |= {name: after[name] for name in always}
        update = _still(expected, keeps_checkpoint=write.keeps_checkpoint)
        update.set(values)
        key = lease_key(stream_key, expected.shard_id)
        try:
            return lease_of(await self._requests.update(key, update))
        except ConditionFailed as failed:
            found = failed.row
            if found is None:
                found = await self._requests.settling_read(key)
                if found is not None and _meets(lease_of(found), write):
                    raise UnknownOutcome("UpdateItem: refused, but now it would be done") from None
            current = None if found is None else lease_of(found)
            raise LeaseConflict(f"{expected.shard_id}: condition failed", current) from None

    async def mark_parent_gone(self, stream_key: str, shard_id: str) -> None:
        """Set `parentGone` on an existing lease row, touching nothing else."""
        update = Expressions()
        update.exists(KEY)
        update.set({"parentGone": True})
        await self._requests.update_if_there(lease_key(stream_key, shard_id), update)

    async def put_gap(self, stream_key: str, gap: Gap) -> bool:
        """Put the row; True if no other gap stood there, else that one is opened again.

        Lost records are news where a seek from the same place wanted to skip some.
        """
        key = gap_key(stream_key, gap)
        try:
            await self._requests.create(key, gap_values(gap))
        except ConditionFailed:
            if gap.reason != SEEK:
                lost = Expressions()
                lost.equal("reason", SEEK)
                lost.set(gap_values(gap))
                if await self._requests.update_if_there(key, lost):
                    return True
            again = Expressions()
            again.exists(KEY)
            again.differs("detectedAt", gap.detected_at)
            again.set({"detectedAt": gap.detected_at, "to": gap.to})
            return not await self._requests.update_if_there(key, again)
        return True

    async def complete_gap(self, stream_key: str, gap: Gap) -> None:
        """Set `to` of this very gap: one that was met again since is somebody else's."""
        if gap.to is None:
            return
        update = Expressions()
        update.exists(KEY)
        update.equal("detectedAt", gap.detected_at)
        update.set({"to": gap.to})
        await self._requests.update_if_there(gap_key(stream_key, gap), update)


def _still(lease: Lease, *, keeps_checkpoint: bool) -> Expressions:
    condition = Expressions()
    condition.equal("leaseOwner", lease.owner)
    condition.equal("leaseCounter", lease.counter)
    if not keeps_checkpoint:
        condition.equal("checkpoint", lease.checkpoint)
    return condition


def _meets(current: Lease, write: LeaseWrite) -> bool:
    """Whether a row meets the condition of a write; the same as `_still` in the table."""
    expected = write.expected
    return (current.owner, current.counter) == (expected.owner, expected.counter) and (
        write.keeps_checkpoint or current.checkpoint == expected.checkpoint
    )


def _read(read: Callable[[Row], Value], rows: Sequence[Row]) -> list[Value]:
    values = []
    for row in rows:
        try:
            values.append(read(row))
        except (KeyError, ValueError) as error:
            raise Retryable(f"row {key_of(row)!r}: {describe(error)}", "malformed_row") from error
    return values
