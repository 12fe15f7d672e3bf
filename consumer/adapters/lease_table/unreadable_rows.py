"""Names the rows of the lease table that cannot be read, for whoever can repair them.

A row is named when it is first met and again every few minutes, not at every scan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from consumer.adapters.lease_table.lease_rows import (
    STREAM,
    Row,
    key_of,
    lease_of,
    lease_prefix,
    worker_of,
)
from consumer.adapters.lease_table.row_fields import Unreadable
from consumer.adapters.lease_table.stream_rows import stream_of
from consumer.observability.conditions import Conditions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumer.core.leases.lease import Lease, StreamRow, Worker
    from consumer.ports import Clock

Value = TypeVar("Value")

_ACTIONS: Final = {
    "lease": "repair the attribute, and do not delete the row: a new one would start at the shard's"
    " oldest record; until then nobody takes this shard, and its children wait",
    "stream": "repair the attribute, and do not delete the row; until then this stream and later"
    " ones that have not begun wait",
    "worker": "delete the row, unless its worker runs and so writes it anew; until then this worker"
    " gets no share",
    "gap": "repair the attribute, or delete the row: `consumer gaps` does not show it",
    "command": "give it again by consumer seek, pause or resume: it is not obeyed, and will not be",
}


class UnreadableRows:
    """Converts rows, and logs those that cannot be read."""

    def __init__(self, clock: Clock) -> None:
        self._conditions = Conditions(clock.now)

    def workers(self, rows: Sequence[Row]) -> list[Worker]:
        """Return the workers of rows; one whose row cannot be read is marked."""
        found = [worker_of(row) for row in rows]
        for row, worker in zip(rows, found, strict=True):
            self._tell(key_of(row), worker.unreadable)
        return found

    def streams(self, rows: Sequence[Row]) -> list[StreamRow]:
        """Return the streams of rows, without rows that are no stream's."""
        return [stream for row in rows if (stream := self.stream(row)) is not None]

    def stream(self, row: Row) -> StreamRow | None:
        """Return the stream of a row, None if it is no stream's."""
        found = stream_of(row)
        if isinstance(found, Unreadable):
            self._tell(found.key, found.attribute)
            return None
        self._tell(STREAM + found.key, found.unreadable)
        return found

    def lease(self, stream_key: str, row: Row) -> Lease:
        """Return the lease of a row; it is marked if the row cannot be read."""
        found = lease_of(row)
        self._tell(lease_prefix(stream_key) + found.shard_id, found.unreadable)
        return found

    def all_of(
        self, convert: Callable[[Row], Value | Unreadable], rows: Sequence[Row]
    ) -> list[Value]:
        """Return the values of those rows that can be read."""
        values = []
        for row in rows:
            value = convert(row)
            if isinstance(value, Unreadable):
                self._tell(value.key, value.attribute)
            else:
                self._tell(key_of(row), None)
                values.append(value)
        return values

    def _tell(self, key: str, attribute: str | None) -> None:
        if attribute is None:
            self._conditions.over("row_unreadable", row=key)
            return
        self._conditions.error(
            "row_unreadable",
            row=key,
            attribute=attribute,
            aspect=attribute,  # the next one is named as soon as the first is repaired
            action=_ACTIONS[key.partition("/")[0]],
        )
