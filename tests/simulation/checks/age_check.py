"""Whether the iterator age is true: at no time do the workers say less than what is not settled.

Looked at from outside, every few seconds, as a scraper does: the largest age of all workers against
the age of the oldest record that is neither settled nor covered by a gap row.
"""

import asyncio
from math import inf
from typing import TYPE_CHECKING

from tests.simulation.checks.truth import Record, wall
from tests.simulation.scenario import USUAL

if TYPE_CHECKING:
    from tests.simulation.cluster import Process
    from tests.simulation.world import World

EVERY = 2.0

NOTICED = 30.0
"""Seconds after which all know of a death, or of a row: the slowest rhythm of reading is 20 s."""

PAGES_LATE = 30.0
"""Seconds more where the table is read in many pages, each of which may be lost and asked again."""

TRUE_SECONDS = 2.0
"""Most seconds by which a worker is wrong about the time of day: half of one because dates have
whole seconds, and half of the longest round trip that it learns from."""

ROW_LATE = 35.0
"""Seconds more for a row that nobody was told of when it landed: all are read once a minute."""


class AgeCheck:
    """Nothing is asked while one stands still (no scraper reaches that) or is about to leave."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._first_seen: dict[str, float] = {}  # or the end of its last standstill
        self._last_seen: dict[str, float] = {}  # epoch seconds
        self._heartbeats: dict[str, int] = {}
        self._damaged: dict[str, tuple[int, float]] = {}  # heartbeat; epoch seconds
        self._unreadable: dict[str, float] = {}  # when a stream's row was seen damaged last
        self._row_seen: dict[str, float] = {}  # by shard; epoch seconds
        self._shown: dict[tuple[str, str], float] = {}  # when a worker first had a stream's row

    async def watch(self) -> None:
        """Look now and then until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            await self._world.day.wait()
            self._look()

    def _look(self) -> None:
        world = self._world
        now, alive = world.loop.now, world.cluster.alive
        for process in alive:
            if process.node.stopped or "read_leases" in process.node.denied:
                self._first_seen[process.name] = now  # it has to look around again
            self._first_seen.setdefault(process.name, now)
            self._last_seen[process.name] = wall(now)
            if self._first_seen[process.name] <= now - NOTICED and process.clock.ahead is not None:
                self._check_clock(process)
            for key in world.table.streams:
                if world.checks.calls.was_shown(process.name, key):
                    self._shown.setdefault((process.name, key), now)
        for name, row in world.table.workers.items():
            if self._heartbeats.get(name) != row.heartbeat:  # it may live between two looks only
                self._heartbeats[name] = row.heartbeat
                self._last_seen[name] = wall(now)
            if row.unreadable and self._damaged.get(name, (None,))[0] != row.heartbeat:
                self._damaged[name] = (row.heartbeat, wall(now))
        for key, stream in world.table.streams.items():
            if stream.unreadable is not None:
                self._unreadable[key] = now
        for leases in world.table.leases.values():
            for shard_id in leases:
                self._row_seen.setdefault(shard_id, wall(now))
        young = any(self._first_seen[process.name] > now - NOTICED for process in alive)
        away = any(process.node.stopped or process.stopping for process in alive)
        if not alive or young or away:
            return
        # Empty pages that are not the tip look as if they were.
        if world.scenario.has("empty_pages"):
            return
        late = [(self._since(record, alive), record) for record in world.truth.unsettled()]
        known = [(since, record) for since, record in late if since is not None]
        if not known:
            return
        since, record = min(known, key=lambda pair: pair[0])
        if not any(process.worker.coordinator.first_steps.leases_read for process in alive):
            return  # they tell the time since their start, and there is an alert on that
        told = max((age for process in alive for age in exported_ages(process)), default=None)
        if told is None:
            return
        if told < wall(now) - since - NOTICED:
            text = f"{told:.0f} s is told, but {record.sequence} of {record.shard.id} waits for"
            world.checks.fail("age", f"{text} {wall(now) - since:.0f} s")

    def _check_clock(self, process: "Process") -> None:
        """What ages are counted from is right, so they are as true as the time of day."""
        off = told_time(process) - wall(self._world.loop.now)
        if abs(off) > TRUE_SECONDS:
            self._world.checks.fail("age", f"all ages of {process.name} are wrong by {off:.1f} s")

    def _since(self, record: Record, alive: "list[Process]") -> float | None:
        """Since when it must show. Of a shard nobody reads only the last sign of life is known.

        None where nobody can know of the shard, or the record need not be delivered.
        """
        world = self._world
        stream = world.table.streams.get(record.shard.stream_key)
        row = world.table.of(record.shard.stream_key).get(record.shard.id)
        if stream is None or row is None or not stream.bootstrapped:
            return None
        pages = PAGES_LATE if world.scenario.has("torn") else 0.0
        if self._unreadable.get(stream.key, -inf) > world.loop.now - NOTICED - pages:
            return None  # who starts then reads nothing of it; it is named in the log
        shown = (self._shown.get((each.name, record.shard.stream_key), inf) for each in alive)
        if min(shown) > world.loop.now - NOTICED - pages:
            return None  # whoever runs had no row that could be read, and knows nothing of it yet
        fresh = wall(world.loop.now) - NOTICED
        if world.truth.is_skipped(record) or (row.released_at or 0.0) > fresh:
            return None
        begun = row.record_at is not None and row.checkpoint.isdigit()  # by reading, not by a seek
        for process in alive:
            for shard in process.worker.coordinator.shards:
                view = shard.view()
                held = view.held and row.owner == process.name
                if held and view.shard_id == row.shard_id and begun:
                    return record.at
        late = ROW_LATE if world.scenario.has("table_lost") else 0.0
        known = max(row.last_sign, self._row_seen.get(row.shard_id, 0.0) + late)
        if row.owner is None:
            return max(record.at, known)
        # It is taken for alive for as long as it has stated.
        silent = self._last_seen.get(row.owner, 0.0)
        if row.owner in self._damaged:  # any change of its row is a sign of life, once it is seen
            seen = max(self._first_seen[process.name] for process in alive)
            silent = max(silent, self._damaged[row.owner][1], wall(seen))
        silent += max(0.0, world.scenario.timing_of(row.owner).lease_duration - USUAL[1])
        return max(record.at, known, silent)


def told_time(process: "Process") -> float:
    """What it takes for the time of day."""
    return process.worker.coordinator._clock.wall()


def exported_ages(process: "Process") -> list[float]:
    """What its `/metrics` would show, but for the time since its start: that is shown, too, while
    it has not read the leases of every stream.
    """
    coordinator = process.worker.coordinator
    now = told_time(process)
    views = [shard.view() for shard in coordinator.shards]
    ages = [view.age(now) for view in views if view.held]
    return ages + [seen.age(now) or 0.0 for seen in coordinator.leases()]
