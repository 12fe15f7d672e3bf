"""The publisher: decides when the next batch goes out, and how large it may be.

Ownership: one dispatcher; each delivery is a task of its group. What the flow, the fence and the
queue allow is decided in `_pause`, what a partition's lane may do in `_pause_of`, plain functions.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from consumer.core.publishing.flow import FlowState
from consumer.runtime.cancellation import heed_cancellation

if TYPE_CHECKING:
    from consumer.core.backlog.ticket import Ticket
    from consumer.core.leases.fence import Fence
    from consumer.core.limits import PublishLimits
    from consumer.core.publishing.lanes import PartitionLane
    from consumer.ports import Clock
    from consumer.runtime.publishing.backlog import Backlog
    from consumer.runtime.publishing.event_type import EventType
    from consumer.runtime.publishing.sender import Delivery

FENCE_PAUSE = 0.2
"""Seconds between looks at a fence that has passed; heartbeats bring it back."""

IDLE_PAUSE = 5.0
"""Longest sleep of the dispatcher, in seconds; a notification ends it early."""


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
        self._event_type = event_type
        self._flow = event_type.flow
        self._lanes = event_type.lanes
        self._fence = fence
        self._limits = limits
        self._clock = clock
        self._in_flight = 0
        self._thin_since: float | None = None  # since when a batch that is not full waits
        self._stopping = False

    def stop(self) -> None:
        """End: every shard has been released, what is still in flight is not ours any more."""
        self._stopping = True
        self._backlog.changed.notify()

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
        lane = self._next_lane()
        pause, lane_pause = self._pause(), self._pause_of(lane)
        if lane is not None and lane_pause <= 0:
            self._send_aside(requests, lane)
        elif pause > 0:
            await self._backlog.changed.wait(min(pause, lane_pause))
        elif not self._send(requests):
            await asyncio.sleep(0)  # all were put aside; others may want to run, too

    def _send(self, requests: asyncio.TaskGroup) -> bool:
        """The next batch that travels in no lane. False if there was none after all."""
        batch = self._backlog.queue.take(
            self._clock.now(),
            self._flow.batch_events,
            self._flow.batch_bytes,
            self._limits.key_run_events,
            sort=self._lanes.of if self._lanes else None,
        )
        self._thin_since = None
        if batch:
            self._in_flight += 1
            requests.create_task(self._deliver(batch))
        return bool(batch)

    def _send_aside(self, requests: asyncio.TaskGroup, lane: PartitionLane) -> None:
        now = self._clock.now()
        batch = self._backlog.queue.take_aside(
            lane.name,
            now,
            self._flow.batch_events,
            min(lane.bytes, self._flow.batch_bytes),
            self._limits.key_run_events,
        )
        lane.busy, lane.used_at = True, now
        requests.create_task(self._deliver_aside(batch, lane))

    def _next_lane(self) -> PartitionLane | None:
        """The lane whose turn is next.

        While the event type backs off or is stopped, its only request is one of those that travel
        in no lane, if there is any.
        """
        if not self._lanes:
            return None
        for name in self._event_type.close_unused_lanes():
            self._backlog.queue.rejoin(name)
        queue = self._backlog.queue
        if self._flow.state is not FlowState.PUBLISHING and (queue.ready or self._lanes.in_flight):
            return None
        return self._lanes.next(queue.ready_aside)

    def _pause_of(self, lane: PartitionLane | None) -> float:
        """Seconds to wait before the lane's next request."""
        now = self._clock.now()
        if lane is None or not self._fence.holds(now, self._fence.epoch):
            return IDLE_PAUSE
        pause = lane.not_before - now
        if self._flow.state is not FlowState.PUBLISHING:
            wait = self._flow.wait(now, self._in_flight)
            return IDLE_PAUSE if wait is None else max(wait, pause)
        return pause

    def _pause(self) -> float:
        """Seconds to wait before the next batch that travels in no lane; 0 to send now."""
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
            self._backlog.changed.notify()

    async def _deliver_aside(self, batch: list[Ticket], lane: PartitionLane) -> None:
        try:
            await self._delivery.deliver(batch, lane)
        finally:
            lane.busy = False
            self._backlog.changed.notify()
