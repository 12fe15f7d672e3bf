"""Streams of which nothing is read: their records lack images, or they were gone unlisted.

So is the time between two streams, in which the table had none: nobody can read its changes.

Rule: no stream is passed in silence. Once the streams before an unfit one are read, its gap row is
written, and only then does its own row say that it is passed by, so that the next one may be read.

The newest stream is not passed by. Until a newer one exists, the operator may still change the
settings, and read it with these.

The row of what lies before a stream is written in its first complete sweep, by any worker.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import structlog

from consumer.core.leases.streams.lineage import label_before
from consumer.core.shard.gap import (
    BETWEEN_STREAMS,
    VIEW_TYPE,
    between_streams_gap,
    unfit_stream_gap,
    unlisted_stream_gap,
)
from consumer.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.core.leases.lease import Gap, Lease, StreamRow
    from consumer.core.stream.stream import StreamPage
    from consumer.observability.metrics import Metrics
    from consumer.ports import Clock, LeaseStore
    from consumer.runtime.discovery.listing import Listed
    from consumer.runtime.discovery.source import Source
    from consumer.runtime.discovery.sweep_claim import SweepClaim

log = structlog.get_logger()


class UnfitStream(Exception):
    """The records of a stream of which nothing was read lack images that the events need."""


def check_view_type(
    source: Source, row: StreamRow, page: StreamPage, leases: Mapping[str, Lease]
) -> None:
    """Raise UnfitStream if nothing of the stream can be read with these settings.

    If it was listed for reading before, the settings have changed since, and only the operator can
    say which are right: raise Misconfigured, unless all that is listed was read to its end.
    """
    if page.view_type in source.view_types:
        return
    # A row that cannot be read proves nothing: it may be no shard's.
    never_listed = not row.sweep_done and all(lease.unreadable for lease in leases.values())
    if source.follow_table and (never_listed or row.passed_by is not None):
        raise UnfitStream
    listed = all(shard.shard_id in leases for shard in page.shards)
    if row.sweep_done and listed and all(lease.finished for lease in leases.values()):
        return
    wanted = " or ".join(sorted(source.view_types))
    raise Misconfigured(
        f"stream {page.stream.arn} has view type {page.view_type}, but CONSUMER_PATCH needs"
        f" {wanted}"
    )


class UnreadStreams:
    """Writes what is missing because a stream is not read, as part of a sweep."""

    def __init__(self, store: LeaseStore, clock: Clock, metrics: Metrics) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._told: set[str] = set()  # keys of streams whose holes before and after have their rows

    async def pass_by(self, claim: SweepClaim, began_at: float) -> None:
        """Pass an unfit stream by, and finish its sweep. Raises ClaimLost or Retryable.

        Call it only when the streams before it are read, and a newer one exists.
        """
        if claim.row.passed_by is None:
            await self._record(
                claim,
                claim.row.key,
                unfit_stream_gap(claim.row.label, self._clock.wall()),
                "repair the readers' state from the table: the stream's view type lacks images that"
                " the events need, so nothing of it is read; `consumer gaps` names it",
            )
        await claim.finish(began_at, VIEW_TYPE)

    async def note_gone(
        self, claim: SweepClaim, leases: Mapping[str, Lease], listed: Listed
    ) -> None:
        """Write the gap of a stream that was gone before any listing showed a shard of it.

        Raises ClaimLost or Retryable.
        """
        if listed.page is not None or leases or claim.row.sweep_done:
            return
        gap = unlisted_stream_gap(claim.row.label, self._clock.wall())
        if gap is not None:
            await self._record(
                claim,
                claim.row.key,
                gap,
                "repair the readers' state from the table: the stream was gone before its shards"
                " were listed for the first time; `consumer gaps` names it",
            )

    async def note_holes(self, claim: SweepClaim) -> None:
        """Write the gaps between a stream and its neighbours, unless their rows are there.

        Which these are is read anew: the worker that created this one's row may not have known the
        one before, and this one may have its row later than the one after it. Raises ClaimLost or
        Retryable.
        """
        row = claim.row
        if row.sweep_done or row.key in self._told:
            return
        _, streams = await self._store.read_peers()
        known = [each for each in streams if each.table == row.table]
        after = min((each.label for each in known if each.label > row.label), default=None)
        for older, newer in pairwise((label_before(row.label, known), row.label, after)):
            if older is not None and newer is not None:
                await self._note_hole(claim, older, newer)
        self._told.add(row.key)

    async def _note_hole(self, claim: SweepClaim, older: str, newer: str) -> None:
        """Write the gap between two streams, given by label, unless its row is there.

        It is kept with the older stream: behind the end of all its shards.
        """
        key = f"{claim.row.table}/{older}"
        if any(gap.reason == BETWEEN_STREAMS for gap in await self._store.read_gaps(key)):
            return
        leases = await self._store.read_leases(key)
        await self._record(
            claim,
            key,
            between_streams_gap(older, leases, newer, self._clock.wall()),
            "repair the readers' state from the table: what was changed while it had no stream is"
            " in none; `consumer gaps` names it",
        )

    async def _record(self, claim: SweepClaim, stream_key: str, gap: Gap, action: str) -> None:
        await claim.ensure_held()
        if await self._store.put_gap(stream_key, gap):
            self._metrics.gaps.labels(reason=gap.reason).inc()
        log.error("stream_lost_unread", stream=stream_key, reason=gap.reason, action=action)
