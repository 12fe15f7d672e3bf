"""What snapshots and touches need from outside, beside `ports`: adapters, twins in the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec import Raw

    from consumer.core.republish.snapshot import Segment, Snapshot
    from consumer.core.republish.table.table_answer import TableAnswer
    from consumer.core.republish.touch_answer import TouchAnswer


class SnapshotStore(Protocol):
    """The rows of snapshots in the lease table. Requests are never retried inside.

    Reads are strongly consistent and complete, and raise Retryable when they fail. Writes raise
    UnknownOutcome for everything that is not a definite answer; sent again unchanged, they return
    the row of the first one if that took effect. Both raise LeaseTableGone if there is no such
    table, and Misconfigured if a row cannot be read.
    """

    async def read_snapshot(self, table: str, snapshot_id: str) -> Snapshot | None:
        """Return the row of a snapshot, None if it was never begun or has expired."""
        ...

    async def begin_snapshot(self, expected: Snapshot | None, row: Snapshot) -> Snapshot | None:
        """Write `row` if there is none (`expected` is None), or if run and end are as expected.

        Return the row that is there now.
        """
        ...

    async def end_snapshot(self, row: Snapshot) -> Snapshot | None:
        """Write `row`, its end and counts, if the same run has no end yet.

        Return the row that is there now.
        """
        ...

    async def read_segments(self, snapshot: Snapshot) -> Sequence[Segment]:
        """Return the rows of all segments that were ever taken, also in earlier runs."""
        ...

    async def write_segment(
        self, snapshot: Snapshot, expected: Segment, row: Segment
    ) -> Segment | None:
        """Write `row` if run, owner and counter are as expected; counter 0 is that of no row.

        Return the row that is there now, None if there is none.
        """
        ...


class TableScan(Protocol):
    """A parallel Scan of the table, strongly consistent. Calls are never retried inside.

    Raise Retryable, and TableNotFound if there is no such table.
    """

    async def page(self, segment: int, segments: int, after: Raw | None, limit: int) -> TableAnswer:
        """Return the page of a segment behind the key `after` if any, of at most `limit` items."""
        ...


class ItemTouches(Protocol):
    """Writes of the touch attribute. Calls are never retried inside.

    Raise Retryable, with the reason `conflict` while a transaction or another Region works on the
    item, and TableNotFound. Sent again with the same value, a touch changes nothing: no second
    record.
    """

    async def touch(self, keys: Raw, value: str) -> TouchAnswer:
        """Write the attribute to the item with these keys, if there is one."""
        ...
