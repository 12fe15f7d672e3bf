"""The children of a shard that ended: looked up, and given lease rows.

Rule: rows of the children that the stream shows are created before SHARD_END of their parent is
written. For a short time after the end of a shard the stream may show none or only some of its
children. So they are looked up a few times more; sweeps find any that appear later.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import structlog

from consumer.core.leases.streams.sweep import new_lease
from consumer.errors import Retryable, ShardNotFound, UnknownOutcome
from consumer.observability.actions import LOOK_UP_CHILDREN_AGAIN
from consumer.observability.conditions import Conditions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.core.leases.lease import StreamRow
    from consumer.ports import Clock, LeaseStore, StreamClient

log = structlog.get_logger()

CHILD_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Pauses, in seconds, after which the children of an ended shard are looked up again."""

LAST_TRY = len(CHILD_PAUSES) - 1


class Children:
    """Looks up children and creates their rows."""

    def __init__(self, store: LeaseStore, streams: StreamClient, clock: Clock) -> None:
        self._store = store
        self._streams = streams
        self._clock = clock
        self._conditions = Conditions(clock.now)
        # By stream key and id of an ended shard: lookups so far, and when the next is due (clock).
        self._lookups: dict[tuple[str, str], tuple[int, float]] = {}

    def due_at(self) -> float:
        """Return when the next lookup is due (clock); inf if none is."""
        return min((due for _, due in self._lookups.values()), default=inf)

    async def create_rows(self, row: StreamRow, shard_id: str) -> bool:
        """Create rows for the children of `shard_id`, and look them up again later.

        Return whether the stream shows any child. Raises Retryable, and logs it.
        """
        try:
            shown = await self._create_rows(row, shard_id)
        except Retryable as error:
            self._conditions.failed(
                "children_unknown",
                error,
                action=LOOK_UP_CHILDREN_AGAIN,
                stream=row.key,
                shard=shard_id,
            )
            raise
        self._conditions.over("children_unknown", stream=row.key, shard=shard_id)
        return shown

    async def _create_rows(self, row: StreamRow, shard_id: str) -> bool:
        try:
            children = await self._streams.child_shards(row.stream, shard_id)
        except ShardNotFound:
            return False  # the stream no longer exists, and so no child of this shard does
        created = 0
        for shard in children:
            lease = new_lease(shard, row, self._clock.wall())
            created += await self._store.create_lease(row.key, lease)
        if created:
            log.info("children_found", stream=row.key, shard=shard_id, count=created)
        # The stream may show one child before another: after the first, one lookup more is enough.
        tries = LAST_TRY if children else 0
        again = (tries, self._clock.now() + CHILD_PAUSES[tries])
        self._lookups.setdefault((row.key, shard_id), again)
        return bool(children)

    def look_up_later(self, row: StreamRow, shard_id: str) -> None:
        """Look up the children of a finished shard a few times, as after its end."""
        self._lookups.setdefault((row.key, shard_id), (0, self._clock.now() + CHILD_PAUSES[0]))

    async def look_up_due(self, rows: Mapping[str, StreamRow]) -> bool:
        """Do the lookups that are due.

        Return whether any showed a child, or failed after a row may have been created.
        """
        now = self._clock.now()
        found = False
        for key in [key for key, (_, due) in self._lookups.items() if due <= now]:
            tries = self._lookups[key][0]
            due = now + CHILD_PAUSES[min(tries + 1, LAST_TRY)]
            # Noted before the lookup, so that `create_rows` does not start the count again.
            self._lookups[key] = (tries + 1, due)
            row = rows.get(key[0])
            if row is not None and row.unreadable is not None:
                row = None
            try:
                shown = row is not None and await self.create_rows(row, key[1])
            except Retryable as error:
                self._lookups[key] = (tries, due)  # a failure is not counted
                found = found or isinstance(error, UnknownOutcome)
                continue
            if tries == LAST_TRY:
                del self._lookups[key]
            elif shown:
                self._lookups[key] = (LAST_TRY, now + CHILD_PAUSES[LAST_TRY])
            found = found or shown
        return found
