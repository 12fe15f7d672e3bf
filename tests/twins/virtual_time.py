"""An event loop whose time jumps to the next timer: a minute of waiting costs nothing.

Everything runs in one thread on twins, so a loop with nothing ready and no timer is stuck: that is
an error, not a wait.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from consumer.adapters.clock import AwsClock
from consumer.core.time_of_day import ENOUGH

EPOCH = 1_790_000_000.0  # wall clock at loop time 0


class _JumpingSelector(selectors.DefaultSelector):
    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("stuck: nothing is ready and no timer is set")
        self.loop.elapsed += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.elapsed = 0.0
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.elapsed


class VirtualClock:
    """`shift` moves this clock ahead of the loop: the process was suspended."""

    def __init__(self) -> None:
        self.shift = 0.0

    def now(self) -> float:
        return asyncio.get_running_loop().time() + self.shift

    def wall(self) -> float:
        return EPOCH + self.now()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SetClock(VirtualClock):
    """The clock of a worker that knows AWS's time, on a machine whose wall clock is `ahead`."""

    def __init__(self, ahead: float) -> None:
        super().__init__()
        self.machine = Machine(ahead)
        self._aws = AwsClock(self.machine)
        for _ in range(ENOUGH):
            self._aws.learn(EPOCH, self.now())

    def wall(self) -> float:
        return self._aws.wall()


class Machine(VirtualClock):
    """Its wall clock is `ahead` seconds wrong; a test may set it."""

    def __init__(self, ahead: float) -> None:
        super().__init__()
        self.ahead = ahead

    def wall(self) -> float:
        return super().wall() + self.ahead


class HalfChance:
    """Always one half."""

    def random(self) -> float:
        return 0.5


T = TypeVar("T")


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run to the end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())
