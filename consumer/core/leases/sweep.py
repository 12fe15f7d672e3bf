"""The complete shard listing: when it is due, and what follows from it.

Whoever wins a conditional increment of the stream row's `sweep.n` lists; `sweep.done` follows when
the listing was complete. An unfinished sweep may be taken over after `lease_duration`, a finished
one followed after the interval, all by this worker's own clock: by when it first saw the numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.leases.checkpoint import sequence_of
from consumer.core.leases.lease import Lease

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from consumer.core.leases.lease import StreamRow
    from consumer.core.limits import LeaseTiming
    from consumer.core.stream.stream import Shard

PAGE_SECONDS = 0.5
"""At most two listing pages a second: DescribeStream allows ten per account and Region."""

QUIET_FACTOR = 5.0
"""The interval is this much longer while every end has shown its children."""

RETIRED_SECONDS = 3600.0
"""Interval for a stream whose shards are all read and that has a successor: rows to delete."""

YOUNG_SWEEPS = 5
"""The first sweeps follow each other after `lease_duration`: a new stream may not list all of its
first shards yet, and nothing but a listing shows them."""

UNCHANGED_LISTINGS = 5
"""A parent that answers but is never listed gets a row, as a root, after as many equal listings."""


class SweepClock:
    """What this worker has seen of one stream's sweep numbers."""

    def __init__(self, timing: LeaseTiming) -> None:
        self._timing = timing
        self._seen: tuple[int, int] | None = None
        self._since = 0.0

    def observe(self, row: StreamRow, answered_at: float) -> None:
        """Take in a stream row as read."""
        numbers = (row.sweep_n, row.sweep_done)
        if numbers != self._seen:
            self._seen = numbers
            self._since = answered_at

    def due_at(self, interval: float) -> float:
        """The time from which this worker may try to win the next sweep.

        A stream never swept is due at once, a finished sweep is followed after `interval`. A sweep
        under way shows it by raising `n` again.
        """
        if self._seen is None or self._seen == (0, 0):
            return self._since
        n, done = self._seen
        if n != done:
            return self._since + self._timing.lease_duration
        return self._since + interval


def new_lease(shard: Shard, stream: StreamRow, wall: float) -> Lease:
    """The row of a shard found by listing: read from its oldest record.

    It may be as old as the last complete listing, which did not show it: if that was long ago (no
    worker ran for a day), its head may have been trimmed before anybody could know of it.
    """
    since = wall if stream.swept_at is None else min(wall, stream.swept_at)
    return Lease(shard.shard_id, shard.parent_shard_id, created_at=since)


def orphans(leases: Sequence[Lease], listed: Collection[str]) -> tuple[Lease, ...]:
    """Leases whose gate waits for a parent that has no row and was not listed: ask the parent."""
    known = {lease.shard_id for lease in leases}
    return tuple(
        lease
        for lease in leases
        if lease.parent_shard_id is not None
        and not lease.parent_gone
        and not lease.finished
        and sequence_of(lease.checkpoint) is None
        and lease.parent_shard_id not in known
        and lease.parent_shard_id not in listed
    )


class UnlistedParents:
    """Parents that answer GetShardIterator but are in no listing, and how often they did."""

    def __init__(self) -> None:
        self._listed: frozenset[str] = frozenset()
        self._equal: dict[str, int] = {}  # child → complete listings in a row that were the same

    def begin(self, listed: frozenset[str]) -> None:
        """A complete listing. One that differs from the last starts the count again."""
        if listed != self._listed:
            self._equal.clear()
            self._listed = listed

    def answered(self, child: str) -> bool:
        """The parent of `child` answered. True once patience is at its end: take it as a root."""
        self._equal[child] = self._equal.get(child, 0) + 1
        return self._equal[child] >= UNCHANGED_LISTINGS
