"""The lookup of the children of one shard, which is read to its end.

Ownership: the shard's consumer owns it and tries it until it succeeds; `failure` is for its view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.failure import failed_again
from consumer.errors import Retryable

if TYPE_CHECKING:
    from consumer.core.failure import Failure
    from consumer.core.leases.lease import StreamRow
    from consumer.ports import Clock
    from consumer.runtime.shard.shard_pages import Lineage


class ChildLookup:
    """`failure` is that of the tries that failed in a row; None before the first."""

    def __init__(self, lineage: Lineage, row: StreamRow, shard_id: str, clock: Clock) -> None:
        self._lineage = lineage
        self._row = row
        self._shard_id = shard_id
        self._clock = clock
        self.failure: Failure | None = None

    async def create_rows(self) -> bool:
        """Create the rows of the children; return whether that succeeded."""
        try:
            await self._lineage.create_children(self._row, self._shard_id)
        except Retryable as error:
            wall = self._clock.wall()
            self.failure = failed_again(self.failure, error.reason, str(error), wall)
            return False  # the lookup has logged it
        self.failure = None
        return True
