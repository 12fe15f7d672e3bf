"""The children of a shard that ended. Rule: their rows are made before its SHARD_END is written.

A filter for children may answer nothing, or some of them, for a short time after the end; they are
asked for a few times more, and the sweep finds what is still hidden then.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import structlog

from consumer.core.leases.sweep import new_lease
from consumer.core.stream.stream import Stream
from consumer.errors import Retryable, ShardNotFound, UnknownOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.core.leases.lease import StreamRow
    from consumer.ports import Clock, LeaseStore, StreamClient

log = structlog.get_logger()

CHILD_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Pauses after which the children of an ended shard are asked for again."""


LAST_TRY = len(CHILD_PAUSES) - 1


def stream_of(row: StreamRow) -> Stream:
    """The stream a row is about."""
    return Stream(row.arn, row.table, row.label)


class Children:
    """Looks children up and makes their rows."""

    def __init__(self, store: LeaseStore, streams: StreamClient, clock: Clock) -> None:
        self._store = store
        self._streams = streams
        self._clock = clock
        # (stream key, shard id) of ends without children: tries so far, and when to ask again.
        self._hidden: dict[tuple[str, str], tuple[int, float]] = {}

    def due_at(self) -> float:
        """When somebody's children are to be asked for again; inf if never."""
        return min((due for _, due in self._hidden.values()), default=inf)

    async def adopt(self, row: StreamRow, shard_id: str) -> bool:
        """Make rows for the children of `shard_id`. True if there were any. Raises Retryable."""
        try:
            children = await self._streams.child_shards(stream_of(row), shard_id)
        except ShardNotFound:
            return False  # the stream is gone, and with it whatever came after this shard
        created = 0
        for shard in children:
            lease = new_lease(shard, row, self._clock.wall())
            created += await self._store.create_lease(row.key, lease)
        if created:
            log.info("children_found", stream=row.key, shard=shard_id, count=created)
        # Some may be shown before others: whoever has shown is asked once more.
        tries = LAST_TRY if children else 0
        turn = (tries, self._clock.now() + CHILD_PAUSES[tries])
        self._hidden.setdefault((row.key, shard_id), turn)
        return bool(children)

    def expect(self, row: StreamRow, shard_id: str) -> None:
        """A finished shard without children: ask for them a few times, as after an end."""
        self._hidden.setdefault((row.key, shard_id), (0, self._clock.now() + CHILD_PAUSES[0]))

    async def ask_again(self, rows: Mapping[str, StreamRow]) -> bool:
        """Ask for the children that are due. True if any were found, or may have got a row."""
        now = self._clock.now()
        found = False
        for key in [key for key, (_, due) in self._hidden.items() if due <= now]:
            tries = self._hidden[key][0]
            due = now + CHILD_PAUSES[min(tries + 1, LAST_TRY)]
            # Asked with its next turn noted, so that the answer "none" does not start anew.
            self._hidden[key] = (tries + 1, due)
            row = rows.get(key[0])
            try:
                shown = row is not None and await self.adopt(row, key[1])
            except Retryable as error:
                log.warning("children_unknown", stream=key[0], shard=key[1], reason=error.reason)
                self._hidden[key] = (tries, due)  # only an answer counts
                found = found or isinstance(error, UnknownOutcome)
                continue
            if tries == LAST_TRY:
                del self._hidden[key]
            elif shown:
                self._hidden[key] = (LAST_TRY, now + CHILD_PAUSES[LAST_TRY])
            found = found or shown
        return found
