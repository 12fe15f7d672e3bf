"""Whether a shard exists.

Rule: one answer proves that it does; that it does not is proven by answers of half a minute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.stream.absence import Absence
from consumer.core.stream.stream import AtTrimHorizon
from consumer.errors import ShardNotFound, TrimmedData

if TYPE_CHECKING:
    from consumer.core.leases.lease import StreamRow
    from consumer.core.stream.stream import Stream
    from consumer.ports import Clock, StreamClient
    from consumer.runtime.discovery.listing import ShardListing


async def answers(streams: StreamClient, stream: Stream, shard_id: str) -> bool:
    """Return whether the shard exists. Raises Retryable, which proves nothing."""
    try:
        await streams.shard_iterator(stream, shard_id, AtTrimHorizon())
    except ShardNotFound:
        return False
    except TrimmedData:
        return True
    return True


class ShardExistence:
    """Looks for shards of which a call says that they do not exist."""

    def __init__(self, streams: StreamClient, listing: ShardListing, clock: Clock) -> None:
        self._streams = streams
        self._listing = listing
        self._clock = clock
        self._absence: Absence[tuple[str, str]] = Absence()

    async def of(self, row: StreamRow, shard_id: str) -> bool:
        """Return whether a new listing shows the shard or an iterator of it is given.

        A shard may exist although no listing shows it, so both are asked. It counts as existing
        until both have denied it, or the whole stream, for GONE_SECONDS. Raises Retryable.
        """
        key, listed = (row.key, shard_id), await self._listing.fresh(row.stream)
        if shard_id in listed.shard_ids or await answers(self._streams, row.stream, shard_id):
            self._absence.found(key)
            return True
        return listed.page is not None and not self._absence.missed(key, self._clock.now())
