"""The shards this worker runs. Rule: only this module starts and ends the consumer of a shard.

The one broad `except` of the project is here, around a shard's consumer: an unexpected error is
logged and counted, and this worker avoids the shard for a while; the plan then releases the row. An
unexpected error anywhere else ends the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import structlog
from msgspec import Struct

from consumer.core.leases.plan import Held
from consumer.core.leases.shard_backoff import ShardBackoff
from consumer.core.shard.shard_state import Outcome
from consumer.errors import Fatal, LeaseLost, first_in
from consumer.runtime.leases.shard_log import ShardLog
from consumer.runtime.shard.lease_writer import LeaseWriter

if TYPE_CHECKING:
    from asyncio import TaskGroup
    from collections.abc import Callable, Iterable, Sequence

    from consumer.core.leases.fence import Fence
    from consumer.core.leases.lease import Lease, StreamRow
    from consumer.core.limits import LeaseTiming
    from consumer.core.shard.shard_view import ShardView
    from consumer.ports import LeaseStore
    from consumer.runtime.instruments import Instruments
    from consumer.runtime.leases.heartbeat import Heartbeat
    from consumer.runtime.leases.running_shard import RunningShard, ShardConsumerFactory, ShardKey

log = structlog.get_logger()

SILENT_SECONDS = 60.0
"""A shard without a successful call for this long is drained, so that a peer can try it."""

RETAKE_SECONDS = 60.0
"""A worker that shed a shard does not take it beyond its share for this long."""


class _Entry(Struct):
    """One running shard, and whether this worker sheds it or drains it because it is silent."""

    shard: RunningShard
    epoch: int
    moved_at: float  # (clock) start, last success, or last time it waited for a named cause
    started_at: float
    shedding: bool = False
    silent: bool = False

    def as_held(self, now: float) -> Held:
        """Return what the plan needs to know of the shard."""
        view = self.shard.view()
        sheddable = view.held and not self.silent and now >= view.cooled_until
        return Held(view.retrying, shedding=self.shedding, sheddable=sheddable)


def _nothing() -> None:
    """Until the coordinator wants to know of ends."""


class HeldShards:
    """`on_end` is called when a shard's consumer has ended or a row was released."""

    def __init__(
        self,
        store: LeaseStore,
        timing: LeaseTiming,
        heartbeat: Heartbeat,
        fence: Fence,
        factory: ShardConsumerFactory,
        instruments: Instruments,
    ) -> None:
        self._store = store
        self._clock = instruments.clock
        self._instruments = instruments
        self._metrics = instruments.metrics
        self._timing = timing
        self._heartbeat = heartbeat
        self._fence = fence
        self._factory = factory
        self.on_end: Callable[[], None] = _nothing
        self._log = ShardLog(instruments.conditions)
        self._entries: dict[ShardKey, _Entry] = {}
        self._releasing: set[ShardKey] = set()
        self._ends = 0  # consumers ended and rows released so far
        self._end_marks: dict[ShardKey, int] = {}  # value of `_ends` when the shard ended
        self._shed_at: dict[ShardKey, float] = {}
        self._ended: set[ShardKey] = set()  # read to SHARD_END here
        self._backoff: ShardBackoff[ShardKey] = ShardBackoff()

    # -- what the plan needs to know

    def __bool__(self) -> bool:
        """Return whether a consumer runs or a row is being released."""
        return bool(self._entries or self._releasing)

    @property
    def shards(self) -> Sequence[RunningShard]:
        """Consumers that run now."""
        return tuple(entry.shard for entry in self._entries.values())

    def views(self) -> Sequence[ShardView]:
        """Return the present state of every running consumer."""
        return tuple(entry.shard.view() for entry in self._entries.values())

    @property
    def mark(self) -> int:
        """The number of ends so far, to be noted when a read of lease rows is sent.

        The answer may not show ends that come after it.
        """
        return self._ends

    def held(self, stream_key: str, mark: int) -> dict[str, Held]:
        """Return the shards of a stream that a plan for rows read at `mark` leaves alone.

        A shard that ended here after `mark` counts as held: the rows may not show its end.
        """
        now = self._clock.now()
        left = {key: Held(sheddable=False) for key, end in self._end_marks.items() if end > mark}
        left |= {key: Held(sheddable=False) for key in self._releasing}
        running = {key: entry.as_held(now) for key, entry in self._entries.items()}
        return {shard: held for (of, shard), held in (left | running).items() if of == stream_key}

    def avoided(self, stream_key: str) -> frozenset[str]:
        """Return the shards of a stream that this worker avoids after a failure."""
        return _shards_of(stream_key, self._backoff.avoided(self._clock.now()))

    def shed_lately(self, stream_key: str) -> frozenset[str]:
        """Return the shards of a stream that this worker shed within `RETAKE_SECONDS`."""
        since = self._clock.now() - RETAKE_SECONDS
        return _shards_of(stream_key, (key for key, at in self._shed_at.items() if at >= since))

    def ended(self, stream_key: str) -> frozenset[str]:
        """Return the shards whose end was reached here: their children are taken at once."""
        return _shards_of(stream_key, self._ended)

    def forget(self, mark: int) -> None:
        """Forget ends up to `mark`: a pass on rows read at that mark is over."""
        self._end_marks = {key: end for key, end in self._end_marks.items() if end > mark}
        since = self._clock.now() - RETAKE_SECONDS
        self._shed_at = {key: at for key, at in self._shed_at.items() if at >= since}
        self._ended &= self._end_marks.keys()

    # -- what the coordinator asks for

    def start(self, group: TaskGroup, row: StreamRow, lease: Lease) -> None:
        """Start a consumer for a lease; it takes the lease first."""
        key = (row.key, lease.shard_id)
        now = self._clock.now()
        epoch = self._fence.epoch
        entry = _Entry(self._factory(row, lease, epoch), epoch, moved_at=now, started_at=now)
        self._entries[key] = entry
        group.create_task(self._run(key, entry), name=f"shard {lease.shard_id}")

    def release(self, group: TaskGroup, row: StreamRow, lease: Lease) -> None:
        """Release a lease that names this worker but is run by no consumer."""
        key = (row.key, lease.shard_id)
        self._releasing.add(key)
        group.create_task(self._release(key, lease), name=f"release {lease.shard_id}")

    def shed(self, stream_key: str, shard_id: str) -> None:
        """Hand a shard over if it can be drained soon."""
        entry = self._entries[stream_key, shard_id]
        entry.shedding = True
        entry.shard.shed()

    def keep(self, stream_key: str, shard_id: str) -> None:
        """Read on: shedding this shard is no longer needed."""
        entry = self._entries[stream_key, shard_id]
        entry.shedding = False
        entry.shard.keep()

    def drain(self) -> None:
        """Hand all shards over."""
        for entry in self._entries.values():
            entry.shard.drain()

    def revoke_fenced(self) -> None:
        """Revoke every shard that was taken in an epoch of the fence that has ended."""
        now = self._clock.now()
        for entry in self._entries.values():
            if not self._fence.holds(now, entry.epoch):
                entry.shard.revoke()

    def drain_silent(self) -> ShardKey | None:
        """Drain shards without a successful call for `SILENT_SECONDS`.

        Return one of them if all held shards are silent: the cause is then this worker, not a
        shard. Return None otherwise.
        """
        now = self._clock.now()
        silent: ShardKey | None = None
        moving = False
        for key, entry in self._entries.items():
            if entry.silent:
                silent = key  # it is drained already
                continue
            view = entry.shard.view()
            self._log.look(view)
            if entry.shedding and now < view.cooled_until:
                entry.shedding = False  # it could not be drained in time, and reads on
            if view.suspended_cause is not None or not view.held:
                entry.moved_at = now
            elif view.last_success_at is not None:
                entry.moved_at = max(entry.moved_at, view.last_success_at)
            if now - entry.moved_at < SILENT_SECONDS:
                moving = True
                if now - entry.started_at > SILENT_SECONDS:
                    self._backoff.recovered(key)
                    self._log.recovered(key)
                continue
            silent = key
            entry.silent = True
            self._log.silent(key)
            entry.shard.drain()
        return None if moving else silent

    # -- the life of a shard

    async def _run(self, key: ShardKey, entry: _Entry) -> None:
        try:
            outcome = await entry.shard.run()
        except LeaseLost:
            outcome = Outcome.LOST
        except Exception as error:
            fatal = first_in(error, Fatal)
            if fatal is not None:
                raise fatal from error
            self._log.failed(key)
            outcome = Outcome.FAILED
        del self._entries[key]
        self._note_end(key)
        self._note_outcome(key, entry, outcome)
        self.on_end()

    def _note_outcome(self, key: ShardKey, entry: _Entry, outcome: Outcome) -> None:
        self._log.left(key, outcome)
        match outcome:
            case Outcome.NOT_TAKEN:
                pass
            case Outcome.SHARD_END:
                self._ended.add(key)
                self._heartbeat.raise_changes()
            case Outcome.RELEASED:
                self._heartbeat.raise_changes()
                if entry.shedding:
                    self._shed_at[key] = self._clock.now()
            case Outcome.LOST:
                self._metrics.lease_lost.inc()
            case Outcome.FAILED:
                self._metrics.shard_failures.inc()
            case never:
                assert_never(never)
        if entry.silent or outcome is Outcome.FAILED:
            self._backoff.failed(key, self._clock.now())

    def _note_end(self, key: ShardKey) -> None:
        self._ends += 1
        self._end_marks[key] = self._ends

    async def _release(self, key: ShardKey, lease: Lease) -> None:
        writer = LeaseWriter(
            self._store,
            self._instruments,
            key[0],
            lease,
            self._heartbeat.worker_id,
            self._timing,
        )
        try:
            await writer.release(lease.progress)
        except LeaseLost:
            log.info("lease_gone", stream=key[0], shard=key[1])
        else:
            self._heartbeat.raise_changes()
        self._releasing.discard(key)
        self._note_end(key)
        self.on_end()


def _shards_of(stream_key: str, keys: Iterable[ShardKey]) -> frozenset[str]:
    return frozenset(shard for of, shard in keys if of == stream_key)
