"""The sweep, a complete listing of a stream's shards: when it is due, and what follows from it.

What follows: rows for the shards that it shows, the leases that wait for a parent without a row,
and when such a parent, which answers but is never listed, is taken in as a root.

The worker that wins a conditional increment of the stream row's `sweep.n` lists; `sweep.done`
follows when the listing is complete. An unfinished sweep may be taken over after the longest lease
duration that any worker keeps to, a finished one is followed by another after the interval. Each
worker measures both by its own clock, from when it first saw the numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.leases.checkpoint import sequence_of
from consumer.core.leases.lease import Lease

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from consumer.core.leases.lease import StreamRow
    from consumer.core.stream.stream import Shard

PAGE_SECONDS = 0.5
"""At most two listing pages a second: DescribeStream allows ten per account and Region."""

QUIET_FACTOR = 5.0
"""The interval is this much longer while every shard that ended has children with rows."""

RETIRED_SECONDS = 3600.0
"""Interval for a retired stream: its rows are still to be deleted."""

YOUNG_SWEEPS = 5
"""This many first sweeps follow each other after `lease_duration`: a new stream may not list all of
its first shards yet, and only a listing shows them."""

UNCHANGED_LISTINGS = 5
"""A parent that answers but is never listed gets a row as a root after this many equal listings."""


class SweepClock:
    """When the next sweep of one stream is due, by the sweep numbers that this worker saw."""

    def __init__(self) -> None:
        self._seen: tuple[int, int] | None = None
        self._since = 0.0

    def observe(self, row: StreamRow, answered_at: float) -> None:
        """Take in a stream row as read; `answered_at` is in the seconds of the clock."""
        numbers = (row.sweep_n, row.sweep_done)
        if numbers != self._seen:
            self._seen = numbers
            self._since = answered_at

    def due_at(self, interval: float, lease_duration: float) -> float:
        """Return the time from which this worker may try to win the next sweep.

        A stream that was never swept is due at once. A finished sweep is followed by the next after
        `interval` seconds, one under way is taken over after `lease_duration` seconds; meanwhile it
        raises `n` again, which puts that off.
        """
        if self._seen is None or self._seen == (0, 0):
            return self._since
        n, done = self._seen
        if n != done:
            return self._since + lease_duration
        return self._since + interval


def new_lease(shard: Shard, stream: StreamRow, wall: float) -> Lease:
    """Return the row of a shard found by a listing; it is read from its oldest record.

    The shard may be as old as the last complete listing, which did not show it. If that was long
    ago (no worker ran for a day), its oldest records may be trimmed already. `wall` and
    `created_at` are epoch seconds.
    """
    since = wall if stream.swept_at is None else min(wall, stream.swept_at)
    return Lease(shard.shard_id, shard.parent_shard_id, created_at=since)


def orphans(leases: Sequence[Lease], listed: Collection[str]) -> tuple[Lease, ...]:
    """Return the leases that wait for a parent without a row that was not listed either."""
    known = {lease.shard_id for lease in leases}
    return tuple(
        lease
        for lease in leases
        if lease.parent_shard_id is not None
        and not lease.parent_gone
        and not lease.finished
        and lease.unreadable is None
        and sequence_of(lease.checkpoint) is None
        and lease.parent_shard_id not in known
        and lease.parent_shard_id not in listed
    )


class UnlistedParents:
    """How often parents that are in no listing have answered GetShardIterator."""

    def __init__(self) -> None:
        self._listed: frozenset[str] = frozenset()
        self._equal: dict[str, int] = {}  # child → complete listings in a row that were the same

    def observe(self, listed: frozenset[str]) -> None:
        """Take in a complete listing. One that differs from the last starts all counts again."""
        if listed != self._listed:
            self._equal.clear()
            self._listed = listed

    def answered(self, child: str) -> bool:
        """Note that the parent of `child` answered; return whether it now gets a row as a root."""
        self._equal[child] = self._equal.get(child, 0) + 1
        return self._equal[child] >= UNCHANGED_LISTINGS
