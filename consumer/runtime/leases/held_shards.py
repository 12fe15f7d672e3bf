"""The shards this worker runs. Rule: a shard's consumer lives and ends in here.

The one broad `except` of the project stands around a shard's consumer: log, metric, local back-off;
the plan then releases the row. Whatever else goes wrong ends the process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

import structlog

from consumer.core.leases.plan import Held
from consumer.core.leases.shard_backoff import ShardBackoff
from consumer.core.shard.shard_state import Outcome
from consumer.errors import Fatal, LeaseLost, first_in
from consumer.runtime.shard.lease_writer import LeaseWriter

if TYPE_CHECKING:
    from asyncio import TaskGroup
    from collections.abc import Callable, Iterable, Sequence

    from consumer.core.leases.fence import Fence
    from consumer.core.leases.lease import Lease, StreamRow
    from consumer.core.limits import LeaseTiming
    from consumer.core.shard.shard_view import ShardView
    from consumer.observability.metrics import Metrics
    from consumer.ports import Chance, Clock, LeaseStore
    from consumer.runtime.leases.heartbeat import Keeper
    from consumer.runtime.leases.running_shard import RunningShard, ShardConsumerFactory

log = structlog.get_logger()

SILENT_SECONDS = 60.0
"""A shard without one successful call for this long is left to others."""

SHED_SECONDS = 60.0
"""Who shed a shard does not take it beyond its share for this long."""

ShardKey = tuple[str, str]  # stream key, shard id: emulators reuse shard ids


@dataclass(slots=True)
class _Entry:
    """One running shard, and what this worker has asked of it."""

    shard: RunningShard
    epoch: int
    moved_at: float  # start, last success, or last time it waited for a named cause
    started_at: float
    shedding: bool = False
    silent: bool = False

    def as_held(self, now: float) -> Held:
        """What the plan has to know of it."""
        view = self.shard.view()
        sheddable = view.held and not self.silent and now >= view.cooled_until
        return Held(view.retrying, shedding=self.shedding, sheddable=sheddable)


class HeldShards:
    """`on_end` is called whenever a shard's consumer ended or a row was released."""

    def __init__(
        self,
        *,
        store: LeaseStore,
        clock: Clock,
        chance: Chance,
        timing: LeaseTiming,
        keeper: Keeper,
        fence: Fence,
        factory: ShardConsumerFactory,
        metrics: Metrics,
        on_end: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._chance = chance
        self._timing = timing
        self._keeper = keeper
        self._fence = fence
        self._factory = factory
        self._metrics = metrics
        self._on_end = on_end
        self._entries: dict[ShardKey, _Entry] = {}
        self._releasing: set[ShardKey] = set()
        self._ends = 0  # consumers ended and rows released so far
        self._left: dict[ShardKey, int] = {}  # the number of its end
        self._shed_at: dict[ShardKey, float] = {}
        self._ended: set[ShardKey] = set()  # read to SHARD_END here
        self._backoff: ShardBackoff[ShardKey] = ShardBackoff()

    # -- what the plan has to know

    def __bool__(self) -> bool:
        return bool(self._entries or self._releasing)

    @property
    def shards(self) -> Sequence[RunningShard]:
        """All running consumers."""
        return tuple(entry.shard for entry in self._entries.values())

    def views(self) -> Sequence[ShardView]:
        """What all running consumers show of themselves now."""
        return tuple(entry.shard.view() for entry in self._entries.values())

    @property
    def mark(self) -> int:
        """Taken when a read of lease rows is sent: what ends later is not in its answer."""
        return self._ends

    def held(self, stream_key: str, mark: int) -> dict[str, Held]:
        """The shards of a stream to leave alone, given rows from a read sent at `mark`.

        A shard that ended here since then counts as held: the rows do not show it yet.
        """
        now = self._clock.now()
        left = {key: Held(sheddable=False) for key, end in self._left.items() if end > mark}
        left |= {key: Held(sheddable=False) for key in self._releasing}
        running = {key: entry.as_held(now) for key, entry in self._entries.items()}
        return {shard: held for (of, shard), held in (left | running).items() if of == stream_key}

    def avoided(self, stream_key: str) -> frozenset[str]:
        """Shards that went wrong here lately."""
        return _of(stream_key, self._backoff.avoided(self._clock.now()))

    def shed_lately(self, stream_key: str) -> frozenset[str]:
        """Shards that others should have now."""
        since = self._clock.now() - SHED_SECONDS
        return _of(stream_key, (key for key, at in self._shed_at.items() if at >= since))

    def ended(self, stream_key: str) -> frozenset[str]:
        """Shards whose end was reached here: their children are taken at once."""
        return _of(stream_key, self._ended)

    def planned(self, mark: int) -> None:
        """A pass on rows read at `mark` is over: forget what it has seen."""
        self._left = {key: end for key, end in self._left.items() if end > mark}
        since = self._clock.now() - SHED_SECONDS
        self._shed_at = {key: at for key, at in self._shed_at.items() if at >= since}
        self._ended &= self._left.keys()

    # -- what the coordinator asks for

    def start(self, group: TaskGroup, row: StreamRow, lease: Lease) -> None:
        """Run a consumer for a lease, which it takes first."""
        key = (row.key, lease.shard_id)
        now = self._clock.now()
        epoch = self._fence.epoch
        entry = _Entry(self._factory(row, lease, epoch), epoch, moved_at=now, started_at=now)
        self._entries[key] = entry
        group.create_task(self._run(key, entry), name=f"shard {lease.shard_id}")

    def release(self, group: TaskGroup, row: StreamRow, lease: Lease) -> None:
        """Give up a row that names this worker and that nobody runs."""
        key = (row.key, lease.shard_id)
        self._releasing.add(key)
        group.create_task(self._release(key, lease), name=f"release {lease.shard_id}")

    def shed(self, stream_key: str, shard_id: str) -> None:
        """Hand a shard over as soon as it is drained."""
        entry = self._entries[stream_key, shard_id]
        entry.shedding = True
        entry.shard.shed()

    def keep(self, stream_key: str, shard_id: str) -> None:
        """Call a hand-over off."""
        entry = self._entries[stream_key, shard_id]
        entry.shedding = False
        entry.shard.keep()

    def drain(self) -> None:
        """SIGTERM: hand everything over."""
        for entry in self._entries.values():
            entry.shard.drain()

    def revoke_fenced(self) -> None:
        """Everything held under a fence that has passed is lost."""
        now = self._clock.now()
        for entry in self._entries.values():
            if not self._fence.holds(now, entry.epoch):
                entry.shard.revoke()

    def leave_silent(self) -> ShardKey | None:
        """Hand over shards without a successful call for a minute.

        Returns one of them if it holds for all that are held: then the trouble is this worker's.
        """
        now = self._clock.now()
        silent: ShardKey | None = None
        moving = False
        for key, entry in self._entries.items():
            if entry.silent:
                silent = key  # on its way out
                continue
            view = entry.shard.view()
            if entry.shedding and now < view.cooled_until:
                entry.shedding = False  # not empty in time: it reads on
            if view.suspended_cause is not None or not view.held:
                entry.moved_at = now
            elif view.last_success_at is not None:
                entry.moved_at = max(entry.moved_at, view.last_success_at)
            if now - entry.moved_at < SILENT_SECONDS:
                moving = True
                if now - entry.started_at > SILENT_SECONDS:
                    self._backoff.recovered(key)
                continue
            silent = key
            entry.silent = True
            log.error("shard_silent", stream=key[0], shard=key[1])
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
            log.exception("shard_failed", stream=key[0], shard=key[1])
            outcome = Outcome.FAILED
        del self._entries[key]
        self._leave(key)
        self._settle(key, entry, outcome)
        self._on_end()

    def _settle(self, key: ShardKey, entry: _Entry, outcome: Outcome) -> None:
        level = log.warning if outcome in (Outcome.LOST, Outcome.FAILED) else log.info
        level("shard_left", stream=key[0], shard=key[1], outcome=outcome.value)
        match outcome:
            case Outcome.NOT_TAKEN:
                pass
            case Outcome.SHARD_END:
                self._ended.add(key)
                self._keeper.raise_changes()
            case Outcome.RELEASED:
                self._keeper.raise_changes()
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

    def _leave(self, key: ShardKey) -> None:
        self._ends += 1
        self._left[key] = self._ends

    async def _release(self, key: ShardKey, lease: Lease) -> None:
        writer = LeaseWriter(
            self._store,
            self._clock,
            self._chance,
            key[0],
            lease,
            self._keeper.worker_id,
            self._timing,
        )
        try:
            await writer.release(lease.progress)
        except LeaseLost:
            log.info("lease_gone", stream=key[0], shard=key[1])
        else:
            self._keeper.raise_changes()
        self._releasing.discard(key)
        self._leave(key)
        self._on_end()


def _of(stream_key: str, keys: Iterable[ShardKey]) -> frozenset[str]:
    return frozenset(shard for of, shard in keys if of == stream_key)
