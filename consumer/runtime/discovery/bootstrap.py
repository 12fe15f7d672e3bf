"""A stream this application has never seen: its row, and where its shards start.

Rule: start position applies to a never-seen stream only. Rows of a start at LATEST are made under
the sweep's turn, and nothing of the stream is ready before `bootstrapped` is written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from consumer.core.leases.checkpoint import LATEST, SHARD_END, TRIM_HORIZON
from consumer.core.leases.lease import SCHEMA_VERSION, StreamRow
from consumer.core.leases.lineage import chain
from consumer.core.leases.sweep import new_lease
from consumer.core.stream.stream import AtLatest
from consumer.errors import Misconfigured, ShardNotFound, TrimmedData
from consumer.runtime.discovery.children import stream_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.leases.lease import Lease
    from consumer.core.stream.stream import Shard, Stream, StreamPage, ViewType
    from consumer.ports import Clock, LeaseStore, StreamClient
    from consumer.runtime.discovery.listing import ShardListing
    from consumer.runtime.discovery.sweep_claim import SweepTurn

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Source:
    """What this worker was configured to read, and what for.

    `follow_table`: newer streams of the same table are followed (CONSUMER_TABLE). `start_position`
    is TRIM_HORIZON, LATEST or an ISO time with zone. `fingerprint` names event type, data type,
    ordering key, layout and patch, for people to compare. `view_types` are those that fit it.
    """

    stream: Stream
    follow_table: bool
    start_position: str
    fingerprint: str
    view_types: frozenset[ViewType]
    accept_change: bool = False


def first_row(source: Source, stream: Stream, rows: Sequence[StreamRow]) -> StreamRow:
    """The row of a stream that has none; `rows` are those of the table's other streams.

    After an older stream of the table the new one starts at its oldest record, whatever the start
    position says: that is for the first stream only.
    """
    older = chain(rows)
    start = TRIM_HORIZON if older else source.start_position
    return StreamRow(
        arn=stream.arn,
        table=stream.table,
        label=stream.label,
        after=older[-1].label if older else None,
        start_position=start,
        started_at=_started_at(start),
        bootstrapped=start != LATEST,
        sweep_n=0,
        sweep_done=0,
        changes=0,
        fingerprint=source.fingerprint,
    )


def _started_at(start_position: str) -> float | None:
    if start_position in (TRIM_HORIZON, LATEST):
        return None
    return datetime.fromisoformat(start_position).timestamp()


def check_fingerprint(source: Source, row: StreamRow) -> None:
    """One application, one purpose. Raises Misconfigured, naming both values."""
    if row.fingerprint != source.fingerprint:
        raise Misconfigured(
            f"CONSUMER_APPLICATION reads stream {row.key} for {row.fingerprint!r}, but this worker"
            f" is configured for {source.fingerprint!r}; choose another application, or set"
            " CONSUMER_ACCEPT_CHANGE=true to replace it"
        )


def check_schema(row: StreamRow) -> None:
    """Neighbouring versions share leases. Raises Misconfigured for rows of a later one."""
    if row.schema_version > SCHEMA_VERSION + 1:
        raise Misconfigured(
            f"stream {row.key} has lease rows of schema {row.schema_version}, but this version"
            f" understands none above {SCHEMA_VERSION + 1}; run the version that wrote them, or one"
            " that is at most one schema older"
        )


def check_view_type(source: Source, page: StreamPage) -> None:
    """Raises Misconfigured where a stream does not carry the images that are needed."""
    if page.view_type not in source.view_types:
        wanted = " or ".join(sorted(source.view_types))
        raise Misconfigured(
            f"stream {page.stream.arn} has view type {page.view_type}, but CONSUMER_PATCH needs"
            f" {wanted}"
        )


async def own_rows(
    store: LeaseStore, source: Source, rows: Sequence[StreamRow]
) -> tuple[StreamRow, ...]:
    """The rows of the table's streams, ours among them, oldest first. Raises as the store does.

    Creates the row of a stream never seen, and replaces a fingerprint where that was asked for. Who
    looked for the table's latest stream before the others found a later one leaves his out.
    """
    ours = [row for row in rows if row.table == source.stream.table]
    late = source.follow_table and any(row.label > source.stream.label for row in ours)
    if not late and all(row.key != source.stream.key for row in ours):
        ours.append(await store.create_stream(first_row(source, source.stream, ours)))
        log.info("stream_started", stream=source.stream.key, start=ours[-1].start_position)
    for row in ours:
        check_schema(row)
    if source.accept_change:
        ours = [await _accept(store, source, row) for row in ours]
    for row in ours:
        check_fingerprint(source, row)
    return chain(ours)


async def _accept(store: LeaseStore, source: Source, row: StreamRow) -> StreamRow:
    if row.fingerprint == source.fingerprint:
        return row
    log.warning("fingerprint_replaced", stream=row.key, before=row.fingerprint)
    replaced = await store.replace_stream(row, replace(row, fingerprint=source.fingerprint))
    return row if replaced is None else replaced


class LatestBootstrap:
    """Gives every open shard of a stream a stored LATEST iterator, then says when that was."""

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

    async def run(self, stream: Stream, turn: SweepTurn) -> None:
        """Under a won turn. Raises Overtaken or Retryable; what was made by then is kept.

        An open shard is started at LATEST also where a child of it is listed: the listing may be
        behind, and the gate makes the child wait.
        """
        leases = await self._store.read_leases(turn.row.key)
        known = {lease.shard_id: lease for lease in leases}
        dates: list[float] = []

        async def visit(page: StreamPage) -> None:
            await turn.hold()
            dates.append(page.answered_at)
            for shard in page.shards:
                if shard.shard_id in known:
                    continue
                lease = await self._place(turn, shard, known, dates)
                if lease is not None:
                    await turn.hold()
                    await self._store.create_lease(turn.row.key, lease)
                    known[shard.shard_id] = lease

        await self._listing.complete(stream, visit)
        # A stream that is gone has no date. Its start is over all the same: the rows it has must
        # come to their end, or the table's next stream would wait for ever. Nothing is skipped.
        started_at = dates[-1] if dates else 0.0
        await turn.hold()
        await turn.bootstrapped(started_at)
        log.info("stream_bootstrapped", stream=turn.row.key, started_at=started_at)

    async def _place(
        self, turn: SweepTurn, shard: Shard, known: Mapping[str, Lease], dates: list[float]
    ) -> Lease | None:
        row = new_lease(shard, turn.row, self._clock.wall())
        stream = stream_of(turn.row)
        if shard.closed:
            parent = known.get(shard.parent_shard_id or "")
            if parent is None or parent.finished:
                return replace(row, checkpoint=SHARD_END)
            # Its parent was open a moment ago, or when another worker began with this: the shard
            # is read after it, or its own children would not wait for the parent.
            return replace(row, checkpoint=LATEST)
        try:
            iterator, date = await self._streams.shard_iterator(stream, shard.shard_id, AtLatest())
        except ShardNotFound:
            return None  # listed, but aged out since: a sweep proves it
        except TrimmedData:
            # Some backends say so of a fresh LATEST. Without an iterator the shard is read from
            # its oldest record, skipping what is older than `startedAt`.
            return replace(row, checkpoint=LATEST)
        dates.append(date)
        return replace(row, checkpoint=LATEST, start_iterator=iterator)
