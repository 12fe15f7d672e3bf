"""The stream that follows the newest known one, as the table names it, and its row.

Rule: what the table answers, or that it does not answer, never ends the reading of the streams that
are known. It is logged, and the table is asked again with the next sweep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.errors import Retryable, TableNotFound
from consumer.observability.actions import READ_LATER
from consumer.observability.conditions import Conditions
from consumer.runtime.discovery.bootstrap import first_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.leases.lease import StreamRow
    from consumer.core.stream.stream import Stream
    from consumer.ports import Clock, LeaseStore, StreamClient
    from consumer.runtime.discovery.source import Source

log = structlog.get_logger()

_GOES_ON = "the streams that are known are read on, and the table is asked again"
_ALLOW = "compare the role with `consumer iam-policy`: DescribeTable must be allowed, and answer"


class Successors:
    """Finds the next stream of a table."""

    def __init__(
        self, store: LeaseStore, streams: StreamClient, clock: Clock, source: Source
    ) -> None:
        self._store = store
        self._streams = streams
        self._clock = clock
        self._source = source
        self._conditions = Conditions(clock.now)

    async def find(self, rows: Sequence[StreamRow], row: StreamRow) -> Stream | None:
        """Return the table's latest stream if it has no row yet and `row` is the newest.

        `rows` are those of all known streams, oldest first. A table that does not answer has no
        newer stream for now.
        """
        if not self._source.follow_table or row.key != rows[-1].key:
            return None
        latest = await self._latest(row)
        return None if latest is None or any(latest.key == one.key for one in rows) else latest

    async def create_row(self, rows: Sequence[StreamRow], stream: Stream) -> None:
        """Create the row of the stream that was found. Raises Retryable.

        `rows` are those of the known streams, as `find` took them. They may be a minute old, and
        the table may have had another stream since, so the rows are read once more.
        """
        _, streams = await self._store.read_peers()
        newer = [row for row in streams if row.table == stream.table and row not in rows]
        row = first_row(self._source, stream, [*rows, *newer])
        await self._store.create_stream(row)
        log.warning(
            "new_stream", stream=row.key, after=f"{row.table}/{row.after}", action=READ_LATER
        )

    async def _latest(self, row: StreamRow) -> Stream | None:
        try:
            latest = await self._streams.latest_stream(row.table)
        except TableNotFound:
            self._tell(
                row,
                "table_gone",
                "stop the service once all is published, or create the table again, with a stream;"
                f" a deleted table's stream is kept for 24 hours, and {_GOES_ON}",
            )
            return None
        except Retryable as error:
            self._tell(row, error.reason, f"{_ALLOW}; {_GOES_ON}")
            return None
        if latest is None:
            self._tell(row, "no_stream", f"enable a stream for the table; {_GOES_ON}")
        else:
            self._conditions.over("successor_unknown", stream=row.key)
        return latest

    def _tell(self, row: StreamRow, reason: str, action: str) -> None:
        self._conditions.error(
            "successor_unknown", stream=row.key, reason=reason, aspect=reason, action=action
        )
