"""An event loop whose time passes only while it has nothing to do.

A time-out of a tenth of a second then means a tenth of a second without an answer, however slow
the machine is: what client and server do in this loop, and in its threads, takes no time at all.
"""

import asyncio
import selectors
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")

GRACE_SECONDS = 0.05
"""After something has arrived, the next timer is at least this much idle time away."""


class _IdleSelector(selectors.DefaultSelector):
    """Add up in `idle` the seconds spent waiting, while no thread is `working`."""

    def __init__(self) -> None:
        super().__init__()
        self.idle = time.monotonic()
        self.working = 0

    def select(self, timeout: float | None = None) -> Any:
        began = time.monotonic()
        ready = super().select(timeout)
        waited = time.monotonic() - began
        if self.working:
            return ready
        if timeout is not None:
            waited = min(waited, max(timeout - GRACE_SECONDS, 0.0)) if ready else max(timeout, 0.0)
        self.idle += waited
        return ready


class IdleLoop(asyncio.SelectorEventLoop):
    """Selector event loop with idle time for its clock."""

    def __init__(self) -> None:
        self._idle = _IdleSelector()
        super().__init__(self._idle)

    def time(self) -> float:
        return self._idle.idle

    def run_in_executor(
        self,
        executor: Executor | None,
        func: Callable[[*Arguments], Result],
        *args: *Arguments,
    ) -> asyncio.Future[Result]:
        future = super().run_in_executor(executor, func, *args)
        self._idle.working += 1
        future.add_done_callback(self._worked)
        return future

    def _worked(self, _: object) -> None:
        self._idle.working -= 1
