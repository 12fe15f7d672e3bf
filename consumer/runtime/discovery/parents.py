"""The parents that no listing shows. Rule: only ShardNotFound proves one gone, a gap row says so.

A child that waits for a parent without a row may go on once the parent is proven gone. If the
stream was listed completely before, the parent lived in the time of this application and nobody
has seen it: what it held is lost, and a gap row names it before the child is let go. At the first
listing the parents of the oldest shards are simply older than the application.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.core.leases.sweep import UnlistedParents, new_lease, orphans
from consumer.core.shard.gap import unseen_shard_gap
from consumer.core.stream.stream import AtTrimHorizon, Shard
from consumer.errors import ShardNotFound, TrimmedData
from consumer.runtime.discovery.children import stream_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.core.leases.lease import Lease
    from consumer.core.stream.stream import Stream
    from consumer.observability.metrics import Metrics
    from consumer.ports import Clock, LeaseStore, StreamClient
    from consumer.runtime.discovery.listing import Listed
    from consumer.runtime.discovery.sweep_claim import SweepTurn

log = structlog.get_logger()


async def answers(streams: StreamClient, stream: Stream, shard_id: str) -> bool:
    """Is the shard there? Only ShardNotFound says no; a failure (Retryable) proves nothing."""
    try:
        await streams.shard_iterator(stream, shard_id, AtTrimHorizon())
    except ShardNotFound:
        return False
    except TrimmedData:
        return True
    return True


class Parents:
    """Asks unlisted parents themselves, as part of a sweep."""

    def __init__(
        self, store: LeaseStore, streams: StreamClient, clock: Clock, metrics: Metrics
    ) -> None:
        self._store = store
        self._streams = streams
        self._clock = clock
        self._metrics = metrics
        self._patience: dict[str, UnlistedParents] = {}  # by stream key

    async def prove(self, turn: SweepTurn, leases: Mapping[str, Lease], listed: Listed) -> bool:
        """After a complete listing: let the children of lost parents go, or find the parents.

        True if that opened anything. Raises Overtaken or Retryable; a failure proves nothing.
        """
        patience = self._patience.setdefault(turn.row.key, UnlistedParents())
        patience.observe(listed.shard_ids)
        opened = False
        for child in orphans(tuple(leases.values()), listed.shard_ids):
            parent = child.parent_shard_id
            if parent is None:
                continue
            if not await answers(self._streams, stream_of(turn.row), parent):
                await self._let_go(turn, child, parent)
            elif patience.answered(child.shard_id):
                await self._take_in(turn, parent)
            else:
                continue
            opened = True
        return opened

    async def _let_go(self, turn: SweepTurn, child: Lease, parent: str) -> None:
        """The parent is gone: the child need not wait."""
        stream = turn.row.key
        if turn.row.sweep_done:
            gap = unseen_shard_gap(parent, self._clock.wall())
            await turn.hold()
            if await self._store.put_gap(stream, gap):
                self._metrics.gaps.labels(reason=gap.reason).inc()
                log.error(
                    "records_lost_unread",
                    stream=stream,
                    shard=parent,
                    after=gap.from_,
                    reason=gap.reason,
                    child=child.shard_id,
                    action="no listing had shown this shard before it aged out; reading goes on "
                    "with its child; a gap row in the lease table names it",
                )
        await turn.hold()
        await self._store.mark_parent_gone(stream, child.shard_id)
        log.info("parent_gone", stream=stream, shard=child.shard_id, parent=parent)

    async def _take_in(self, turn: SweepTurn, parent: str) -> None:
        """The parent is there and never listed: it is read like a root, before its child."""
        log.error("parent_never_listed", stream=turn.row.key, shard=parent)
        await turn.hold()
        lease = new_lease(Shard(parent, None, None), turn.row, self._clock.wall())
        await self._store.create_lease(turn.row.key, lease)
