"""Parents that no listing shows. Rule: only ShardNotFound proves that a parent is gone.

A child whose parent has neither a row nor a place in the listing waits until the parent is proven
to be gone. A parent that answers instead, while five listings in a row are equal and do not show
it, gets a row of its own, as a root, and is read first.

If a parent is gone and the stream was listed completely before, it was created and trimmed after
that without being read: its records are lost, and a gap row names it before the child may be read.
At the first listing, such parents are older than the application, and nothing was lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.core.leases.streams.sweep import UnlistedParents, new_lease, orphans
from consumer.core.shard.gap import unseen_shard_gap
from consumer.core.stream.stream import Shard
from consumer.runtime.discovery.existence import answers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.core.leases.lease import Lease
    from consumer.observability.metrics import Metrics
    from consumer.ports import Clock, LeaseStore, StreamClient
    from consumer.runtime.discovery.listing import Listed
    from consumer.runtime.discovery.sweep_claim import SweepClaim

log = structlog.get_logger()


class Parents:
    """Requests an iterator of each unlisted parent, as part of a sweep."""

    def __init__(
        self, store: LeaseStore, streams: StreamClient, clock: Clock, metrics: Metrics
    ) -> None:
        self._store = store
        self._streams = streams
        self._clock = clock
        self._metrics = metrics
        self._unlisted: dict[str, UnlistedParents] = {}  # by stream key

    async def resolve(self, claim: SweepClaim, leases: Mapping[str, Lease], listed: Listed) -> bool:
        """Decide about the unlisted parents of waiting children, after a complete listing.

        A parent that is gone lets its child be read; a parent that answers after several equal
        listings gets a row. Return whether either happened. Raises ClaimLost or Retryable.
        """
        unlisted = self._unlisted.setdefault(claim.row.key, UnlistedParents())
        unlisted.observe(listed.shard_ids)
        opened = False
        for child in orphans(tuple(leases.values()), listed.shard_ids):
            parent = child.parent_shard_id
            if parent is None:
                continue
            if not await answers(self._streams, claim.row.stream, parent):
                await self._mark_gone(claim, child, parent)
            elif unlisted.answered(child.shard_id):
                await self._create_root(claim, parent)
            else:
                continue
            opened = True
        return opened

    async def _mark_gone(self, claim: SweepClaim, child: Lease, parent: str) -> None:
        """Write that the parent is gone, so that the child need not wait for it."""
        stream = claim.row.key
        if claim.row.sweep_done:
            gap = unseen_shard_gap(parent, claim.row.swept_at, self._clock.wall())
            await claim.ensure_held()
            if await self._store.put_gap(stream, gap):
                self._metrics.gaps.labels(reason=gap.reason).inc()
                log.error(
                    "records_lost_unread",
                    stream=stream,
                    shard=parent,
                    after=gap.from_,
                    reason=gap.reason,
                    child=child.shard_id,
                    action="repair the readers' state from the table: no listing showed this shard "
                    "before its records were trimmed; `consumer gaps` names it, and reading goes "
                    "on with its child",
                )
        await claim.ensure_held()
        await self._store.mark_parent_gone(stream, child.shard_id)
        log.info("parent_gone", stream=stream, shard=child.shard_id, parent=parent)

    async def _create_root(self, claim: SweepClaim, parent: str) -> None:
        """Create a row for a parent that exists but is never listed: it is read as a root."""
        log.error(
            "parent_never_listed",
            stream=claim.row.key,
            shard=parent,
            action="nothing; it is read first, and its child after it",
        )
        await claim.ensure_held()
        lease = new_lease(Shard(parent, None, None), claim.row, self._clock.wall())
        await self._store.create_lease(claim.row.key, lease)
