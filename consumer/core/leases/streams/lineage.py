"""Which shards may be read, and which rows may be deleted: a child waits for its parent.

The gate stands before rows at TRIM_HORIZON or LATEST; a row with a sequence number has passed it.
It opens when the parent's row says SHARD_END or the child's row says `parentGone`. A missing parent
row proves nothing, because listings are eventually consistent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.leases.checkpoint import sequence_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from consumer.core.leases.lease import Lease, StreamRow
    from consumer.core.stream.stream import Shard

LISTED_SECONDS = 26 * 3600.0
"""Closed shards stay listed about 24 h [documented]; finished rows stay two hours longer."""


def gate_open(lease: Lease, rows: Mapping[str, Lease]) -> bool:
    """Return whether the shard's parent allows it to be read. `rows` are leases by shard id."""
    if lease.parent_shard_id is None or lease.parent_gone:
        return True
    if sequence_of(lease.checkpoint) is not None:
        return True
    parent = rows.get(lease.parent_shard_id)
    return parent is not None and parent.finished


def ready_shards(
    row: StreamRow, leases: Sequence[Lease], *, predecessor_done: bool
) -> frozenset[str]:
    """Return the unfinished shards that a worker may read now. A row must be readable for that.

    No shard of a stream is ready before the stream is bootstrapped (until then a start at LATEST
    has no `startedAt`), nor before `predecessor_done`: the table's older streams are read.
    """
    if not row.bootstrapped or not predecessor_done:
        return frozenset()
    rows = {lease.shard_id: lease for lease in leases}
    return frozenset(
        lease.shard_id
        for lease in leases
        if not lease.finished and lease.unreadable is None and gate_open(lease, rows)
    )


def parents_first(shards: Iterable[Shard]) -> tuple[Shard, ...]:
    """Return the shards, each behind its parent if that is among them. Listings have any order."""
    by_id = {shard.shard_id: shard for shard in shards}
    found: dict[str, Shard] = {}
    for shard in by_id.values():
        line: dict[str, Shard] = {}
        each: Shard | None = shard
        while each is not None and each.shard_id not in found and each.shard_id not in line:
            line[each.shard_id] = each
            each = by_id.get(each.parent_shard_id or "")
        found |= reversed(line.items())
    return tuple(found.values())


def childless_ends(leases: Sequence[Lease]) -> tuple[str, ...]:
    """Return the finished shards of which no child has a row: the next listing may show one."""
    parents = {lease.parent_shard_id for lease in leases}
    return tuple(
        lease.shard_id for lease in leases if lease.finished and lease.shard_id not in parents
    )


def deletable(leases: Sequence[Lease], listed: Collection[str], wall: float) -> tuple[Lease, ...]:
    """Return the finished rows that are no longer needed, after a complete listing of `listed`.

    These are rows without an owner whose shard has left the listing, whose end is 26 h ago, and
    whose children have all begun, so that no gate needs them. A row that cannot be read may name
    any of them as its parent: none is deleted until it is repaired.
    """
    if any(lease.unreadable is not None for lease in leases):
        return ()
    waiting = {
        lease.parent_shard_id
        for lease in leases
        if not lease.finished and not lease.parent_gone and sequence_of(lease.checkpoint) is None
    }
    return tuple(
        lease
        for lease in leases
        if lease.finished
        and lease.owner is None
        and lease.shard_id not in listed
        and lease.shard_id not in waiting
        and wall - max(lease.created_at, lease.released_at or 0.0) >= LISTED_SECONDS
    )


def oldest_first(rows: Iterable[StreamRow]) -> tuple[StreamRow, ...]:
    """Return the rows of streams, those of a table in the order in which the streams were made.

    Their labels say it, which are the times at which they were made. What a row says that it comes
    `after` does not: the worker that created it may not have known the newest one.
    """
    return tuple(sorted(rows, key=lambda row: (row.table, row.label)))


def label_before(label: str, rows: Sequence[StreamRow]) -> str | None:
    """Return the label of the stream that the table had before this one, None if none is known.

    `rows` are those of the table's streams. A stream whose row was deleted by hand is still known
    if another row says that it comes after it.
    """
    known = {row.label for row in rows} | {row.after for row in rows if row.after is not None}
    return max((each for each in known if each < label), default=None)
