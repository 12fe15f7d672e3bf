"""The simulation's twins as the suites meet them: one worker in a world where nothing goes wrong.

Such a twin lives on the simulation's own loop, whose time jumps. Each call runs there, in a thread
beside the test's loop, until it has ended.
"""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any, TypeVar

from localdev.streams.model.record import EventName
from tests.simulation.checks.narrowing import Kind
from tests.simulation.checks.truth import Record, wall
from tests.simulation.faults.wire import Fate, Weather, Wire
from tests.simulation.loop import Node
from tests.simulation.scenario import KINDS, draw
from tests.simulation.world import World

T = TypeVar("T")
Key = Mapping[str, dict[str, Any]]

LATER = 120.0
"""Virtual seconds after which nothing of a request is under way any more."""


class Scripted(Random):
    """Draws what is in `draws`, then one half."""

    def __init__(self) -> None:
        super().__init__(0)
        self.draws: list[float] = []

    def random(self) -> float:
        return self.draws.pop(0) if self.draws else 0.5


class Simulated:
    """A world and one node of it. `weather` is that of the node's one wire."""

    def __init__(self) -> None:
        self.world = World(draw(1, KINDS, size=0.0), keep=True)
        self.chance = Scripted()
        self._free = asyncio.Lock()  # the loop runs one call at a time
        self.weather = Weather()
        self.node = Node("w1")
        self.wire = Wire(
            self.world.loop, self.node, "port", self.weather, self.chance, {}, self.world.trace
        )

    def write(self, name: str, table: str = "orders", key: Key | None = None) -> Record:
        """Change the item with this partition key."""
        version: Key = {"n": {"N": str(len(self.world.truth.records))}}
        item = {**(key or {"id": {"S": name}}), **version}
        entry = self.world.model.table(table).put(item, self.now)
        is_new = entry is not None and entry.event_name is EventName.INSERT
        return self._noted(name, table, (None if is_new else "A", "A"))

    def delete(self, name: str, table: str, key: Key) -> None:
        self.world.model.table(table).delete(dict(key), self.now)
        self._noted(name, table, ("A", None))

    def _noted(self, name: str, table: str, kinds: tuple[Kind, Kind]) -> Record:
        stream = self.world.model.table(table).stream
        assert stream is not None
        record = self.world.truth.wrote(stream, name, kinds)
        assert record is not None
        return record

    @property
    def now(self) -> float:
        """Epoch seconds of the world."""
        return wall(self.world.loop.now)

    def meet(self, fate: Fate | None) -> None:
        """Let every request meet this; None: nothing bad."""
        self.weather.bad = 0.0 if fate is None else 1.0
        self.weather.mix = () if fate is None else (fate,)

    async def run(self, call: Coroutine[Any, Any, T]) -> T:
        async with self._free:
            return await asyncio.to_thread(self.world.loop.run_until_complete, call)

    async def pass_time(self, seconds: float = LATER) -> None:
        await self.run(asyncio.sleep(seconds))


@contextmanager
def simulated() -> Iterator[Simulated]:
    made = Simulated()
    try:
        yield made
    finally:
        made.world.loop.close()
