"""The rows of snapshots in the lease table: the SnapshotStore port.

Every write is conditional: that of a segment on owner, counter and run, that of a snapshot on its
run. A write that is refused returns the row that is there, so that a process that has sent it twice
sees that the first one took effect.

A row that cannot be read ends the command: to guess what it said could skip a part of the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from consumer.adapters.lease_table.lease_expressions import Expressions
from consumer.adapters.lease_table.lease_requests import ConditionFailed, LeaseRequests
from consumer.adapters.lease_table.row_fields import Unreadable
from consumer.adapters.lease_table.snapshot_rows import (
    expiry,
    segment_key,
    segment_of,
    segment_prefix,
    segment_values,
    snapshot_key,
    snapshot_of,
    snapshot_values,
)
from consumer.adapters.lease_table.written_rows import reading_written
from consumer.adapters.odd_answer import reading
from consumer.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.adapters.lease_table.lease_rows import Row, RowValue
    from consumer.core.republish.snapshot import Segment, Snapshot
    from consumer.ports import Clock

Value = TypeVar("Value")


class SnapshotTable:
    """SnapshotStore port for one application; `dynamodb` is a client made by `Aws`.

    Reads raise Retryable, writes UnknownOutcome, both LeaseTableGone if there is no such table, and
    Misconfigured if a row cannot be read.
    """

    def __init__(
        self,
        dynamodb: Any,  # noqa: ANN401 - made by botocore
        clock: Clock,
        *,
        table: str,
        application: str,
        request_seconds: float,
    ) -> None:
        self._clock = clock
        self._requests = LeaseRequests(dynamodb, table, application, request_seconds, None)

    async def read_snapshot(self, table: str, snapshot_id: str) -> Snapshot | None:
        """Return the row of a snapshot, None if it was never begun or has expired."""
        row = await self._requests.read(snapshot_key(table, snapshot_id))
        with reading("Query"):
            return None if row is None else _readable(snapshot_of(row))

    async def begin_snapshot(self, expected: Snapshot | None, row: Snapshot) -> Snapshot | None:
        """Write the row if that of the expected run is there, or none; return the row there now."""
        condition = Expressions()
        condition.equal("run", None if expected is None else expected.run)
        if expected is not None:
            condition.equal("endedAt", expected.ended_at)
        return await self._write_snapshot(condition, row)

    async def end_snapshot(self, row: Snapshot) -> Snapshot | None:
        """Write end and counts, if the same run has no end yet; return the row there now."""
        condition = Expressions()
        condition.equal("run", row.run)
        condition.equal("endedAt", None)
        return await self._write_snapshot(condition, row)

    async def _write_snapshot(self, condition: Expressions, row: Snapshot) -> Snapshot | None:
        key = snapshot_key(row.table, row.id)
        found = await self._write(key, condition, snapshot_values(row))
        with reading_written("UpdateItem"):
            return None if found is None else _readable(snapshot_of(found))

    async def read_segments(self, snapshot: Snapshot) -> Sequence[Segment]:
        """Return all rows of a snapshot's segments, also those of earlier runs."""
        rows = await self._requests.query_prefix(segment_prefix(snapshot))
        with reading("Query"):
            return [_readable(segment_of(row)) for row in rows]

    async def write_segment(
        self, snapshot: Snapshot, expected: Segment, row: Segment
    ) -> Segment | None:
        """Write the row if it is as expected in run, owner and counter; return the row there now.

        An expected counter of 0 says that there is no row yet.
        """
        condition = Expressions()
        begun = expected.counter > 0
        condition.equal("run", expected.run if begun else None)
        condition.equal("owner", expected.owner)
        condition.equal("counter", expected.counter if begun else None)
        key = segment_key(snapshot, row.number)
        found = await self._write(key, condition, segment_values(row))
        with reading_written("UpdateItem"):
            return None if found is None else _readable(segment_of(found))

    async def _write(
        self, key: str, update: Expressions, values: dict[str, RowValue]
    ) -> Row | None:
        """Write a row if it meets the condition; return the row that is there now, if any."""
        update.set(values | expiry(self._clock.wall()))
        try:
            return await self._requests.update(key, update)
        except ConditionFailed as failed:
            return failed.row or await self._requests.read_after_refusal(key)


def _readable(value: Value | Unreadable) -> Value:
    """Return a value. Raise Misconfigured for a row that cannot be read."""
    if isinstance(value, Unreadable):
        raise Misconfigured(
            f"lease table: the row {value.key} cannot be read (attribute {value.attribute}); repair"
            " it, or begin a snapshot with another --id"
        )
    return value
