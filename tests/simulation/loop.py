"""An event loop that owns time, with workers that can be stopped one by one.

Every callback belongs to the node whose context it runs in (none: the world). What is ready runs in
an order drawn from the seed; when nothing is, time jumps to the next timer. A stopped node's
callbacks are held back until it goes on; a crashed node never does. Tasks hash by the order of
their creation, so that sets of them (TaskGroup keeps one) are walked in the same order every time.
"""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from itertools import count
from math import inf
from random import Random
from typing import Any, Optional, TypeVarTuple
from weakref import WeakSet

NODE: ContextVar[Optional["Node"]] = ContextVar("node", default=None)
Ts = TypeVarTuple("Ts")


SHORTEST_WAIT = 1e-9
"""Seconds, the resolution of a true clock. A clock that is far ahead, or a loop whose machine has
slept, would not see a shorter wait pass: whoever waits for a time would wait again, for ever."""


class StuckError(RuntimeError):
    """Nothing is ready and no timer is set."""


class Node:
    """A place where one process runs.

    `lag` is how far its loop's clock (CLOCK_MONOTONIC) is behind: it stands while the machine is
    suspended. `cut` names the ports that it cannot reach, `denied` the calls for which it lacks the
    right. `muted`: whatever it still asks of the
    world stays unheard.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.stopped = False
        self.crashed = False
        self.muted = False
        self.cut: set[str] = set()
        self.denied: set[str] = set()
        self.lag = 0.0
        self.went_on_at = -inf  # true time
        self.held: list[asyncio.Handle] = []
        self.context: Context = copy_context()
        self.context.run(NODE.set, self)


class SimTask(asyncio.Task[Any]):
    """A task that hashes by its number."""

    _numbers = count()

    def __init__(self, coro: Coroutine[Any, Any, Any], **options: Any) -> None:
        self.number = next(SimTask._numbers)
        self.node = options["context"].get(NODE) if options.get("context") else NODE.get()
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self.number

    @property
    def what(self) -> str:
        """The name of its coroutine."""
        return str(getattr(self.get_coro(), "__qualname__", ""))


class SimLoop(asyncio.BaseEventLoop):
    """`now` is the true time in seconds from 0; `time()` is what the present node's loop thinks.

    `order` draws which of several ready callbacks runs next; None: first come, first served.
    """

    def __init__(self, order: Random | None) -> None:
        super().__init__()
        self.now = 0.0
        self.steps = 0
        self.world = copy_context()
        self.world.run(NODE.set, None)
        self._order = order
        self._serial = count()
        self._queue: list[asyncio.Handle] = []
        self._first = 0  # of the queue, when it is served in order
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        SimTask._numbers = count()
        self._tasks: WeakSet[SimTask] = WeakSet()  # whoever ends unheard has told on its own
        self.set_task_factory(self._new_task)

    def _new_task(self, loop: Any, coro: Any, **options: Any) -> SimTask:
        task = SimTask(coro, loop=loop, **options)
        self._tasks.add(task)
        return task

    def unretrieved(self) -> list[SimTask]:
        """Tasks that have failed, and that nobody has asked; not those of crashed nodes."""
        failed = [task for task in self._tasks if task.done() and task._log_traceback]
        failed = [task for task in failed if task.node is None or not task.node.crashed]
        return sorted(failed, key=hash)

    # -- what asyncio asks of a loop

    def time(self) -> float:
        node = NODE.get()
        return self.now if node is None else self.now - node.lag

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._enqueue(handle)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        now = self.time()
        if when > now:
            when = max(when, now + SHORTEST_WAIT)
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._set_timer(timer)
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is dropped when its time comes."""

    def _run_once(self) -> None:
        queue, timers = self._queue, self._timers
        while not self._stopping:  # type: ignore[attr-defined]  # asyncio's own
            while timers and timers[0][0] <= self.now:
                self._ring(heapq.heappop(timers)[2])
            if not queue:
                if not timers:
                    raise StuckError("nothing is ready and no timer is set")
                self.now = timers[0][0]
                continue
            handle = self._next()
            if not handle.cancelled():
                self.steps += 1
                handle._run()

    # -- the world's side

    def later(self, delay: float, callback: Callable[..., Any], *args: Any) -> None:
        """Call in the world, in true time."""
        self.call_at(self.now + delay, callback, *args, context=self.world)

    def stop_node(self, node: Node) -> None:
        """As SIGSTOP does."""
        node.stopped = True

    def go_on(self, node: Node, *, slept: float = 0.0) -> None:
        """As SIGCONT does. `slept`: the machine was suspended for so long, its timers stood."""
        node.stopped = False
        node.went_on_at = self.now
        node.lag += slept
        held, node.held = node.held, []
        for handle in held:
            if slept and isinstance(handle, asyncio.TimerHandle):
                self._set_timer(handle)
            else:
                self._enqueue(handle)

    # -- inside

    def _next(self) -> asyncio.Handle:
        queue = self._queue
        if self._order is None:
            handle = queue[self._first]
            self._first += 1
            if self._first == len(queue):
                queue.clear()
                self._first = 0
            return handle
        place = int(self._order.random() * len(queue))
        queue[place], queue[-1] = queue[-1], queue[place]
        return queue.pop()

    def _enqueue(self, handle: asyncio.Handle) -> None:
        node = handle._context.get(NODE)  # type: ignore[attr-defined]  # asyncio's own
        if node is not None and node.stopped:
            node.held.append(handle)
        else:
            self._queue.append(handle)

    def _set_timer(self, timer: asyncio.TimerHandle) -> None:
        heapq.heappush(self._timers, (self._due(timer), next(self._serial), timer))

    def _due(self, timer: asyncio.TimerHandle) -> float:
        node = timer._context.get(NODE)  # type: ignore[attr-defined]  # asyncio's own
        return timer.when() if node is None else timer.when() + node.lag

    def _ring(self, timer: asyncio.TimerHandle) -> None:
        if timer.cancelled():
            return
        if self._due(timer) > self.now:
            self._set_timer(timer)  # its node was suspended meanwhile
        else:
            self._enqueue(timer)
