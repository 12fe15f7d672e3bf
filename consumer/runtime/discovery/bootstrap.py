"""The start of a stream that this application has not read before: its row, and its first leases.

Rule: the start position applies only to a stream without a row. At a start at LATEST the lease rows
are created under the claim of a sweep, and no shard is ready before `bootstrapped` is written.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from consumer.core.leases.checkpoint import LATEST, SHARD_END, TRIM_HORIZON
from consumer.core.leases.lease import SCHEMA_VERSION, StreamRow
from consumer.core.leases.streams.lineage import label_before, oldest_first, parents_first
from consumer.core.leases.streams.purpose import event_types_of
from consumer.core.leases.streams.sweep import new_lease
from consumer.core.stream.stream import AtLatest
from consumer.errors import Misconfigured, Retryable, ShardNotFound, TrimmedData
from consumer.observability.actions import BEGIN_AT_HORIZON, BEGIN_LATER
from consumer.runtime.discovery.unread_streams import check_view_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.leases.lease import Lease
    from consumer.core.stream.stream import Shard, Stream, StreamPage
    from consumer.ports import Clock, LeaseStore, StreamClient
    from consumer.runtime.discovery.listing import ShardListing
    from consumer.runtime.discovery.source import Source
    from consumer.runtime.discovery.sweep_claim import SweepClaim

log = structlog.get_logger()


def first_row(source: Source, stream: Stream, rows: Sequence[StreamRow]) -> StreamRow:
    """Return the row for a stream that has none; `rows` are those of the table's other streams.

    A stream that follows another of the table starts at its oldest record: the start position is
    for the first stream only.
    """
    older = oldest_first(rows)
    start = TRIM_HORIZON if older else source.start_position
    row = StreamRow(
        arn=stream.arn,
        table=stream.table,
        label=stream.label,
        after=label_before(stream.label, rows),
        start_position=start,
        started_at=_started_at(start),
        bootstrapped=start != LATEST,
        sweep_n=0,
        sweep_done=0,
        changes=0,
        fingerprint=source.purpose.fingerprint,
    )
    readable = [each for each in older if each.unreadable is None]
    return source.purpose.first(row, readable[-1] if readable else None)


def _started_at(start_position: str) -> float | None:
    if start_position in (TRIM_HORIZON, LATEST):
        return None
    return datetime.fromisoformat(start_position).timestamp()


def check_schema(row: StreamRow) -> None:
    """Raise Misconfigured for rows of a schema that is more than one version newer."""
    if row.schema_version > SCHEMA_VERSION + 1:
        raise Misconfigured(
            f"stream {row.key} has lease rows of schema {row.schema_version}, but this version"
            f" understands none above {SCHEMA_VERSION + 1}; run the version that wrote them, or one"
            " that is at most one schema older"
        )


async def own_rows(
    store: LeaseStore, source: Source, rows: Sequence[StreamRow]
) -> tuple[StreamRow, ...]:
    """Return the rows of the table's streams, oldest first; create that of the source's stream.

    Replaces another purpose if the source accepts the change. The row is not created if the
    source follows the table and peers have already found a later stream. A row that cannot be read
    is there: it is neither created nor replaced. Raises Misconfigured, and what the store raises.

    After the creation the rows are read again: since `rows` was read, a peer that knows an older
    stream may have created that one's row, and this one is read after it.
    """
    ours = [row for row in rows if row.table == source.stream.table]
    late = source.follow_table and any(row.label > source.stream.label for row in ours)
    if not late and all(row.key != source.stream.key for row in ours):
        created = await store.create_stream(first_row(source, source.stream, ours))
        if created.unreadable is None:
            _tell_start(created)
        _, rows = await store.read_peers()
        ours = [row for row in rows if row.table == source.stream.table]
    for row in ours:
        check_schema(row)
    if source.accept_change:
        ours = [await _accept(store, source, row) for row in ours]
    return oldest_first(ours)


def _tell_start(row: StreamRow) -> None:
    """Log where reading begins, and what that means if the application has read the table before.

    A lost lease table looks like one that was never written to.
    """
    start = row.start_position
    if row.after is not None:
        log.info("stream_started", stream=row.key, start=start)
    elif start == TRIM_HORIZON:
        log.warning("stream_started", stream=row.key, start=start, action=BEGIN_AT_HORIZON)
    else:
        log.warning("stream_started", stream=row.key, start=start, action=BEGIN_LATER)


async def _accept(store: LeaseStore, source: Source, row: StreamRow) -> StreamRow:
    wanted = source.purpose.imposed(row)
    if wanted == row or row.unreadable is not None:
        return row
    replaced = await store.write_purpose(row, wanted)
    if replaced is None:
        raise Retryable(f"stream {row.key}: its row has changed meanwhile", "conflict")
    if wanted.fingerprint != row.fingerprint:
        before = row.fingerprint
    elif wanted.event_types != row.event_types:
        before = ", ".join(event_types_of(row))
    else:
        before = f"prefix {row.stream_prefix!r}"
    log.warning(
        "fingerprint_replaced",
        stream=row.key,
        before=before,
        action="unset CONSUMER_ACCEPT_CHANGE once no worker has the old settings",
    )
    return replaced


class LatestBootstrap:
    """Creates the leases of a start at LATEST: each open shard's holds a LATEST iterator."""

    def __init__(
        self,
        store: LeaseStore,
        streams: StreamClient,
        clock: Clock,
        listing: ShardListing,
    ) -> None:
        self._store = store
        self._streams = streams
        self._clock = clock
        self._listing = listing

    async def run(self, source: Source, claim: SweepClaim, rows: Sequence[StreamRow]) -> None:
        """Create the missing leases, then write when the start was.

        `claim` is one that was won, `rows` are those of the table's streams. If a peer has created
        that of an older stream meanwhile, this stream follows, and starts at its oldest record.

        Raises ClaimLost or Retryable; the next run keeps the leases created by then. Raises
        UnfitStream before the first lease is created, because a lease says that the stream is to be
        read. Whether a shard is read depends on its parent's lease, so that one is created first,
        in whatever order they are listed. An open shard starts at LATEST even if a child of it is
        listed, because the listing may be out of date; the child waits for it.
        """
        leases = await self._store.read_leases(claim.row.key)
        older = label_before(claim.row.label, rows)
        if older is not None and not leases:
            await claim.follow(older)
            return
        known = {lease.shard_id: lease for lease in leases}
        shards: list[Shard] = []
        dates: list[float] = []

        async def visit(page: StreamPage) -> None:
            check_view_type(source, claim.row, page, known)
            await claim.ensure_held()
            dates.append(page.answered_at)
            shards.extend(page.shards)

        await self._listing.complete(claim.row.stream, visit)
        for shard in parents_first(shards):
            if shard.shard_id in known:
                continue
            lease = await self._first_lease(claim, shard, known, dates)
            if lease is not None:
                await claim.ensure_held()
                await self._store.create_lease(claim.row.key, lease)
                known[shard.shard_id] = lease
        # A stream that no longer exists gives no date. Its start is over all the same: its leases
        # must come to their end, or the table's next stream would wait for ever. With the date 0
        # no record is skipped.
        started_at = dates[-1] if dates else 0.0
        await claim.ensure_held()
        await claim.bootstrapped(started_at)
        log.info("stream_bootstrapped", stream=claim.row.key, started_at=started_at)

    async def _first_lease(
        self, claim: SweepClaim, shard: Shard, known: Mapping[str, Lease], dates: list[float]
    ) -> Lease | None:
        row = new_lease(shard, claim.row, self._clock.wall())
        stream = claim.row.stream
        if shard.closed:
            parent = known.get(shard.parent_shard_id or "")
            if parent is None or parent.finished:
                return replace(row, checkpoint=SHARD_END)
            # Its parent was open when this start began: the shard is read after the parent, or its
            # own children would not wait for the parent.
            return replace(row, checkpoint=LATEST)
        try:
            iterator, date = await self._streams.shard_iterator(stream, shard.shard_id, AtLatest())
        except ShardNotFound:
            return None  # listed, but gone since; a sweep proves that
        except TrimmedData:
            # Some backends answer so to LATEST. Without an iterator the shard is read from its
            # oldest record, and records older than `startedAt` are skipped.
            return replace(row, checkpoint=LATEST)
        dates.append(date)
        return replace(row, checkpoint=LATEST, start_iterator=iterator)
