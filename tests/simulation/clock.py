"""The clock of a simulated machine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.simulation.checks.truth import wall

if TYPE_CHECKING:
    from tests.simulation.world import World


class SimClock:
    """Clock of one machine: CLOCK_BOOTTIME goes on whatever happens, wall clocks differ.

    `skew` is how far its wall clock is ahead.
    """

    def __init__(self, world: World, ahead: float, skew: float) -> None:
        self._loop = world.loop
        self._ahead = ahead
        self.skew = skew

    def now(self) -> float:
        return self._loop.now + self._ahead

    def wall(self) -> float:
        return wall(self._loop.now) + self.skew

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
