"""Faults in leases, fence, lineage and hand-over."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from consumer.core.leases import lease_write, lineage, stream_life
from consumer.core.leases.fence import Fence
from consumer.core.leases.lease import Lease, LeaseWrite, StreamRow
from consumer.core.leases.lease_state import LeaseState
from consumer.core.leases.peers import Peers
from consumer.core.reports import lease_view
from consumer.core.reports.lease_view import LeaseView
from consumer.core.shard.shard_state import Outcome
from consumer.core.stream.stream import Stream
from consumer.errors import LeaseConflict, LeaseLost, Retryable
from consumer.ports import StreamClient
from consumer.runtime import consumer_worker
from consumer.runtime.discovery import parents
from consumer.runtime.leases import stream_leases
from consumer.runtime.leases.coordinator import Coordinator
from consumer.runtime.publishing import dispatcher as publisher
from consumer.runtime.publishing.dead_letters import LETTERS, DeadLetterSender
from consumer.runtime.publishing.sender import Delivery
from consumer.runtime.shard import reader, shard_reading
from consumer.runtime.shard.lease_writer import LeaseWriter
from consumer.runtime.shard.shard_consumer import ShardConsumer
from consumer.runtime.shard.shard_goal import Want
from tests.simulation.mutants.plant import plant


def child_before_parent() -> None:
    plant(lineage, "gate_open", lambda _lease, _rows: True)


def take_without_checking_the_counter() -> None:
    original = lease_write.settle

    def settle(write: LeaseWrite, me: str, current: Lease | None) -> lease_write.Settled:
        settled = original(write, me, current)
        if isinstance(settled, lease_write.Lost) and write.keeps_checkpoint and current is not None:
            again = replace(current, owner=me, counter=current.counter + 1)
            return lease_write.Repeat(LeaseWrite(current, again, keeps_checkpoint=True))
        return settled

    plant(lease_write, "settle", settle)


def self_fence_skipped() -> None:
    plant(Fence, "holds", lambda self, _now, epoch: epoch == self.epoch)


def fence_tested_before_an_await() -> None:
    original = Delivery._send

    async def send(self: Delivery, *arguments: Any) -> Any:
        await asyncio.sleep(0.2)  # a token is fetched, for example
        return await original(self, *arguments)

    plant(Delivery, "_send", send)


def release_without_draining() -> None:
    async def drained(self: ShardConsumer) -> bool:
        self._relay.backlog.drop(self._watermark, self._watermark.drop_tail())
        return True

    plant(ShardConsumer, "_drained", drained)


def heartbeat_extends_a_passed_deadline() -> None:
    def beat(self: Fence, sent_at: float, answered_at: float) -> None:
        self.deadline = max(self.deadline, sent_at + self._reach)

    plant(Fence, "beat", beat)


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
    async def read_and_drain(self: ShardConsumer) -> Outcome | None:
        while True:
            closed = await self._read()
            if closed and await self._finished():
                return Outcome.SHARD_END
            if self._intent.summoned and await self._halted():
                return None
            if self._intent.want is Want.LOSE:
                return Outcome.LOST
            if await self._drained() and await _released(self):
                return Outcome.RELEASED
            self._intent.read()
            self._reading.rewind()

    plant(ShardConsumer, "_read_and_drain", read_and_drain)


async def _released(shard: ShardConsumer) -> bool:
    """Send a release once; a failure counts as if it had not happened."""
    if shard._intent.want is Want.DRAIN:
        return True
    write = lease_write.release(
        shard.lease, shard.checkpoint, record_at=None, caught_up_at=None, wall=0.0
    )
    try:
        await shard._relay.store.write_lease(shard.stream.key, write)
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
    original = LeaseWriter._write

    async def write(self: LeaseWriter, write: LeaseWrite) -> None:
        if not write.keeps_checkpoint:
            await original(self, write)
            return
        try:
            self.lease = await self._store.write_lease(self._stream_key, write)
        except LeaseConflict as conflict:
            raise LeaseLost(str(conflict)) from conflict
        except Retryable:
            self.lease = write.row

    plant(LeaseWriter, "_write", write)


def dead_letters_not_fenced() -> None:
    def sendable(self: DeadLetterSender) -> list[Any]:
        return self._letters[:LETTERS]

    plant(DeadLetterSender, "_sendable", sendable)


def one_listing_retires_a_stream() -> None:
    plant(stream_life, "SURELY_LISTED_SECONDS", 0.0)


def cancellation_swallowed() -> None:
    for module in (consumer_worker, publisher, reader, shard_reading):
        plant(module, "heed_cancellation", _heed_nothing)


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
