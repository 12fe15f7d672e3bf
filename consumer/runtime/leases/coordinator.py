"""The coordinator: which shards this worker runs. Rule: no worker leads; each plans from the rows.

Every scan reads the worker and stream rows. A pass reads the lease rows, plans and acts on the
plan; it is made only when something has changed (see `core.leases.lease_read_schedule`). No await
lies between the answer of a read and the decisions made from it.

Ownership: the coordinator owns the tasks of the heartbeat, discovery and the shard consumers. They
are told to drain; they are cancelled only at the deadline after that.
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING

import structlog

from consumer.core.leases.lease_read_schedule import LeaseReadSchedule
from consumer.core.leases.peers import Peers
from consumer.errors import Fatal, NotReleased, Retryable, Unreachable, first_in
from consumer.observability.actions import HAND_OVER, READ_ROWS_AGAIN
from consumer.observability.conditions import Conditions
from consumer.runtime.leases.command_watch import CommandWatch
from consumer.runtime.leases.stream_leases import StreamLeases
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from asyncio import TaskGroup
    from collections.abc import Hashable, Sequence

    from consumer.core.leases.fence import Fence
    from consumer.core.leases.lease import Lease, StreamRow, Worker
    from consumer.core.limits import LeaseTiming
    from consumer.core.reports.lease_view import LeaseView
    from consumer.core.reports.readiness import FirstSteps
    from consumer.core.shard.pace import Polling
    from consumer.ports import Clock, LeaseStore
    from consumer.runtime.discovery.discovery import Discovery
    from consumer.runtime.discovery.purpose_keeper import PurposeKeeper
    from consumer.runtime.discovery.source import Source
    from consumer.runtime.leases.heartbeat import Heartbeat
    from consumer.runtime.leases.held_shards import HeldShards
    from consumer.runtime.leases.readability_check import ReadabilityCheck
    from consumer.runtime.leases.running_shard import RunningShard

log = structlog.get_logger()

EXIT_SECONDS = 1.5
"""From the drain deadline until all that still runs is cancelled; shards release in this time."""

DRAINING_SCANS = 4
"""While a peer drains, scans are this many times as frequent, to take its shards soon."""


class Coordinator:
    """The shards of one worker.

    `draining` is true once `stop` was called or a fatal error was found. `moved_at` (clock) is when
    the loop began its last round; a liveness check compares it with the time.
    """

    def __init__(
        self,
        *,
        store: LeaseStore,
        timing: LeaseTiming,
        source: Source,
        heartbeat: Heartbeat,
        fence: Fence,
        discovery: Discovery,
        held: HeldShards,
        readability: ReadabilityCheck,
        polling: Polling,
        purpose: PurposeKeeper,
        clock: Clock,
    ) -> None:
        self._store = store
        self._clock = clock
        self._timing = timing
        self._source = source
        self._heartbeat = heartbeat
        self._fence = fence
        self._discovery = discovery
        self._polling = polling
        self._purpose = purpose
        self._held = held
        self._readability = readability
        self._peers = Peers(heartbeat.worker_id, timing)
        self._leases = StreamLeases(clock, timing, self._peers, self._held, heartbeat)
        self._conditions = Conditions(clock.now)
        self._command_watch = CommandWatch(store, self._held, self._conditions)
        self._schedule = LeaseReadSchedule(timing)
        self._changed = Signal()
        self._limit: asyncio.Timeout | None = None
        self._rows: tuple[StreamRow, ...] = ()
        self._scan_due = -inf
        self._fatal: Fatal | None = None  # to be raised once everything is handed over
        self.draining = False
        self.moved_at = clock.now()
        held.on_end = self._request_pass
        heartbeat.on_fence_change = self._fence_changed
        discovery.on_found = self._found

    @property
    def peers(self) -> Sequence[Worker]:
        """The rows of the other workers, as last read."""
        return self._peers.rows

    @property
    def shards(self) -> Sequence[RunningShard]:
        """The shards that run in this worker."""
        return self._held.shards

    @property
    def first_steps(self) -> FirstSteps:
        """What this worker has done since its start, for readiness."""
        return self._leases.first_steps(self._readability.never_read)

    def leases(self) -> Sequence[LeaseView]:
        """Return all leases as last read, with their state as seen from this worker."""
        return self._leases.views()

    def stop(self) -> None:
        """Hand all shards over, at the drain deadline at the latest; `run` then ends."""
        if self.draining:
            return
        self.draining = True
        self._heartbeat.set_draining()
        self._discovery.stop()
        self._held.drain()
        if self._limit is not None:
            seconds = self._timing.drain + EXIT_SECONDS
            self._limit.reschedule(asyncio.get_running_loop().time() + seconds)
        self._changed.notify()

    async def run(self) -> None:
        """Take and run shards until stopped and everything is handed over. Raises Fatal."""
        if self.draining:
            return  # stopped before the start: nothing is to be handed over
        try:
            async with asyncio.timeout(None) as self._limit:
                await self._run()
        except TimeoutError:
            await self._heartbeat.delete_row()
            if self._held and self._fatal is None:
                self._fatal = NotReleased(
                    f"{len(self._held.shards)} leases could not be released within "
                    f"{self._timing.drain:g} s; peers take them over by themselves"
                )
        except BaseExceptionGroup as group:
            fatal = first_in(group, Fatal)
            if fatal is None:
                raise
            raise fatal from group
        if self._fatal is not None:
            raise self._fatal

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._heartbeat.run(), name="heartbeat")
            await self._heartbeat.until_alive()
            group.create_task(self._discovery.run(), name="discovery")
            while not self.draining or self._held:
                await self._step(group)
            self._heartbeat.stop()

    async def _step(self, group: TaskGroup) -> None:
        """Do what is due, then wait until something is due or has changed."""
        self.moved_at = self._clock.now()
        if not self.draining:
            if self.moved_at >= self._scan_due:
                await self._scan()
                await self._command_watch.read_new(self._leases.readable)
                await self._purpose.note(self._leases.read)
                await self._readability.update(self._leases.readable)
            if self._pass_due() <= self._clock.now():
                await self._pass(group)
        due = inf if self.draining else min(self._scan_due, self._pass_due())
        pause = min(self._timing.scan, due - self._clock.now())
        await self._changed.wait(max(0.0, pause))

    # -- the worker and stream rows

    async def _scan(self) -> bool:
        """Read the worker and stream rows. Return False if the table did not answer."""
        sent_at = self._clock.now()
        try:
            workers, rows = await self._store.read_peers()
            begun = bool(self._rows) and all(row.unreadable is None for row in self._rows)
            kept = begun or self.draining  # once told to stop, it begins no stream
            own = None if kept else await self._purpose.begin(rows)
        except Retryable as error:
            self._conditions.failed("peers_unread", error, action=READ_ROWS_AGAIN)
            self._scan_due = sent_at + self._timing.scan
            return False
        self._conditions.over("peers_unread")
        answered_at = self._clock.now()
        self._peers.observe(sent_at, answered_at, workers, self._leases.owners())
        self._polling.hurry = self._peers.draining
        ours = own if own is not None else self._leases.of_table(self._source, rows)
        self._take_in(ours, sent_at)
        self._discovery.observe(
            self._rows, self._leases.known(), answered_at, self._peers.longest_lease_duration
        )
        scan = self._timing.scan / (DRAINING_SCANS if self._peers.draining else 1)
        self._scan_due = min(sent_at + scan, max(answered_at, self._peers.next_read_due()))
        for key in self._discovery.exhausted:
            if not self._source.follow_table and key == self._source.stream.key:
                self._end(Unreachable(f"stream {key} is disabled and read to its end"))
        return True

    def _take_in(self, rows: tuple[StreamRow, ...], sent_at: float) -> None:
        self._rows = rows
        self._leases.observe(rows, sent_at)
        self._heartbeat.set_streams(self._leases.active())
        conflict = self._purpose.conflict(self._leases.readable)
        if conflict is not None:
            self._end(conflict)

    def _end(self, fatal: Fatal) -> None:
        """Hand everything over; `run` then raises `fatal`."""
        if self._fatal is None:
            log.error("ending", detail=str(fatal), action=HAND_OVER)
            self._fatal = fatal
            self.stop()

    # -- the lease rows

    def _version(self) -> Hashable:
        """Return a value that changes whenever the lease rows have to be read."""
        return (
            self._peers.changes(),
            self._peers.dead,
            self._leases.version(),
            tuple(self._peers.eligible(row.key) for row in self._rows),
            self._heartbeat.able,
        )

    def _pass_due(self) -> float:
        return self._schedule.due_at(self._version()) if self._rows else inf

    async def _pass(self, group: TaskGroup) -> None:
        """Read the leases of each stream that needs it, plan, and act on the plan at once."""
        version = self._version()
        self._schedule.begin(self._clock.now())
        first_mark = self._held.mark
        outcomes: list[Hashable] = []
        found = left = False
        for row in self._rows:
            if not self._leases.to_be_read(row):
                continue
            mark = self._held.mark
            leases = await self._read(row)
            if leases is None:
                self._schedule.failed(self._clock.now())
                return
            plan = self._leases.plan(row, leases, mark)
            outcomes.append(plan)
            found = found or bool(leases)
            left = left or plan.left
            if not self.draining and self._fence.holds(self._clock.now(), self._fence.epoch):
                self._leases.act(group, row, plan)
        self._held.forget(first_mark)
        now = self._clock.now()
        self._schedule.passed(now, version, tuple(outcomes), found=found, left=left)

    async def _read(self, row: StreamRow) -> Sequence[Lease] | None:
        """Return the leases of a stream; None if the table did not answer.

        A peer that was judged dead may have recovered since, and taken a lease again. So where a
        lease names a dead owner, the worker rows are read once more, after the lease rows: they
        have to show the owner dead, too.
        """
        try:
            leases = await self._store.read_leases(row.key)
        except Retryable as error:
            self._conditions.failed("leases_unread", error, action=READ_ROWS_AGAIN, stream=row.key)
            return None
        self._conditions.over("leases_unread", stream=row.key)
        if any(lease.owner in self._peers.dead for lease in leases) and not await self._scan():
            return None
        return leases

    def _request_pass(self) -> None:
        self._schedule.ask()
        self._changed.notify()

    def _found(self) -> None:
        """Make a pass, here and in peers: discovery created rows or opened gates."""
        self._heartbeat.raise_changes()
        self._request_pass()

    def _fence_changed(self) -> None:
        self._held.revoke_fenced()
        self._request_pass()
