"""Faults in leases, fence, lineage and hand-over."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from consumer.core import lease_write, lineage
from consumer.core.fence import Fence
from consumer.core.lease import Lease, LeaseWrite
from consumer.core.peers import Peers
from consumer.core.shard import Outcome
from consumer.core.stream import Stream
from consumer.errors import Retryable
from consumer.runtime.coordinator import Coordinator
from consumer.runtime.delivery import Delivery
from consumer.runtime.discovery import Discovery
from consumer.runtime.intent import Want
from consumer.runtime.shard_consumer import ShardConsumer


def child_before_parent() -> None:
    lineage.gate_open = lambda _lease, _rows: True


def take_without_checking_the_counter() -> None:
    original = lease_write.settle

    def settle(write: LeaseWrite, me: str, current: Lease | None) -> lease_write.Settled:
        settled = original(write, me, current)
        if isinstance(settled, lease_write.Lost) and write.keeps_checkpoint and current is not None:
            again = replace(current, owner=me, counter=current.counter + 1)
            return lease_write.Repeat(LeaseWrite(current, again, keeps_checkpoint=True))
        return settled

    lease_write.settle = settle


def self_fence_skipped() -> None:
    Fence.holds = lambda self, _now, epoch: epoch == self.epoch  # type: ignore[method-assign]


def fence_tested_before_an_await() -> None:
    original = Delivery._send

    async def send(self: Delivery, part: list[Any]) -> Any:
        await asyncio.sleep(0.2)  # a token is fetched, for example
        return await original(self, part)

    Delivery._send = send  # type: ignore[method-assign]


def release_without_draining() -> None:
    async def drained(self: ShardConsumer) -> bool:
        self._relay.backlog.drop(self._watermark, self._watermark.drop_tail())
        return True

    ShardConsumer._drained = drained  # type: ignore[method-assign]


def heartbeat_extends_a_passed_deadline() -> None:
    def beat(self: Fence, sent_at: float, answered_at: float) -> None:
        self.deadline = max(self.deadline, sent_at + self._reach)

    Fence.beat = beat  # type: ignore[method-assign]


def death_by_time_without_a_read() -> None:
    begin = Coordinator.__init__

    def init(self: Coordinator, **parts: Any) -> None:
        begin(self, **parts)
        self._peers.clock = parts["clock"]  # type: ignore[attr-defined]

    def dead(self: Peers) -> frozenset[str]:
        before = self.clock.now() - self._timing.lease_duration  # type: ignore[attr-defined]
        return frozenset(
            name for name, seen in self._sightings.items() if seen.dead or seen.shown_at <= before
        )

    async def read(self: Coordinator, row: Any) -> Sequence[Lease] | None:
        try:
            return await self._store.read_leases(row.key)
        except Retryable:
            return None

    Coordinator.__init__ = init  # type: ignore[method-assign, assignment]
    Coordinator._read = read  # type: ignore[method-assign]
    Peers.dead = property(dead)  # type: ignore[method-assign, assignment]


def unknown_release_then_reading_on() -> None:
    async def read_and_drain(self: ShardConsumer) -> Outcome:
        while True:
            closed = await self._reading.read(self._intent.until_called_away)
            if closed and await self._finished():
                return Outcome.SHARD_END
            if self._intent.want is Want.LOSE:
                return Outcome.LOST
            if await self._drained() and await _released(self):
                return Outcome.RELEASED
            self._intent.read()
            self._reading.rewind()

    ShardConsumer._read_and_drain = read_and_drain  # type: ignore[method-assign]


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
    async def exists(_self: Discovery, _stream: Stream, _shard_id: str) -> bool:
        return False

    Discovery._exists = exists  # type: ignore[method-assign]
