"""A request on its way through a bad network: it may be late, lost, or answered in vain.

A request that has left its worker takes effect whatever becomes of the worker.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import TypeVar

from consumer.adapters.clock import AwsClock
from consumer.errors import ConsumerError, Retryable
from tests.simulation.loop import Node, SimLoop
from tests.simulation.trace import Trace
from tests.twins.virtual_time import EPOCH

T = TypeVar("T")


class Fate(Enum):
    """The value is for people who read the trace."""

    WHOLE = "is answered"
    REFUSED = "is throttled"  # a definite no
    LOST_BEFORE = "is lost"  # never arrives; the client waits until its limit
    RESET_BEFORE = "is reset"  # never arrives, and the connection breaks
    LOST_AFTER = "loses its answer"  # takes effect
    RESET_AFTER = "is reset after all"  # takes effect
    LATE = "will come late"  # takes effect after the client has given up
    DENIED = "is denied"


@dataclass
class Weather:
    """How requests of one kind fare. Probabilities in [0, 1), times in seconds.

    `mix` are the fates that a bad request may meet; `out` says whether nothing arrives now.
    """

    fastest: float = 0.002
    slowest: float = 0.02
    slow: float = 0.0  # how many are slow
    slow_by: float = 1.0  # by how much at most
    bad: float = 0.0  # how many are bad
    mix: tuple[Fate, ...] = ()
    late_by: float = 5.0
    out: bool = False
    stale: float = 0.0  # how many reads are answered just within the limit

    def delay(self, chance: Random) -> float:
        delay = self.fastest + chance.random() * (self.slowest - self.fastest)
        if self.slow and chance.random() < self.slow:
            delay += chance.random() * self.slow_by
        return delay

    def fate(self, chance: Random, *, cut: bool) -> Fate:
        if self.out or cut:
            return Fate.LOST_BEFORE if chance.random() < 0.5 else Fate.RESET_BEFORE
        if self.bad and chance.random() < self.bad:
            return self.mix[int(chance.random() * len(self.mix))]
        return Fate.WHOLE


class Wire:
    """One worker's way to one service. `faults` counts what went wrong, by name.

    The trace has a line for each request that is lost, late or refused, when it leaves.
    """

    def __init__(
        self,
        loop: SimLoop,
        node: Node,
        port: str,
        weather: Weather,
        chance: Random,
        faults: dict[str, int],
        trace: Trace,
        dated: AwsClock | None = None,
    ) -> None:
        self._loop = loop
        self._port = port
        self.node = node
        self.weather = weather
        self.chance = chance
        self._faults = faults
        self._trace = trace
        self._dated = dated

    async def call(
        self,
        name: str,
        effect: Callable[[], T],
        limit: float,
        lost: Callable[[str, str], Exception] = Retryable,
    ) -> T:
        """Send; return what `effect` returned where it took place, or raise what it raised.

        `lost(message, reason)` makes the error for an answer that does not come within `limit`.
        The clock that the answers are for learns from the date of each.
        """
        if self._dated is None:
            return await self._call(name, effect, limit, lost)
        dates: list[float] = []

        def dated() -> T:
            dates.append(float(int(EPOCH + self._loop.now)))
            return effect()

        sent_at = self._dated.now()
        result = await self._call(name, dated, limit, lost)
        self._dated.learn(dates[-1], sent_at)
        return result

    async def _call(
        self,
        name: str,
        effect: Callable[[], T],
        limit: float,
        lost: Callable[[str, str], Exception],
    ) -> T:
        loop, weather, chance = self._loop, self.weather, self.chance
        answer: asyncio.Future[T] = asyncio.Future(loop=loop)
        if self.node.muted:
            return await answer
        fate = weather.fate(chance, cut=self._port in self.node.cut)
        if fate is Fate.WHOLE and name.partition(" ")[0] in self.node.denied:
            fate = Fate.DENIED
        there, back = weather.delay(chance), weather.delay(chance)
        if weather.stale and name.startswith("read_") and chance.random() < weather.stale:
            back = (0.5 + 0.49 * chance.random()) * limit - there
        if fate is not Fate.WHOLE:
            key = f"{name.split(' ', 1)[0]}:{fate.name.lower()}"
            self._faults[key] = self._faults.get(key, 0) + 1
            self._tell(name, fate.value)
        timeout = (limit, self._fail, answer, lost(name, "timeout"))
        match fate:
            case Fate.WHOLE:
                loop.later(there, self._arrive, answer, effect, back)
                if there + back > limit:
                    self._tell(name, f"takes {there:.3f} + {back:.3f} s")
                    loop.later(*timeout)
            case Fate.REFUSED:
                loop.later(there + back, self._fail, answer, Retryable(name, "throttled"))
            case Fate.LOST_BEFORE:
                loop.later(*timeout)
            case Fate.RESET_BEFORE:
                loop.later(there, self._fail, answer, lost(name, "reset"))
            case Fate.LOST_AFTER:
                loop.later(there, self._arrive, None, effect, back)
                loop.later(*timeout)
            case Fate.RESET_AFTER:
                loop.later(there, self._arrive, None, effect, back)
                loop.later(there + back, self._fail, answer, lost(name, "reset"))
            case Fate.DENIED:
                loop.later(there + back, self._fail, answer, lost(name, "access_denied"))
            case Fate.LATE:
                late = limit + chance.random() * weather.late_by
                loop.later(late, self._arrive, None, effect, back)
                loop.later(*timeout)
        return await answer

    def _tell(self, name: str, what: str) -> None:
        operation, _, key = name.partition(" ")
        shard = key if key.startswith("shardId") else ""
        self._trace.add(self._loop.now, self.node.name, operation, shard, what)

    def _arrive(
        self, answer: "asyncio.Future[T] | None", effect: Callable[[], T], back: float
    ) -> None:
        try:
            result = effect()
        except ConsumerError as error:
            if answer is not None:
                self._loop.later(back, self._fail, answer, error)
            return
        if answer is not None:
            self._loop.later(back, self._deliver, answer, result)

    @staticmethod
    def _deliver(answer: "asyncio.Future[T]", result: T) -> None:
        if not answer.done():
            answer.set_result(result)

    def _fail(self, answer: "asyncio.Future[T]", error: Exception) -> None:
        if not answer.done() and not self.node.crashed:
            answer.set_exception(error)
