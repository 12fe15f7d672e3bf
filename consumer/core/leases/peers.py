"""Which peers are alive, judged from reads of the worker rows by this worker's own clock.

Clocks are never compared. A heartbeat is a counter. This worker remembers when an answer first
showed the counter's present value, and whether a later read still shows that value.

A peer is dead when a read *sent* at least a lease duration after the answer that first showed its
value still shows that value. Time without a successful read proves nothing. An owner without a
worker row is dead after being absent by the same rule: absence is a value like any other.

The lease duration is the peer's own, from its row, since the peer's fence keeps to that one: while
settings are rolled out, workers differ (ADR 15).
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.core.leases.lease import Worker
    from consumer.core.leases.worker_report import WorkerReport
    from consumer.core.limits import LeaseTiming

BEATING_INTERVALS = 3
"""A peer is beating while its heartbeat has risen within this many of its heartbeat intervals."""

UNSTATED_SECONDS = 60.0
"""Lease duration of a peer whose row states none, because its version is older; or this worker's
own, if that is longer."""


class Sighting(Struct, frozen=True):
    """What is known of one peer. `worker` is None while it has no row."""

    worker: Worker | None
    lease_duration: float  # this much later, the same value proves the peer dead
    shown_at: float  # when an answer first showed this value
    moved_at: float | None = None  # when an answer last showed another heartbeat than before
    dead: bool = False

    @property
    def heartbeat(self) -> int | None:
        """The value that must change, None while the peer has no row."""
        return None if self.worker is None else self.worker.heartbeat


class Peers:
    """All other workers, as far as this worker has seen them."""

    def __init__(self, me: str, timing: LeaseTiming) -> None:
        self._me = me
        self._timing = timing
        self._sightings: dict[str, Sighting] = {}
        self._settled_at: dict[str, float] = {}  # wall clock of rows, for ages only
        self._answered_at = -inf

    def observe(
        self, sent_at: float, answered_at: float, workers: Sequence[Worker], owners: Iterable[str]
    ) -> None:
        """Take in one complete, strongly consistent read of the worker rows.

        The read was sent and answered at these times of the clock. `owners` are the workers that
        lease rows name; those without a worker row are watched, too.
        """
        rows = {worker.worker_id: worker for worker in workers if worker.worker_id != self._me}
        names = rows.keys() | (set(owners) - {self._me})
        longest = max([self._timing.lease_duration, *map(self._stated, rows.values())])
        self._sightings = {
            name: self._sighting(name, rows.get(name), sent_at, answered_at, longest)
            for name in sorted(names)
        }
        self._settled_at = {name: row.settled_at for name, row in rows.items()} | {
            name: at for name, at in self._settled_at.items() if name in names and name not in rows
        }
        self._answered_at = answered_at

    def _sighting(
        self, name: str, row: Worker | None, sent_at: float, answered_at: float, longest: float
    ) -> Sighting:
        before = self._sightings.get(name)
        if row is not None:
            duration = self._stated(row)
        elif before is not None:
            duration = before.lease_duration
        else:  # nobody here knows what it keeps to
            duration = longest
        if before is None:
            return Sighting(row, duration, answered_at)
        if row is not None and before.worker is not None and row.heartbeat != before.heartbeat:
            return Sighting(row, duration, answered_at, answered_at)
        if (row is None) != (before.worker is None):
            return Sighting(row, duration, answered_at)
        silent = sent_at >= before.shown_at + duration
        return replace(before, worker=row, dead=before.dead or silent)

    def _stated(self, row: Worker) -> float:
        """Return the lease duration that this peer keeps to, in seconds."""
        if row.lease_duration is None:
            return max(UNSTATED_SECONDS, self._timing.lease_duration)
        return row.lease_duration

    @property
    def longest_lease_duration(self) -> float:
        """The longest that this worker or a peer keeps to, in seconds."""
        durations = [sighting.lease_duration for sighting in self._sightings.values()]
        return max([self._timing.lease_duration, *durations])

    @property
    def dead(self) -> frozenset[str]:
        """Peers that are dead: their leases may be taken."""
        return frozenset(name for name, sighting in self._sightings.items() if sighting.dead)

    @property
    def beating(self) -> frozenset[str]:
        """Peers whose heartbeat was seen to rise within the last three of their intervals."""
        return frozenset(
            name
            for name, sighting in self._sightings.items()
            if sighting.moved_at is not None
            and sighting.worker is not None
            and self._answered_at - sighting.moved_at <= self._beats(sighting.worker)
        )

    def _beats(self, row: Worker) -> float:
        return BEATING_INTERVALS * (row.heartbeat_interval or self._timing.heartbeat)

    def eligible(self, stream_key: str) -> frozenset[str]:
        """Return the peers that get a share of this stream.

        They are beating, able and not draining, they take leases of this stream, and their rows can
        be read.
        """
        beating = self.beating
        return frozenset(
            name
            for name, sighting in self._sightings.items()
            if name in beating
            and (worker := sighting.worker) is not None
            and worker.unreadable is None
            and worker.able
            and not worker.draining
            and stream_key in worker.streams
        )

    @property
    def draining(self) -> bool:
        """A peer that is not dead is handing its shards over: they are looked for more often."""
        return any(
            sighting.worker is not None and sighting.worker.draining and not sighting.dead
            for sighting in self._sightings.values()
        )

    def next_read_due(self) -> float:
        """Return the earliest time at which a read could prove a peer dead, inf if none could."""
        return min(
            (
                sighting.shown_at + sighting.lease_duration
                for sighting in self._sightings.values()
                if not sighting.dead
            ),
            default=inf,
        )

    def changes(self) -> tuple[tuple[str, int], ...]:
        """Return the `changes` counters as last read; another value makes a read of leases due."""
        return tuple(
            (name, sighting.worker.changes)
            for name, sighting in self._sightings.items()
            if sighting.worker is not None
        )

    @property
    def rows(self) -> tuple[Worker, ...]:
        """The rows of the peers as last read."""
        rows = (sighting.worker for sighting in self._sightings.values())
        return tuple(row for row in rows if row is not None)

    def report_of(self, worker_id: str) -> WorkerReport | None:
        """Return what a peer's row says of it, None if it says nothing or is absent."""
        sighting = self._sightings.get(worker_id)
        worker = None if sighting is None else sighting.worker
        return None if worker is None else worker.report

    def settled_at(self, worker_id: str) -> float | None:
        """Return up to when a peer's shards are settled by its last row, for ages only.

        That is in epoch seconds by its clock. Return None for a worker whose row was never seen.
        """
        return self._settled_at.get(worker_id)
