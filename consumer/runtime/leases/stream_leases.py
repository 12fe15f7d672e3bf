"""What this worker has read of the leases of each stream, and its plan for them.

Rule: nothing here awaits, so no await lies between an answer and the decisions made from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from consumer.core.leases.plan import Plan, Situation, plan
from consumer.core.leases.streams.lineage import oldest_first, ready_shards
from consumer.core.leases.streams.stream_life import (
    Closing,
    Confirmed,
    PassedBy,
    Retired,
    StreamLife,
    StreamSeen,
    advance,
    row_lost,
    unread,
    waiting_long,
)
from consumer.core.reports.lease_view import view
from consumer.core.reports.readiness import FirstSteps
from consumer.core.shard.shard_state import ShardState
from consumer.observability.actions import FIND_OUT_WHO_DELETED
from consumer.observability.conditions import Conditions
from consumer.runtime.discovery.known_streams import KnownStreams

if TYPE_CHECKING:
    from asyncio import TaskGroup
    from collections.abc import Hashable, Mapping, Sequence

    from consumer.core.failure import Failure
    from consumer.core.leases.lease import Lease, StreamRow
    from consumer.core.leases.peers import Peers
    from consumer.core.limits import LeaseTiming
    from consumer.core.reports.lease_view import LeaseView
    from consumer.ports import Clock
    from consumer.runtime.discovery.source import Source
    from consumer.runtime.leases.heartbeat import Heartbeat
    from consumer.runtime.leases.held_shards import HeldShards

log = structlog.get_logger()

_ENDED = Closing | Confirmed | Retired
"""The phases of a stream whose leases are all at their end."""

LONG_INTERVALS = 2
"""A stream that waits for an older one longer than this many discovery intervals is named."""


class StreamLeases:
    """The table's streams, their leases as last read, and the phase of each stream's life.

    Only `observe` and `plan`, which are given what was read, change any of it.
    """

    def __init__(
        self,
        clock: Clock,
        timing: LeaseTiming,
        peers: Peers,
        held: HeldShards,
        heartbeat: Heartbeat,
    ) -> None:
        self._clock = clock
        self._timing = timing
        self._peers = peers
        self._held = held
        self._heartbeat = heartbeat
        self._streams: Mapping[str, StreamSeen] = {}  # by key, oldest first
        self._lives: Mapping[str, StreamLife] = {}
        self._free_since: dict[str, dict[tuple[str, int], float]] = {}
        self._leases_read = False
        self._listed = False
        self._conditions = Conditions(clock.now)

    # -- what was read

    def observe(self, rows: Sequence[StreamRow], sent_at: float) -> None:
        """Take in the table's stream rows, oldest first, of a read sent at `sent_at` (clock)."""
        before = self._streams
        self._note_lost(rows)
        self._streams = {
            row.key: replace(before[row.key], row=row, asked_at=sent_at)
            if row.key in before
            else StreamSeen(row, sent_at)
            for row in rows
        }
        self._advance()

    def _note_lost(self, rows: Sequence[StreamRow]) -> None:
        """Give up everything if a stream that is read here has lost its row."""
        lost = row_lost(self._streams, rows)
        read = lost and lost & {view.stream_key for view in self._held.views()}
        for key in sorted(read):
            log.error("stream_row_gone", stream=key, action=FIND_OUT_WHO_DELETED)
        if read:
            self._heartbeat.give_up()

    def _take_in(self, row: StreamRow, leases: Sequence[Lease]) -> None:
        """Take in the leases of a stream; their read was sent after that of `row`."""
        if row.key not in self._streams:
            return  # its row has been deleted since
        seen = replace(self._streams[row.key], leases=leases, listing=row.sweep_done)
        self._streams = {**self._streams, row.key: seen}
        self._advance()

    def _advance(self) -> None:
        now, streams = self._clock.now(), tuple(self._streams.values())
        self._lives, found = advance(now, self._lives, streams)
        self._note_first_steps()
        for late in found:
            log.error(
                "shards_found_late",
                stream=late.stream_key,
                shards=list(late.shards),
                action="nothing; they are read now, beside the table's newer stream: of keys that"
                " changed in both, older events may follow newer ones",
            )
        waiting = dict(waiting_long(now, self._lives, LONG_INTERVALS * self._timing.discovery))
        for key, older in waiting.items():
            self._conditions.warning(
                "stream_waits",
                stream=key,
                after=older,
                action="nothing; the older stream is read first, which keeps the changes of a key"
                " in order. If its shards stand still, look there: a change is kept for 24 hours",
            )
        for key in self._lives:
            if key not in waiting:
                self._conditions.over("stream_waits", stream=key)

    def _note_first_steps(self) -> None:
        """Note, once and for good, that all leases were read, and that a stream was listed.

        Not every stream: the newest one may be unfit, or wait for its turn.
        """
        seen = [each for each in self._streams.values() if self.to_be_read(each.row)]
        if seen and all(each.leases is not None for each in seen):
            self._leases_read = True
            self._listed = self._listed or any(each.row.sweep_done for each in seen)

    # -- what follows from it

    def owners(self) -> set[str]:
        """Return the ids of all workers that own a lease."""
        return {
            lease.owner
            for seen in self._streams.values()
            for lease in seen.leases or ()
            if lease.owner is not None
        }

    @property
    def readable(self) -> tuple[StreamRow, ...]:
        """The stream rows that can be read, oldest first."""
        return tuple(seen.row for seen in self._streams.values() if seen.row.unreadable is None)

    @property
    def read(self) -> tuple[tuple[StreamRow, Sequence[Lease] | None], ...]:
        """The stream rows that can be read, oldest first, with their leases as last read."""
        seen = self._streams.values()
        return tuple((each.row, each.leases) for each in seen if each.row.unreadable is None)

    def first_steps(self, reading: Failure | None) -> FirstSteps:
        """Return what was done since the start; `reading` is the failure if no shard was read."""
        return FirstSteps(self._leases_read, self._listed, reading)

    def of_table(self, source: Source, rows: Sequence[StreamRow]) -> tuple[StreamRow, ...]:
        """Return the rows of the streams of the source's table, oldest first."""
        return oldest_first(row for row in rows if row.table == source.stream.table)

    def active(self) -> tuple[str, ...]:
        """Return the keys of the streams of which this worker takes leases."""
        return tuple(key for key in self._streams if not self._is_left(key))

    def to_be_read(self, row: StreamRow) -> bool:
        """Return whether a pass reads the leases; of a retired stream only after a listing.

        A stream whose row cannot be read waits. What runs of it here goes on.
        """
        if row.unreadable is not None:
            return False
        return not self._is_left(row.key) or self._is_unread(row.key)

    def version(self) -> Hashable:
        """Return a value that changes whenever the leases of a stream have to be read."""
        return tuple(
            (
                key,
                seen.row.changes,
                seen.row.bootstrapped,
                self._lives[key].over or self._is_unread(key),
                self.to_be_read(seen.row),
            )
            for key, seen in self._streams.items()
        )

    def known(self) -> KnownStreams:
        """Return what discovery needs: the leases, and the streams' phases."""
        phases = {key: life.phase for key, life in self._lives.items()}
        return KnownStreams(
            {key: seen.leases or () for key, seen in self._streams.items()},
            frozenset(key for key, phase in phases.items() if isinstance(phase, _ENDED)),
            frozenset(key for key, phase in phases.items() if isinstance(phase, Retired)),
            frozenset(key for key, life in self._lives.items() if life.may_be_read),
        )

    def plan(self, row: StreamRow, leases: Sequence[Lease], mark: int) -> Plan:
        """Take in the leases just read and return the plan for them.

        `mark` is that of the held shards when the read was sent.
        """
        self._take_in(row, leases)
        ready = self._ready(row, leases)
        now = self._clock.now()
        since = self._free_since.get(row.key, {})
        counters = {lease.shard_id: lease.counter for lease in leases}
        # A shard that was taken and released in between starts anew: its counter has changed.
        free_twice = frozenset(
            shard
            for (shard, counter), at in since.items()
            if now - at >= self._timing.scan and counters.get(shard) == counter
        )
        decided = plan(
            Situation(
                me=self._heartbeat.worker_id,
                leases=leases,
                ready=ready,
                held=self._held.held(row.key, mark),
                eligible=self._peers.eligible(row.key),
                dead=self._peers.dead,
                serving=self._heartbeat.able,
                avoided=self._held.avoided(row.key),
                free_twice=free_twice,
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
        """Start, shed, keep and release the shards as the plan says."""
        for shard_id in decided.keep:
            self._held.keep(row.key, shard_id)
        for shard_id in decided.shed:
            self._held.shed(row.key, shard_id)
        for lease in decided.release:
            self._held.release(group, row, lease)
        for lease in decided.take:
            self._held.start(group, row, lease)

    def views(self) -> tuple[LeaseView, ...]:
        """Return all leases with their state as seen from this worker."""
        held = {
            (view.stream_key, view.shard_id): view.state for view in self._held.views() if view.held
        }
        return tuple(
            lease
            for key, seen in self._streams.items()
            for lease in view(
                key,
                seen.leases or (),
                held={shard for of, shard in held if of == key},
                ready=self._ready(seen.row, seen.leases or ()),
                dead=self._peers.dead,
                beating=self._peers.beating,
                failing={
                    shard
                    for (of, shard), state in held.items()
                    if of == key and state is ShardState.FAILING
                },
                settled_at=self._peers.settled_at,
                report_of=self._peers.report_of,
            )
        )

    def _ready(self, row: StreamRow, leases: Sequence[Lease]) -> frozenset[str]:
        life = self._lives.get(row.key)
        may_be_read = life is not None and life.may_be_read
        return ready_shards(row, leases, predecessor_done=may_be_read)

    def _is_left(self, key: str) -> bool:
        """Return whether the stream is retired or passed by."""
        return isinstance(self._lives[key].phase, Retired | PassedBy)

    def _is_unread(self, key: str) -> bool:
        return unread(self._lives[key].phase, self._streams[key])
