"""Faults in who counts as alive, in what is left alone meanwhile, and in the time of day."""

from collections import deque
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from consumer.adapters.clock import AwsClock
from consumer.core.leases.lease import StreamRow, Worker
from consumer.core.leases.plan import Held
from consumer.core.shard.shard_state import Outcome
from consumer.errors import LeaseLost
from consumer.runtime.leases.held_shards import HeldShards
from tests.simulation.mutants.plant import plant
from tests.simulation.twins.table_twin import SimLeaseTable

STALE = 4.0
"""Seconds by which a read that is not strongly consistent is behind, at most."""


def reads_of_peers_are_stale() -> None:
    original = SimLeaseTable.read_peers
    seen: WeakKeyDictionary[Any, deque[tuple[float, dict[str, Worker]]]] = WeakKeyDictionary()

    async def read_peers(self: SimLeaseTable) -> tuple[Sequence[Worker], Sequence[StreamRow]]:
        _, streams = await original(self)
        now = self._checks.now
        past = seen.setdefault(self._checks, deque())
        past.append((now, dict(self.table.workers)))
        while past[0][0] < now - STALE:
            past.popleft()
        _, workers = past[int(self._wire.chance.random() * len(past))]
        return tuple(workers.values()), streams

    plant(SimLeaseTable, "read_peers", read_peers)


def plan_touches_unresolved() -> None:
    def held(self: HeldShards, stream_key: str, _mark: int) -> dict[str, Held]:
        return {
            shard: Held(entry.shard.view().retrying, shedding=entry.shedding)
            for (key, shard), entry in self._entries.items()
            if key == stream_key and entry.shard.view().held
        }

    async def run(self: HeldShards, key: Any, entry: Any) -> None:
        try:
            outcome = await entry.shard.run()
        except LeaseLost:
            outcome = Outcome.LOST
        if self._entries.get(key) is entry:
            del self._entries[key]
        self._note_end(key)
        self._note_outcome(key, entry, outcome)
        self.on_end()

    plant(HeldShards, "held", held)
    plant(HeldShards, "_run", run)


def own_wall_clock_believed() -> None:
    def wall(self: AwsClock) -> float:
        return self._machine.wall()

    plant(AwsClock, "wall", wall)


def steps_of_the_wall_clock_followed() -> None:
    original = AwsClock.wall
    began: WeakKeyDictionary[AwsClock, float] = WeakKeyDictionary()

    def wall(self: AwsClock) -> float:
        if self._time.known and self not in began:
            began[self] = self._machine.wall() - original(self)
        return self._machine.wall() - began[self] if self in began else original(self)

    plant(AwsClock, "wall", wall)
