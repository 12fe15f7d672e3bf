"""An event loop whose time jumps to the next timer: a minute of waiting costs nothing.

Everything runs in one thread on twins, so a loop with nothing ready and no timer is stuck: that is
an error, not a wait.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

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


class HalfChance:
    """Always one half."""

    def random(self) -> float:
        return 0.5


T = TypeVar("T")


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run to the end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())
