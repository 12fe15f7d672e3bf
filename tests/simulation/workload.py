"""The changes that the application makes to its table."""

import asyncio
from random import Random
from typing import TYPE_CHECKING

from tests.simulation.checks.truth import wall

if TYPE_CHECKING:
    from localdev.streams.model.attribute import Attributes
    from tests.simulation.world import World

HOT = 0.6  # share of the hot key
BURST = 25
POISON = 0.03
OBJECTED = 0.02
TRICKLES = 64
REMOVED = 0.05


class Writer:
    """Writes items; each change of an item is a new version of it."""

    def __init__(self, world: "World", chance: Random) -> None:
        self._world = world
        self._chance = chance
        self._version = 0
        self._trickled = 0
        self._table = world.model.table("orders")
        self._big = world.scenario.workload.big
        self.keys = [f"k{number}" for number in range(world.scenario.workload.keys)]

    def write(self, at: float, key: str | None = None) -> None:
        """One change at `at` (epoch seconds); of a healthy item if its key is given."""
        world, chance = self._world, self._chance
        picked = key if key is not None else self._pick()
        self._version += 1
        fill = 0
        if key is None and chance.random() < REMOVED:
            entry = self._table.delete({"id": {"S": picked}}, at)
        else:
            fill = 10
            if key is None and chance.random() < self._big:
                fill = 1000 * int(chance.uniform(50, 350))
            item: Attributes = {
                "id": {"S": picked},
                "n": {"N": str(self._version)},
                "fill": {"S": "x" * fill},
            }
            entry = self._table.put(item, at)
        bad = chance.random()
        stream = self._table.stream
        if entry is None or stream is None:
            return
        record = world.truth.wrote(stream, picked)
        assert record is not None
        record.size = fill
        if key is None and bad < POISON and world.scenario.has("poison"):
            world.nakadi.poison[record.sequence] = "named" if bad < POISON * 0.6 else "unnamed"
            record.poison = True
        elif key is None and bad > 1.0 - OBJECTED and world.scenario.has("firewall"):
            world.nakadi.poison[record.sequence] = "objected"
            record.objected = True
        world.trace.add(
            world.loop.now, "table", "change", record.shard.id, f"{picked} {record.sequence}"
        )

    async def run(self) -> None:
        """All changes of the workload, at their times."""
        load, chance = self._world.scenario.workload, self._chance
        written = 0
        while written < load.changes:
            await asyncio.sleep(chance.expovariate(load.changes / load.seconds))
            await self._world.day.wait()
            many = BURST if self._world.scenario.has("bursts") and chance.random() < 0.03 else 1
            for _ in range(min(many, load.changes - written)):
                self.write(wall(self._world.loop.now))
                written += 1

    def trickle(self, at: float) -> None:
        """Changes of every second when all is well: of each partition in each shard, if needed."""
        if not self._world.scenario.has("firewall"):
            self.write(at, self.keys[-1])
            return
        for _ in range(4):
            self._trickled += 1
            self.write(at, f"t{self._trickled % TRICKLES}")

    def _pick(self) -> str:
        if self._world.scenario.has("hot") and self._chance.random() < HOT:
            return self.keys[0]
        return self.keys[int(self._chance.random() * len(self.keys))]
