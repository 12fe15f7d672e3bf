"""Faults in leases, fence, lineage and hand-over."""

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import Any

from msgspec.structs import replace

from consumer.core.leases import lease_write
from consumer.core.leases.fence import Fence
from consumer.core.leases.lease import Lease, LeaseWrite, StreamRow, Worker
from consumer.core.leases.lease_state import LeaseState
from consumer.core.leases.peers import Peers
from consumer.core.leases.progress import Progress
from consumer.core.leases.streams import lineage, stream_life
from consumer.core.leases.streams.purpose import Purpose
from consumer.core.publishing.answer import Answer
from consumer.core.reports import lease_view
from consumer.core.reports.lease_view import LeaseView
from consumer.core.stream.stream import Stream
from consumer.errors import LeaseConflict, Retryable
from consumer.ports import StreamClient
from consumer.runtime import cancellation
from consumer.runtime.discovery import parents
from consumer.runtime.leases import stream_leases
from consumer.runtime.leases.coordinator import Coordinator
from consumer.runtime.publishing import dead_letters
from consumer.runtime.shard.lease_writer import LeaseWriter
from consumer.runtime.shard.shard_consumer import ShardConsumer
from consumer.runtime.shard.shard_goal import Goal
from tests.simulation.mutants.plant import plant
from tests.simulation.twins.nakadi_twin import SimNakadi
from tests.simulation.twins.table_twin import SimLeaseTable

BEATS = count()


def child_before_parent() -> None:
    plant(lineage, "gate_open", lambda _lease, _rows: True)


def take_without_checking_the_counter() -> None:
    original = lease_write.resolve_conflict

    def resolve_conflict(
        write: LeaseWrite, me: str, current: Lease | None
    ) -> lease_write.Resolution:
        settled = original(write, me, current)
        if isinstance(settled, lease_write.Lost) and write.keeps_checkpoint and current is not None:
            again = replace(current, owner=me, counter=current.counter + 1)
            return lease_write.Resend(LeaseWrite(current, again, keeps_checkpoint=True))
        return settled

    plant(lease_write, "resolve_conflict", resolve_conflict)


def self_fence_skipped() -> None:
    plant(Fence, "holds", lambda self, _now, epoch: epoch == self.epoch)


def fence_tested_before_an_await() -> None:
    original = SimNakadi.publish

    async def publish(self: SimNakadi, bodies: Sequence[bytes]) -> Answer:
        await asyncio.sleep(0.2)  # a token is fetched, for example
        return await original(self, bodies)

    plant(SimNakadi, "publish", publish)


def release_without_draining() -> None:
    original = ShardConsumer._nothing_to_wait_for

    def nothing_to_wait_for(self: ShardConsumer) -> bool:
        return original(self) or not self._goal.command_pending

    plant(ShardConsumer, "_nothing_to_wait_for", nothing_to_wait_for)


def heartbeat_extends_a_passed_deadline() -> None:
    def beat(self: Fence, sent_at: float, answered_at: float) -> None:
        self.deadline = max(self.deadline, sent_at + self._reach)

    plant(Fence, "beat", beat)


def peers_judged_by_own_lease_duration() -> None:
    plant(Peers, "_stated", lambda self, _row: self._timing.lease_duration)


def death_by_time_without_a_read() -> None:
    begin = Coordinator.__init__

    def init(self: Any, **parts: Any) -> None:
        begin(self, **parts)
        self._peers.clock = parts["clock"]

    def dead(self: Any) -> frozenset[str]:
        before = self.clock.now() - self._timing.lease_duration
        return frozenset(
            name for name, seen in self._sightings.items() if seen.dead or seen.shown_at <= before
        )

    async def read(self: Coordinator, row: Any) -> Sequence[Lease] | None:
        try:
            return await self._store.read_leases(row.key)
        except Retryable:
            return None

    plant(Coordinator, "__init__", init)
    plant(Coordinator, "_read", read)
    plant(Peers, "dead", property(dead))


def unknown_release_then_reading_on() -> None:
    original = ShardConsumer._drained

    async def drained(self: ShardConsumer) -> bool:
        if await original(self) and await _released(self):
            return True
        self._goal.read()
        return False

    plant(ShardConsumer, "_drained", drained)


async def _released(shard: ShardConsumer) -> bool:
    """Send a release once; a failure counts as if it had not happened."""
    if shard._goal.current is Goal.DRAIN:
        return True
    write = lease_write.release(shard._writer.lease, Progress(shard.view().checkpoint), wall=0.0)
    try:
        await shard._writer._store.write_lease(shard._row.key, write)
    except Retryable:
        return False
    return True


def unlisted_parent_taken_for_gone() -> None:
    async def answers(_streams: StreamClient, _stream: Stream, _shard_id: str) -> bool:
        return False

    plant(parents, "answers", answers)


def death_not_proven_after_the_row_was_read() -> None:
    async def read(self: Coordinator, row: StreamRow) -> Sequence[Lease] | None:
        try:
            return await self._store.read_leases(row.key)
        except Retryable:
            return None

    plant(Coordinator, "_read", read)


def unknown_take_counts_as_taken() -> None:
    async def take(self: LeaseWriter) -> bool:
        write = lease_write.take(self.lease, self._worker_id)
        try:
            self.lease = await self._store.write_lease(self._stream_key, write)
        except LeaseConflict:
            return False
        except Retryable:
            self.lease = write.row
        return True

    plant(LeaseWriter, "take", take)


def dead_letters_not_fenced() -> None:
    plant(dead_letters, "is_ours", lambda _event, _fence, _now: True)


def one_listing_retires_a_stream() -> None:
    plant(stream_life, "SURELY_LISTED_SECONDS", 0.0)


def cancellation_swallowed() -> None:
    plant(cancellation, "heed_cancellation", _heed_nothing)


def _heed_nothing() -> None:
    return


def failed_task_forgotten() -> None:
    original = Coordinator._pass
    kept: dict[Coordinator, asyncio.Task[None]] = {}

    async def fails() -> None:
        raise RuntimeError("nobody asks for this")

    async def pass_(self: Coordinator, group: asyncio.TaskGroup) -> None:
        if self not in kept:
            kept[self] = asyncio.get_running_loop().create_task(fails())
        await original(self, group)

    plant(Coordinator, "_pass", pass_)


def waiting_shards_have_no_age() -> None:
    original = lease_view.view

    def view(*arguments: Any, **named: Any) -> tuple[LeaseView, ...]:
        return tuple(
            replace(seen, since=None) if seen.state is LeaseState.WAITING else seen
            for seen in original(*arguments, **named)
        )

    plant(stream_leases, "view", view)


def routes_write_their_own_fingerprint() -> None:
    joined = Purpose.joined

    def anew(self: Purpose, row: StreamRow) -> StreamRow:
        return replace(joined(self, row), fingerprint=self.fingerprint)

    plant(Purpose, "joined", anew)


def damaged_lease_hides_the_others() -> None:
    original = SimLeaseTable.read_leases

    async def read_leases(self: SimLeaseTable, stream_key: str) -> Sequence[Lease]:
        rows = await original(self, stream_key)
        damaged = [row.shard_id for row in rows if row.unreadable is not None]
        if damaged:
            raise Retryable(f"Query: {damaged[0]} cannot be read", "malformed_answer")
        return rows

    plant(SimLeaseTable, "read_leases", read_leases)


def strange_worker_gets_a_share() -> None:
    original = SimLeaseTable.read_peers

    async def read_peers(
        self: SimLeaseTable,
    ) -> tuple[Sequence[Worker], Sequence[StreamRow]]:
        workers, streams = await original(self)
        keys = tuple(stream.key for stream in streams)
        return [
            replace(worker, unreadable=None, able=True, streams=keys, heartbeat=next(BEATS))
            if worker.unreadable is not None
            else worker
            for worker in workers
        ], streams

    plant(SimLeaseTable, "read_peers", read_peers)
