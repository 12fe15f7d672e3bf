"""The lease table in DynamoDB: the LeaseStore port.

`lease_requests` sends the requests and decides what counts as an answer.

When a condition fails, the service returns the existing row, which shows why. If a backend does not
return it, the row is read, strongly consistent. A row that does not meet the condition is as good
as the returned one. A row that meets it proves nothing, and the outcome stays unknown.

A row that cannot be read is named in the log and left alone (`unreadable_rows`). A write that meets
one is lost: its row is no longer what this worker expects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from consumer.adapters.lease_table.command_rows import command_key, command_of, command_values
from consumer.adapters.lease_table.gap_rows import (
    gap_of,
    gap_values,
    met_again_values,
    time_values,
)
from consumer.adapters.lease_table.lease_expressions import Expressions, changed
from consumer.adapters.lease_table.lease_requests import ConditionFailed, LeaseRequests
from consumer.adapters.lease_table.lease_rows import (
    KEY,
    STREAM,
    WORKER,
    gap_key,
    gap_prefix,
    key_of,
    lease_key,
    lease_prefix,
    lease_values,
    worker_values,
)
from consumer.adapters.lease_table.lease_table_setup import ensure_table
from consumer.adapters.lease_table.mark_fields import MARK
from consumer.adapters.lease_table.row_fields import Unreadable
from consumer.adapters.lease_table.stream_writes import StreamWrites
from consumer.adapters.lease_table.unreadable_rows import UnreadableRows
from consumer.adapters.lease_table.written_rows import reading_written
from consumer.adapters.odd_answer import reading
from consumer.core.leases.command import Command
from consumer.core.leases.lease import SEEK, Gap
from consumer.errors import LeaseConflict, UnknownOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.adapters.lease_table.lease_rows import RowValue
    from consumer.core.leases.lease import Lease, LeaseWrite, StreamRow, Worker
    from consumer.observability.metrics import Metrics
    from consumer.ports import Clock

LAST_COMMAND: Final = 10**10 - 1
"""The highest number of a command, by the ten digits of its key."""

_AFTER_WORKERS: Final = "worker0"  # '0' is the next character after '/'

_KEPT_BY_TAKE: Final = ("checkpoint", "recordAt", "caughtUpAt", *MARK)


class LeaseTable:
    """LeaseStore port for one application; `dynamodb` is a client made by `Aws`.

    Every method but `ensure_table` raises Retryable if a read fails, UnknownOutcome if a write may
    or may not have happened, and LeaseTableGone if there is no such table.
    """

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
        self._rows = UnreadableRows(clock)
        self._requests = LeaseRequests(dynamodb, table, application, request_seconds, metrics)
        self._streams = StreamWrites(self._requests, self._rows)

    async def ensure_table(self, *, create: bool) -> None:
        """Check the table, and create it if it is absent and `create` is set.

        Raise LeaseTableAbsent if it is absent, Misconfigured if it has another key, Retryable.
        """
        await ensure_table(self._dynamodb, self._clock, self._table, create=create)

    async def read_peers(self) -> tuple[Sequence[Worker], Sequence[StreamRow]]:
        """Return all worker and stream rows. Their keys are neighbours, so one Query reads both."""
        rows = await self._requests.query_between(STREAM, _AFTER_WORKERS)
        with reading("Query"):
            workers = [row for row in rows if key_of(row).startswith(WORKER)]
            streams = [row for row in rows if key_of(row).startswith(STREAM)]
            return self._rows.workers(workers), self._rows.streams(streams)

    async def read_leases(self, stream_key: str) -> Sequence[Lease]:
        """Return all lease rows of a stream."""
        rows = await self._requests.query_prefix(lease_prefix(stream_key))
        with reading("Query"):
            return [self._rows.lease(stream_key, row) for row in rows]

    async def read_gaps(self, stream_key: str) -> Sequence[Gap]:
        """Return all gap rows of a stream."""
        rows = await self._requests.query_prefix(gap_prefix(stream_key))
        with reading("Query"):
            return self._rows.all_of(gap_of, rows)

    async def read_commands(self, stream_key: str, after: int) -> Sequence[Command]:
        """Return the commands with a number above `after`, in order."""
        first, last = command_key(stream_key, after + 1), command_key(stream_key, LAST_COMMAND)
        rows = await self._requests.query_between(first, last)
        with reading("Query"):
            return self._rows.all_of(command_of, rows)

    async def add_command(self, stream_key: str, command: Command) -> bool:
        """Write the command row and its number to the stream row, in one transaction.

        Return whether this command was written; False if another command has its number.
        """
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
            found = await self._requests.read_after_refusal(key)
            with reading_written("TransactWriteItems"):
                there = None if found is None else command_of(found)
            return isinstance(there, Command) and there.token == command.token
        return True

    async def put_worker(self, worker: Worker) -> None:
        """Write a whole worker row."""
        await self._requests.put(WORKER + worker.worker_id, worker_values(worker))

    async def delete_worker(self, worker_id: str) -> None:
        """Delete a worker row."""
        await self._requests.delete(WORKER + worker_id)

    async def create_stream(self, row: StreamRow) -> StreamRow:
        """Create a stream row unless it exists; return the row as it is now."""
        return await self._streams.create(row)

    async def replace_stream(self, expected: StreamRow, row: StreamRow) -> StreamRow | None:
        """Write what differs; return the new row, or None if another worker has changed it."""
        return await self._streams.replace(expected, row)

    async def write_purpose(self, expected: StreamRow, row: StreamRow) -> StreamRow | None:
        """Write what the row says of the purpose; None if another worker has changed that."""
        return await self._streams.write_purpose(expected, row)

    async def create_lease(self, stream_key: str, lease: Lease) -> bool:
        """Create a lease row unless it exists; return whether this call created it."""
        try:
            await self._requests.create(lease_key(stream_key, lease.shard_id), lease_values(lease))
        except ConditionFailed:
            return False
        return True

    async def delete_lease(self, stream_key: str, lease: Lease) -> bool:
        """Delete a lease row if owner, counter and checkpoint are unchanged.

        Return whether it was deleted.
        """
        condition = _unchanged(lease, keeps_checkpoint=False)
        try:
            await self._requests.delete(lease_key(stream_key, lease.shard_id), condition)
        except ConditionFailed:
            return False
        return True

    async def write_lease(self, stream_key: str, write: LeaseWrite) -> Lease:
        """Write what differs, and owner and counter always; return the whole new row.

        Raise LeaseConflict, with the row as it is, if the expected row has changed, or if the new
        one cannot be read: the write was made then, but nobody may go on from such a row.
        """
        expected, row = write.expected, write.row
        after = lease_values(row)
        values = changed(lease_values(expected), after)
        always = ["leaseOwner", "leaseCounter"]
        if write.keeps_checkpoint:
            values = {name: value for name, value in values.items() if name not in _KEPT_BY_TAKE}
        else:
            always += _KEPT_BY_TAKE
        values |= {name: after[name] for name in always}
        update = _unchanged(expected, keeps_checkpoint=write.keeps_checkpoint)
        update.set(values)
        key = lease_key(stream_key, expected.shard_id)
        try:
            updated = await self._requests.update(key, update)
        except ConditionFailed as failed:
            found = failed.row or await self._requests.read_after_refusal(key)
            with reading_written("UpdateItem"):
                current = None if found is None else self._rows.lease(stream_key, found)
            if failed.row is None and current is not None and _is_unchanged(current, write):
                raise UnknownOutcome("UpdateItem: refused, but the row meets it") from None
            raise LeaseConflict(f"{expected.shard_id}: condition failed", current) from None
        with reading_written("UpdateItem"):
            written = self._rows.lease(stream_key, updated)
        if written.unreadable is not None:
            raise LeaseConflict(f"{expected.shard_id}: its row cannot be read", written)
        return written

    async def mark_parent_gone(self, stream_key: str, shard_id: str) -> None:
        """Set `parentGone` on a lease row if it exists, and change nothing else."""
        update = Expressions()
        update.exists(KEY)
        update.set({"parentGone": True})
        await self._requests.try_update(lease_key(stream_key, shard_id), update)

    async def put_gap(self, stream_key: str, gap: Gap) -> bool:
        """Create a gap row, or set all but place and reason of the existing one anew.

        Return whether the gap is new. A gap of lost records counts as new, and replaces the row,
        if the existing one comes from a seek.
        """
        key = gap_key(stream_key, gap)
        try:
            await self._requests.create(key, gap_values(gap))
        except ConditionFailed as failed:
            with reading_written("PutItem"):
                found = None if failed.row is None else gap_of(failed.row)
            if gap.reason != SEEK:
                lost = Expressions()
                lost.equal("reason", SEEK)
                lost.set(gap_values(gap))
                if await self._requests.try_update(key, lost):
                    return True
            again = Expressions()
            again.exists(KEY)
            again.differs("detectedAt", gap.detected_at)
            # The row of a loss must be readable: what is damaged there is written anew.
            anew = isinstance(found, Unreadable) and gap.reason != SEEK
            met = met_again_values(found if isinstance(found, Gap) else None, gap)
            again.set(gap_values(gap) if anew else met)
            return not await self._requests.try_update(key, again)
        return True

    async def complete_gap(self, stream_key: str, gap: Gap) -> None:
        """Set the end of a gap row, unless another worker has found the gap again since."""
        if gap.to is None:
            return
        ended = {"to": gap.to, "toTime": gap.to_time, "timesOf": gap.detected_at}
        await self._update_gap(stream_key, gap, ended)

    async def mark_repaired(self, stream_key: str, gap: Gap) -> bool:
        """Set when a gap was repaired, unless it was found again; return whether it is set."""
        return await self._update_gap(stream_key, gap, time_values(gap))

    async def _update_gap(self, stream_key: str, gap: Gap, values: Mapping[str, RowValue]) -> bool:
        update = Expressions()
        update.exists(KEY)
        update.equal("detectedAt", gap.detected_at)
        update.set(values)
        return await self._requests.try_update(gap_key(stream_key, gap), update)


def _unchanged(lease: Lease, *, keeps_checkpoint: bool) -> Expressions:
    condition = Expressions()
    condition.equal("leaseOwner", lease.owner)
    condition.equal("leaseCounter", lease.counter)
    if not keeps_checkpoint:
        condition.equal("checkpoint", lease.checkpoint)
    return condition


def _is_unchanged(current: Lease, write: LeaseWrite) -> bool:
    """Return whether a row meets the condition of a write: `_unchanged`, for a row in memory."""
    expected = write.expected
    return (
        current.unreadable is None
        and (current.owner, current.counter) == (expected.owner, expected.counter)
        and (write.keeps_checkpoint or current.checkpoint == expected.checkpoint)
    )
