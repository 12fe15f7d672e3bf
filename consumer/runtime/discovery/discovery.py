"""Finds shards and keeps the lineage. Rule: only this folder creates lease rows.

Whoever wins the sweep lists the stream; rows appear page by page, only those that a read did not
show. A parent that is named but not listed is asked itself (`parents`). At a shard's end its
children are looked up at once; those not yet visible are asked for a few times more (`children`),
and the sweep finds the rest.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from consumer.core.leases.lineage import childless_ends, deletable
from consumer.core.leases.sweep import (
    QUIET_FACTOR,
    RETIRED_SECONDS,
    YOUNG_SWEEPS,
    SweepClock,
    new_lease,
    orphans,
)
from consumer.errors import Retryable
from consumer.runtime.discovery.bootstrap import LatestBootstrap, check_view_type, first_row
from consumer.runtime.discovery.children import Children, stream_of
from consumer.runtime.discovery.listing import ShardListing
from consumer.runtime.discovery.parents import Parents, answers
from consumer.runtime.discovery.sweep_claim import Overtaken, SweepTurn
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from consumer.core.leases.lease import Lease, StreamRow
    from consumer.core.limits import LeaseTiming
    from consumer.core.stream.stream import Shard, Stream, StreamPage
    from consumer.observability.metrics import Metrics
    from consumer.ports import Clock, LeaseStore, StreamClient
    from consumer.runtime.discovery.bootstrap import Source
    from consumer.runtime.discovery.listing import Listed

log = structlog.get_logger()

SWEEP_TRIES = 3
"""A sweep that fails is begun again by its winner as often; then by anybody who takes it over."""

SWEEP_PAUSE = 1.0
"""Seconds between these tries."""

IDLE_SECONDS = 60.0
"""The loop looks at what is due at least this often."""


@dataclass(frozen=True, slots=True)
class KnownStreams:
    """What was last known of each stream's leases, by stream key.

    `closing`: all leases are at their end, and listings have to show that nothing follows.
    `retired`: a later stream of the table has begun.
    """

    leases: Mapping[str, Sequence[Lease]]
    closing: frozenset[str] = frozenset()
    retired: frozenset[str] = frozenset()


class Discovery:
    """`on_found` is called when rows were created or gates opened here."""

    def __init__(
        self,
        store: LeaseStore,
        streams: StreamClient,
        clock: Clock,
        timing: LeaseTiming,
        source: Source,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._streams = streams
        self._clock = clock
        self._timing = timing
        self._source = source
        self._metrics = metrics
        self._listing = ShardListing(streams, clock)
        self._changed = Signal()
        self._stopping = False
        self._turn: SweepTurn | None = None
        self._rows: dict[str, StreamRow] = {}
        self._due: dict[str, float] = {}
        self._sweep_clocks: dict[str, SweepClock] = {}
        self._children = Children(store, streams, clock)
        self._parents = Parents(store, streams, clock, metrics)
        self.exhausted: set[str] = set()  # keys of disabled streams read to their end
        self.on_found: Callable[[], None] = _nothing

    def observe(
        self, streams: Sequence[StreamRow], known: KnownStreams, answered_at: float
    ) -> None:
        """Stream rows (oldest first) as just read, and what is known of their leases."""
        self._rows = {row.key: row for row in streams}
        for row in streams:
            sweep_clock = self._sweep_clocks.setdefault(row.key, SweepClock(self._timing))
            sweep_clock.observe(row, answered_at)
            self._due[row.key] = sweep_clock.due_at(self._interval(row, known))
        for row in streams[:-1]:
            self._forget_state(row)
        self._changed.notify()

    def _forget_state(self, row: StreamRow) -> None:
        """A superseded stream is no alarm, whoever has listed it last."""
        with suppress(KeyError):
            self._metrics.stream_enabled.remove(row.key)

    def _interval(self, row: StreamRow, known: KnownStreams) -> float:
        if row.key in known.retired:
            return RETIRED_SECONDS
        if row.key in known.closing:
            return self._timing.lease_duration
        if row.sweep_done < YOUNG_SWEEPS:
            return min(self._timing.discovery, self._timing.lease_duration)
        leases = known.leases.get(row.key, ())
        quiet = not childless_ends(leases) and not orphans(leases, ())
        return self._timing.discovery * (QUIET_FACTOR if quiet else 1.0)

    def stop(self) -> None:
        """End `run` after the request under way."""
        self._stopping = True
        if self._turn is not None:
            self._turn.abandoned = True
        self._changed.notify()

    async def run(self) -> None:
        """Sweep what is due until stopped. Raises Misconfigured for a new stream's view type."""
        while not self._stopping:
            for key in tuple(self._due):
                now = self._clock.now()
                if self._due[key] <= now:  # asked anew for each: a sweep takes its time
                    self._due[key] = now + self._timing.lease_duration  # until the next observation
                    await self._try(key)
            if await self._children.ask_again(self._rows):
                self.on_found()
            due = min([self._children.due_at(), *self._due.values()])
            if not self._stopping:
                await self._changed.wait(min(IDLE_SECONDS, max(0.0, due - self._clock.now())))

    async def _try(self, key: str) -> None:
        row = self._rows.get(key)
        for _ in range(SWEEP_TRIES):
            if row is None or self._stopping:
                return
            turn = self._turn = SweepTurn(self._store, self._clock, self._timing, row)
            try:
                await turn.win()
                await self._sweep(turn)
            except Overtaken:
                log.debug("sweep_overtaken", stream=key)
                return
            except Retryable as error:
                log.warning("sweep_failed", stream=key, reason=error.reason)
                row = turn.row
                await self._clock.sleep(SWEEP_PAUSE)
            else:
                return

    async def _sweep(self, turn: SweepTurn) -> None:
        row, began_at = turn.row, self._clock.wall()
        stream = stream_of(row)
        if not row.bootstrapped:
            bootstrap = LatestBootstrap(self._store, self._streams, self._clock, self._listing)
            await bootstrap.run(stream, turn)
            self.on_found()
        # The successor is looked for first: then the listing is that of a disabled stream, whose
        # shards are all known before the new stream has a row.
        successor = await self._successor(row)
        leases = {lease.shard_id: lease for lease in await self._store.read_leases(row.key)}
        if not row.bootstrapped:
            for shard_id in childless_ends(tuple(leases.values())):
                self._children.expect(row, shard_id)  # a child of it may be hidden yet

        async def visit(page: StreamPage) -> None:
            check_view_type(self._source, page)
            await self._create(turn, page.shards, leases)

        listed = await self._listing.complete(stream, visit)
        if await self._parents.prove(turn, leases, listed):
            self.on_found()
        await self._delete_finished(turn, leases, listed)
        if successor is not None:
            known = list(self._rows.values())
            await self._store.create_stream(first_row(self._source, successor, known))
            log.warning("new_stream", stream=successor.key, after=row.key)
        await turn.finish(began_at)
        self._note_end(row, leases, listed)

    @property
    def _newest(self) -> str:
        return next(reversed(self._rows))

    async def _successor(self, row: StreamRow) -> Stream | None:
        """The table's latest stream if it has no row yet; asked while sweeping the newest known."""
        if not self._source.follow_table or row.key != self._newest:
            return None
        latest = await self._streams.latest_stream(row.table)
        return None if latest is None or latest.key in self._rows else latest

    async def _create(
        self, turn: SweepTurn, shards: Sequence[Shard], leases: dict[str, Lease]
    ) -> None:
        await turn.hold()
        new = [shard for shard in shards if shard.shard_id not in leases]
        created = 0
        try:
            for shard in new:
                lease = new_lease(shard, turn.row, self._clock.wall())
                await turn.hold()
                created += await self._store.create_lease(turn.row.key, lease)
                leases[shard.shard_id] = lease
        finally:
            # Told whatever the answers: a row may stand by a write without one, or by somebody
            # who died before he could tell.
            if new:
                self.on_found()
        if created:
            log.info("shards_found", stream=turn.row.key, count=created)

    async def _delete_finished(
        self, turn: SweepTurn, leases: dict[str, Lease], listed: Listed
    ) -> None:
        wall = self._clock.wall()
        for lease in deletable(tuple(leases.values()), listed.shard_ids, wall):
            await turn.hold()
            await self._store.delete_lease(turn.row.key, lease)

    def _note_end(self, row: StreamRow, leases: dict[str, Lease], listed: Listed) -> None:
        if row.key != self._newest:
            return
        self._metrics.stream_enabled.labels(stream=row.key).set(listed.enabled)
        if listed.enabled:
            return
        log.error("stream_disabled", stream=row.key)
        if all(lease.finished for lease in leases.values()):
            self.exhausted.add(row.key)
            self.on_found()

    async def adopt_children(self, row: StreamRow, shard_id: str) -> None:
        """At the end of `shard_id`: make rows for its children. Raises Retryable.

        Children that are not visible yet are asked for again later.
        """
        if await self._children.adopt(self._rows.get(row.key, row), shard_id):
            self.on_found()
        self._changed.notify()

    async def shard_exists(self, row: StreamRow, shard_id: str) -> bool:
        """Does a fresh complete listing show the shard, or does it answer itself? Raises Retryable.

        Some shards are in no listing: only one that is not and does not answer either is gone.
        """
        stream = stream_of(row)
        if shard_id in (await self._listing.fresh(stream)).shard_ids:
            return True
        return await answers(self._streams, stream, shard_id)


def _nothing() -> None:
    """Until somebody wants to know."""
