"""The mapping: it reads a stream's shards, and invokes a function with batches of their records.

A batch that failed is tried again after up to `RETRY_SECONDS`: AWS names no interval.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Protocol

from localdev.event_source_mapping.lane import Discarded, Lane, MappingOptions, Record, lane_of

RETRY_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an invocation: the parsed answer, or the message of an error."""

    answer: object = None
    error: str | None = None


class Function(Protocol):
    """A function of Lambda."""

    async def invoke(self, event: Mapping[str, Any]) -> Outcome:
        """Run one invocation to its end. Any process of the function may run it."""
        ...


@dataclass(frozen=True, slots=True)
class ShardRecords:
    """A shard with its records, in order, and the name of its parent, None if it has none."""

    name: str
    parent: str | None
    records: Sequence[Record]


class EventSourceMapping:
    """Invokes `function` with the records of shards.

    `retry_seconds` bounds the pause before a batch is tried again; `wall` gives epoch seconds.
    """

    def __init__(
        self,
        function: Function,
        options: MappingOptions,
        random: Random,
        *,
        retry_seconds: float = RETRY_SECONDS,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._function = function
        self._options = options
        self._random = random
        self._retry_seconds = retry_seconds
        self._wall = wall
        self._sleep = sleep
        self._lanes: dict[tuple[str, int], Lane] = {}
        self.invocations = 0

    @property
    def discarded(self) -> list[Discarded]:
        """What was thrown away, which went to the destination in S3."""
        return [each for lane in self._lanes.values() for each in lane.discarded]

    async def run(self, shards: Sequence[ShardRecords]) -> None:
        """Go on until all records are settled or thrown away.

        Shards go on side by side, but a child begins when its parent has ended.
        """
        ended = {shard.name: asyncio.Event() for shard in shards}

        async def run_shard(shard: ShardRecords) -> None:
            if shard.parent in ended:
                await ended[shard.parent].wait()
            lanes = self._lanes_with(shard)
            async with asyncio.TaskGroup() as tasks:
                for lane in lanes:
                    tasks.create_task(self._run_lane(lane))
            ended[shard.name].set()

        async with asyncio.TaskGroup() as tasks:
            for shard in shards:
                tasks.create_task(run_shard(shard))

    def _lanes_with(self, shard: ShardRecords) -> list[Lane]:
        """Give the records of a shard to its lanes."""
        now, count = self._wall(), self._options.parallelization
        for record in shard.records:
            self._lane(shard.name, lane_of(record, count)).add([record], now)
        return [self._lane(shard.name, number) for number in range(count)]

    def _lane(self, shard: str, number: int) -> Lane:
        return self._lanes.setdefault((shard, number), Lane(self._options))

    async def _run_lane(self, lane: Lane) -> None:
        while not lane.empty:
            work = lane.next(self._wall())
            if work is None:
                await self._sleep(LOOK_SECONDS)
                continue
            self.invocations += 1
            outcome = await self._function.invoke({"Records": [*work.records]})
            done = lane.ended(work, outcome.answer, error=outcome.error is not None)
            if not done:
                await self._sleep(self._random.random() * self._retry_seconds)
