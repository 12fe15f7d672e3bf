"""Discovery: which shards exist, and their lineage. Rule: only this folder creates lease rows.

The worker that claims the sweep of a stream lists it, and creates, page by page, the rows that a
read did not show. Rows are created in three more places: at a start at LATEST (`bootstrap`), for a
parent that answers although no listing shows it (`parents`), and for the children of a shard that
has ended, which are looked up a few times (`children`). Sweeps find those that appear later.
"""

from __future__ import annotations

from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING

import structlog

from consumer.core.leases.streams.lineage import childless_ends, deletable
from consumer.core.leases.streams.sweep import (
    QUIET_FACTOR,
    RETIRED_SECONDS,
    YOUNG_SWEEPS,
    SweepClock,
    new_lease,
    orphans,
)
from consumer.errors import Retryable
from consumer.observability.actions import LIST_AGAIN
from consumer.observability.conditions import Conditions
from consumer.runtime.discovery.bootstrap import LatestBootstrap
from consumer.runtime.discovery.children import Children
from consumer.runtime.discovery.existence import ShardExistence
from consumer.runtime.discovery.listing import ShardListing
from consumer.runtime.discovery.new_rows import create_rows
from consumer.runtime.discovery.parents import Parents
from consumer.runtime.discovery.stream_alarm import StreamAlarm
from consumer.runtime.discovery.successor import Successors
from consumer.runtime.discovery.sweep_claim import ClaimLost, SweepClaim
from consumer.runtime.discovery.unread_streams import UnfitStream, UnreadStreams, check_view_type
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumer.core.leases.lease import Lease, StreamRow
    from consumer.core.limits import LeaseTiming
    from consumer.core.stream.stream import Shard, StreamPage
    from consumer.observability.metrics import Metrics
    from consumer.ports import Clock, LeaseStore, StreamClient
    from consumer.runtime.discovery.known_streams import KnownStreams
    from consumer.runtime.discovery.listing import Listed
    from consumer.runtime.discovery.source import Source

log = structlog.get_logger()

SWEEP_TRIES = 3
"""Times a worker begins a sweep that fails; after that any worker may claim it."""

SWEEP_PAUSE = 1.0
"""Seconds between these tries."""

IDLE_SECONDS = 60.0
"""Longest wait before the loop checks again what is due."""


class Discovery:
    """`on_found` is called when this worker has, or may have, created rows or opened gates.

    `exhausted` holds the keys of disabled streams that were read to their end.
    """

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
        self._listing = ShardListing(streams, clock)
        self._changed = Signal()
        self._conditions = Conditions(clock.now)
        self._stopping = False
        self._claim: SweepClaim | None = None
        self._rows: dict[str, StreamRow] = {}
        self._may_be_read: frozenset[str] = frozenset()
        self._due: dict[str, float] = {}
        self._sweep_clocks: dict[str, SweepClock] = {}
        self._children = Children(store, streams, clock)
        self._parents = Parents(store, streams, clock, metrics)
        self._successors = Successors(store, streams, clock, source)
        self._unread = UnreadStreams(store, clock, metrics)
        self._alarm = StreamAlarm(clock, metrics)
        self._existence = ShardExistence(streams, self._listing, clock)
        self.exhausted: set[str] = set()
        self.on_found: Callable[[], None] = _nothing

    def observe(
        self,
        streams: Sequence[StreamRow],
        known: KnownStreams,
        answered_at: float,
        lease_duration: float,
    ) -> None:
        """Take in stream rows, oldest first, read at `answered_at` (clock), and their leases.

        `lease_duration` is the longest that a worker keeps to, in seconds. A stream whose row
        cannot be read is known, but not listed; nor is one that was passed by for a newer one.
        """
        self._rows = {row.key: row for row in streams}
        for gone in self._due.keys() - self._rows.keys():
            del self._due[gone]
            self._sweep_clocks.pop(gone, None)
        self._may_be_read = known.may_be_read
        for row in streams:
            passed_by = row.passed_by is not None and row.key != self._newest
            if row.unreadable is not None or passed_by:
                self._due[row.key] = inf
                continue
            sweep_clock = self._sweep_clocks.setdefault(row.key, SweepClock())
            sweep_clock.observe(row, answered_at)
            self._due[row.key] = sweep_clock.due_at(self._interval(row, known), lease_duration)
        for row in streams[:-1]:
            self._alarm.superseded(row)
        self._changed.notify()

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
        """End `run` soon; a sweep under way creates and deletes no further lease."""
        self._stopping = True
        if self._claim is not None:
            self._claim.abandoned = True
        self._listing.stop()
        self._changed.notify()

    async def run(self) -> None:
        """Make due sweeps and lookups until stopped.

        Raises Misconfigured if the settings can no longer read a stream that was begun with others.
        """
        while not self._stopping:
            for key in tuple(self._due):
                now = self._clock.now()
                if self._due.get(key, inf) <= now:  # a sweep takes long, and its row may be gone
                    self._due[key] = now + self._timing.lease_duration  # until the next observation
                    await self._try(key)
            if await self._children.look_up_due(self._rows):
                self.on_found()
            due = min([self._children.due_at(), *self._due.values()])
            if not self._stopping:
                await self._changed.wait(min(IDLE_SECONDS, max(0.0, due - self._clock.now())))

    async def _try(self, key: str) -> None:
        row = self._rows.get(key)
        for _ in range(SWEEP_TRIES):
            if row is None or row.unreadable is not None or self._stopping:
                return
            claim = self._claim = SweepClaim(self._store, self._clock, self._timing, row)
            try:
                await claim.win()
                await self._sweep(claim)
            except ClaimLost:
                log.debug("sweep_overtaken", stream=key)
                return
            except Retryable as error:
                self._conditions.failed("sweep_failed", error, action=LIST_AGAIN, stream=key)
                row = claim.row
                await self._clock.sleep(SWEEP_PAUSE)
            else:
                self._conditions.over("sweep_failed", stream=key)
                return

    async def _sweep(self, claim: SweepClaim) -> None:
        row, began_at = claim.row, self._clock.wall()
        rows = tuple(self._rows.values())
        if not row.bootstrapped:
            bootstrap = LatestBootstrap(self._store, self._streams, self._clock, self._listing)
            with suppress(UnfitStream):  # the listing below finds the same
                await bootstrap.run(self._source, claim, rows)
                self.on_found()
        # The successor is looked up before the listing: so the listing is that of a disabled
        # stream, and all its shards have rows before the new stream has one.
        successor = await self._successors.find(rows, row)
        leases = {lease.shard_id: lease for lease in await self._store.read_leases(row.key)}
        if not row.bootstrapped:
            for shard_id in childless_ends(tuple(leases.values())):
                self._children.look_up_later(row, shard_id)  # the listing may not show a child yet

        listed = await self._list(claim, leases)
        if listed is not None:
            if await self._parents.resolve(claim, leases, listed):
                self.on_found()
            await self._delete_finished(claim, leases, listed)
            await self._unread.note_gone(claim, leases, listed)
        await self._unread.note_holes(claim)
        if successor is not None:
            await self._successors.create_row(rows, successor)
        if listed is None:
            await self._leave_unfit(claim, began_at)
        else:
            await claim.finish(began_at)
            self._note_enabled(row, leases, listed)

    async def _list(self, claim: SweepClaim, leases: dict[str, Lease]) -> Listed | None:
        """List the stream and create the rows that are missing; return None if it is unfit."""

        async def visit(page: StreamPage) -> None:
            check_view_type(self._source, claim.row, page, leases)
            await self._create_leases(claim, page.shards, leases)

        try:
            return await self._listing.complete(claim.row.stream, visit)
        except UnfitStream:
            return None

    async def _leave_unfit(self, claim: SweepClaim, began_at: float) -> None:
        """Pass an unfit stream by, if the streams before it are read and a newer one exists.

        Until then its sweep is not finished: another one follows soon, and the stream stays open.
        """
        key = claim.row.key
        if key != self._newest and key in self._may_be_read:
            await self._unread.pass_by(claim, began_at)
        else:
            self._alarm.unfit(claim.row, newest=key == self._newest)

    @property
    def _newest(self) -> str:
        return next(reversed(self._rows))

    async def _create_leases(
        self, claim: SweepClaim, shards: Sequence[Shard], leases: dict[str, Lease]
    ) -> None:
        await claim.ensure_held()  # also where no row is new: the next page takes its time
        wall = self._clock.wall()
        new = [new_lease(each, claim.row, wall) for each in shards if each.shard_id not in leases]
        try:
            created = await create_rows(self._store, claim, new)
        finally:
            # Also after a failure: that write may have created the row, and so may a worker that
            # died before it notified its peers.
            if new:
                self.on_found()
        leases |= {lease.shard_id: lease for lease in new}
        if created:
            log.info("shards_found", stream=claim.row.key, count=created)

    async def _delete_finished(
        self, claim: SweepClaim, leases: dict[str, Lease], listed: Listed
    ) -> None:
        wall = self._clock.wall()
        for lease in deletable(tuple(leases.values()), listed.shard_ids, wall):
            await claim.ensure_held()
            await self._store.delete_lease(claim.row.key, lease)

    def _note_enabled(self, row: StreamRow, leases: dict[str, Lease], listed: Listed) -> None:
        if row.key != self._newest:
            return
        if listed.enabled:
            self._alarm.enabled(row)
            return
        self._alarm.disabled(row)
        if all(lease.finished for lease in leases.values()):
            self.exhausted.add(row.key)
            self.on_found()

    async def create_children(self, row: StreamRow, shard_id: str) -> None:
        """Create rows for the children of `shard_id`, which has ended. Raises Retryable.

        Children that the stream does not show yet are looked up again later.
        """
        newer = self._rows.get(row.key, row)
        shown = row if newer.unreadable is not None else newer
        if await self._children.create_rows(shown, shard_id):
            self.on_found()
        self._changed.notify()

    async def shard_exists(self, row: StreamRow, shard_id: str) -> bool:
        """Return whether a shard exists that a call has denied. Raises Retryable."""
        return await self._existence.of(row, shard_id)


def _nothing() -> None:
    """Stand for `on_found` until the coordinator sets it."""
