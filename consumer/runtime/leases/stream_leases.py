"""What this worker knows of the leases of each stream, and its plan for them.

Rule: decisions are made of an answer without an await in between; nothing here awaits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from consumer.core.leases.lineage import chain, ready_shards
from consumer.core.leases.plan import Plan, Situation, plan
from consumer.core.reports.lease_view import LeaseState, view
from consumer.runtime.discovery.discovery import KnownStreams

if TYPE_CHECKING:
    from asyncio import TaskGroup
    from collections.abc import Hashable, Sequence

    from consumer.core.leases.lease import Lease, StreamRow
    from consumer.core.leases.peers import Peers
    from consumer.core.limits import LeaseTiming
    from consumer.core.reports.lease_view import LeaseView
    from consumer.observability.metrics import Metrics
    from consumer.ports import Clock
    from consumer.runtime.discovery.bootstrap import Source
    from consumer.runtime.leases.heartbeat import Keeper
    from consumer.runtime.leases.held_shards import HeldShards

log = structlog.get_logger()

SURELY_LISTED_SECONDS = 30.0
"""A shard that a listing does not show so long after the last known one has ended is not there."""


@dataclass(slots=True)
class _Closing:
    """All leases of a stream are at their end, seen first at `since`.

    `sweep_n` is its sweep number once nothing new can be hidden any more, None before.
    """

    since: float
    sweep_n: int | None = None


class StreamLeases:
    """The lease rows as last read, by stream key."""

    def __init__(
        self,
        clock: Clock,
        timing: LeaseTiming,
        peers: Peers,
        held: HeldShards,
        keeper: Keeper,
        metrics: Metrics,
    ) -> None:
        self._clock = clock
        self._timing = timing
        self._peers = peers
        self._held = held
        self._keeper = keeper
        self._metrics = metrics
        self._leases: dict[str, Sequence[Lease]] = {}
        self._free_since: dict[str, dict[tuple[str, int], float]] = {}
        self._closing: dict[str, _Closing] = {}
        self._retired: dict[str, int] = {}  # by key, the sweep after which it was last looked at

    def owners(self) -> set[str]:
        """Everybody whom a lease names."""
        return {
            lease.owner
            for leases in self._leases.values()
            for lease in leases
            if lease.owner is not None
        }

    def of_table(self, source: Source, rows: Sequence[StreamRow]) -> tuple[StreamRow, ...]:
        """The table's streams, oldest first."""
        return chain([row for row in rows if row.table == source.stream.table])

    def active(self, rows: Sequence[StreamRow]) -> tuple[str, ...]:
        """Keys of the streams this worker takes leases of."""
        return tuple(row.key for row in rows if row.key not in self._retired)

    def is_retired(self, row: StreamRow) -> bool:
        """Read to its end, its successor may be read, and no sweep since may have found more."""
        return self._retired.get(row.key) == row.sweep_done

    def sign(self, row: StreamRow) -> Hashable:
        """What of a stream must change for its leases to be read."""
        return row.key, row.changes, row.bootstrapped, self.confirmed(row), self.is_retired(row)

    def known(self, rows: Sequence[StreamRow]) -> KnownStreams:
        """For discovery."""
        closing = frozenset(row.key for row in rows if row.key in self._closing)
        return KnownStreams(self._leases, closing, frozenset(self._retired))

    def confirmed(self, row: StreamRow) -> bool:
        """All leases are at their end, and a listing that began well after that added none.

        A listing made at once may still hide a child of a shard that has just ended, and nobody
        reads what is found after the stream counts as read.
        """
        closing = self._closing.get(row.key)
        if closing is None:
            return False
        if closing.sweep_n is None:
            if self._clock.now() - closing.since >= SURELY_LISTED_SECONDS:
                closing.sweep_n = row.sweep_n
            return False
        return row.sweep_done > closing.sweep_n

    def plan(
        self, rows: Sequence[StreamRow], row: StreamRow, leases: Sequence[Lease], mark: int
    ) -> Plan:
        """Plan for rows just answered; the read was sent at `mark` of the held shards."""
        self._leases[row.key] = leases
        self._note_closing(row, leases)
        self._look_again(row, leases)
        ready = ready_shards(row, leases, predecessor_done=self._predecessors_done(rows, row))
        now = self._clock.now()
        since = self._free_since.get(row.key, {})
        counters = {lease.shard_id: lease.counter for lease in leases}
        # A shard that was taken and freed again in between starts anew: its counter has moved.
        lingering = frozenset(
            shard
            for (shard, counter), at in since.items()
            if now - at >= self._timing.scan and counters.get(shard) == counter
        )
        decided = plan(
            Situation(
                me=self._keeper.worker_id,
                leases=leases,
                ready=ready,
                held=self._held.held(row.key, mark),
                counting=self._peers.counting(row.key),
                dead=self._peers.dead,
                serving=self._keeper.able,
                avoided=self._held.avoided(row.key),
                lingering=lingering,
                shed=self._held.shed_lately(row.key),
                ended=self._held.ended(row.key),
            )
        )
        self._free_since[row.key] = {
            (shard, counters[shard]): since.get((shard, counters[shard]), now)
            for shard in decided.free
        }
        return decided

    def act(self, group: TaskGroup, row: StreamRow, decided: Plan) -> None:
        """Start, hand over and give up what the plan says."""
        for shard_id in decided.keep:
            self._held.keep(row.key, shard_id)
        for shard_id in decided.shed:
            self._held.shed(row.key, shard_id)
        for lease in decided.release:
            self._held.release(group, row, lease)
        for lease in decided.take:
            self._held.start(group, row, lease)

    def views(self, rows: Sequence[StreamRow]) -> tuple[LeaseView, ...]:
        """All leases with their state as seen from here."""
        running = {(view.stream_key, view.shard_id) for view in self._held.views() if view.held}
        return tuple(
            seen
            for row in rows
            for seen in view(
                row.key,
                self._leases.get(row.key, ()),
                held={shard for of, shard in running if of == row.key},
                ready=ready_shards(
                    row,
                    self._leases.get(row.key, ()),
                    predecessor_done=self._predecessors_done(rows, row),
                ),
                dead=self._peers.dead,
                moving=self._peers.moving,
                seen_at=self._peers.seen_at,
            )
        )

    def count(self, rows: Sequence[StreamRow]) -> None:
        """Set the gauge of leases by state."""
        states = [seen.state for seen in self.views(rows)]
        for state in LeaseState:
            self._metrics.leases.labels(state=state.value).set(states.count(state))

    def _note_closing(self, row: StreamRow, leases: Sequence[Lease]) -> None:
        if not row.sweep_done or not all(lease.finished for lease in leases):
            self._closing.pop(row.key, None)
        else:
            self._closing.setdefault(row.key, _Closing(self._clock.now()))

    def _predecessors_done(self, rows: Sequence[StreamRow], row: StreamRow) -> bool:
        """May this stream be read as far as the table's older streams are concerned?"""
        older = rows[: [other.key for other in rows].index(row.key)]
        if all(other.key in self._retired for other in older):
            return True
        begun = any(lease.counter > 0 for lease in self._leases.get(row.key, ()))
        done = begun or all(self.confirmed(other) for other in older)
        if done:
            for other in older:
                if self._ended(other.key):
                    self._retired.setdefault(other.key, other.sweep_done)
        return done

    def _ended(self, stream_key: str) -> bool:
        return all(lease.finished for lease in self._leases.get(stream_key, ()))

    def _look_again(self, row: StreamRow, leases: Sequence[Lease]) -> None:
        """A shard may be found when its stream counts as read: late is better than not at all."""
        if row.key not in self._retired:
            return
        late = [lease.shard_id for lease in leases if not lease.finished]
        if not late:
            self._retired[row.key] = row.sweep_done
            return
        del self._retired[row.key]
        log.error(
            "shards_found_late",
            stream=row.key,
            shards=late,
            action="they are read now, beside the table's newer stream: of keys that changed in"
            " both, older events may follow newer ones",
        )
