"""The publisher: decides when the next batch goes out, and how large it may be.

Ownership: one dispatcher; each delivery is a task of its group. What the flow, the fence and the
queue allow is decided in `_pause`, a plain function.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from consumer.runtime.cancellation import heed_cancellation

if TYPE_CHECKING:
    from consumer.core.fence import Fence
    from consumer.core.limits import PublishLimits
    from consumer.core.ticket import Ticket
    from consumer.ports import Clock
    from consumer.runtime.backlog import Backlog
    from consumer.runtime.delivery import Delivery
    from consumer.runtime.event_type import EventType

FENCE_PAUSE = 0.2
"""Seconds between looks at a fence that has passed; heartbeats bring it back."""

IDLE_PAUSE = 5.0
"""Longest sleep of the dispatcher, in seconds; a wake-up call ends it early."""


class _StopError(Exception):
    """Ends the group of deliveries."""


class Publisher:
    """One event type's slots."""

    def __init__(
        self,
        *,
        delivery: Delivery,
        backlog: Backlog,
        event_type: EventType,
        fence: Fence,
        limits: PublishLimits,
        clock: Clock,
    ) -> None:
        self._delivery = delivery
        self._backlog = backlog
        self._flow = event_type.flow
        self._fence = fence
        self._limits = limits
        self._clock = clock
        self._in_flight = 0
        self._thin_since: float | None = None  # since when a batch that is not full waits
        self._stopping = False

    def stop(self) -> None:
        """End: every shard has been released, what is still in flight is not ours any more."""
        self._stopping = True
        self._backlog.stirred.ring()

    async def run(self) -> None:
        """Send until stopped. Requests still in flight then are abandoned."""
        try:
            async with asyncio.TaskGroup() as requests:
                while not self._stopping:
                    await self._dispatch(requests)
                raise _StopError
        except* _StopError:
            heed_cancellation()

    async def _dispatch(self, requests: asyncio.TaskGroup) -> None:
        pause = self._pause()
        if pause > 0:
            await self._backlog.stirred.wait(pause)
            return
        batch = self._backlog.queue.take(
            self._clock.now(),
            self._flow.batch_events,
            self._flow.batch_bytes,
            self._limits.key_run_events,
        )
        self._thin_since = None
        if batch:
            self._in_flight += 1
            requests.create_task(self._deliver(batch))

    def _pause(self) -> float:
        """Seconds to wait before the next batch; 0 to send now."""
        now = self._clock.now()
        if not self._fence.holds(now, self._fence.epoch):
            return FENCE_PAUSE
        wait = self._flow.wait(now, self._in_flight)
        if wait is None:
            return IDLE_PAUSE
        if wait > 0:
            return wait
        queue = self._backlog.queue
        wake = queue.next_wake()
        if wake is not None and wake <= now:
            return 0.0
        if not queue.ready:
            self._thin_since = None
            return IDLE_PAUSE if wake is None else min(IDLE_PAUSE, wake - now)
        if queue.ready >= self._flow.batch_events or queue.ready_bytes >= self._flow.batch_bytes:
            return 0.0
        if self._thin_since is None:
            self._thin_since = now
        return self._thin_since + self._limits.linger - now

    async def _deliver(self, batch: list[Ticket]) -> None:
        try:
            await self._delivery.deliver(batch)
        finally:
            self._in_flight -= 1
            self._backlog.stirred.ring()
