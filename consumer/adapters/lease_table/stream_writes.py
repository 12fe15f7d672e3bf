"""The writes of stream rows, which all workers share.

Each is conditional on what another worker may have changed, and touches only what it is about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from consumer.adapters.lease_table.lease_expressions import Expressions, changed
from consumer.adapters.lease_table.lease_requests import ConditionFailed
from consumer.adapters.lease_table.lease_rows import KEY, STREAM
from consumer.adapters.lease_table.stream_rows import purpose_values, stream_values
from consumer.adapters.lease_table.written_rows import reading_written
from consumer.errors import UnknownOutcome

if TYPE_CHECKING:
    from consumer.adapters.lease_table.lease_requests import LeaseRequests
    from consumer.adapters.lease_table.unreadable_rows import UnreadableRows
    from consumer.core.leases.lease import StreamRow


class StreamWrites:
    """Writes stream rows by `requests`; `rows` converts what is returned."""

    def __init__(self, requests: LeaseRequests, rows: UnreadableRows) -> None:
        self._requests = requests
        self._rows = rows

    async def create(self, row: StreamRow) -> StreamRow:
        """Create a stream row unless it exists; return the row as it is now."""
        try:
            await self._requests.create(STREAM + row.key, stream_values(row))
        except ConditionFailed as failed:
            found = failed.row or await self._requests.read_after_refusal(STREAM + row.key)
            if found is None:
                raise UnknownOutcome("PutItem: refused, but the row is absent") from None
            with reading_written("PutItem"):
                # Whatever lies in the place of the stream's row keeps the stream waiting.
                return self._rows.stream(found) or replace(row, unreadable=KEY)
        return row

    async def replace(self, expected: StreamRow, row: StreamRow) -> StreamRow | None:
        """Write what differs; return the new row, or None if another worker has changed it.

        The difference of `changes` is added to its current value, so no increment is lost.
        """
        update = Expressions()
        update.equal("sweep.n", expected.sweep_n)
        update.equal("sweep.done", expected.sweep_done)
        update.equal("bootstrapped", expected.bootstrapped)
        update.equal("fingerprint", expected.fingerprint)
        difference = changed(stream_values(expected), stream_values(row))
        if difference.pop("changes", None) is not None:
            update.add("changes", row.changes - expected.changes)
        update.set({**difference, "fingerprint": row.fingerprint})
        return await self._update(expected, update)

    async def write_purpose(self, expected: StreamRow, row: StreamRow) -> StreamRow | None:
        """Write what says for what the stream is read, if nobody has changed that meanwhile."""
        update = Expressions()
        for name, value in purpose_values(expected).items():
            update.equal(name, value)
        # The fingerprint is written even if it is the same: an update without a value is refused.
        difference = changed(purpose_values(expected), purpose_values(row))
        update.set({**difference, "fingerprint": row.fingerprint})
        return await self._update(expected, update)

    async def _update(self, expected: StreamRow, update: Expressions) -> StreamRow | None:
        try:
            updated = await self._requests.update(STREAM + expected.key, update)
        except ConditionFailed:
            return None
        with reading_written("UpdateItem"):
            found = self._rows.stream(updated)
        return None if found is None or found.unreadable is not None else found
