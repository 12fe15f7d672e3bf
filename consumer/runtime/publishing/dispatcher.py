"""The dispatcher: sends the batches of one outlet, as many at a time as flow and slots allow.

Ownership: each outlet has one dispatcher; each batch is sent by a task of its group. The plain
function `core.publishing.next_send` decides what it does next. What it decides to send needs a slot
of those that the event types share; without one it is asked again what can be done without.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic

from consumer.core.backlog.queue import ANYWHERE
from consumer.core.backlog.queued_event import Of_co
from consumer.core.publishing.lanes import LANE_SLOTS
from consumer.core.publishing.next_send import Send, Wait, next_send
from consumer.runtime.cancellation import ending_group
from consumer.runtime.publishing.expiry import Expiry
from consumer.runtime.publishing.shared_slots import SharedSlots

if TYPE_CHECKING:
    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.publishing.lanes import PartitionLane
    from consumer.ports import Clock
    from consumer.runtime.publishing.outlet import Outlet
    from consumer.runtime.publishing.sender import Sender


class Dispatcher(Generic[Of_co]):
    """Sends what is in the outlet. `in_flight` counts the batches that travel in no lane.

    `slots` are those of all outlets of the worker; without them the outlet is the only one.
    """

    def __init__(
        self,
        outlet: Outlet[Of_co],
        sender: Sender[Of_co],
        clock: Clock,
        slots: SharedSlots | None = None,
    ) -> None:
        self._outlet = outlet
        self._sender = sender
        self._clock = clock
        self._slots = slots or SharedSlots(outlet.limits.concurrency, {outlet.name: outlet.changed})
        self._expiry = Expiry(outlet, clock)
        self._stopping = False
        self.in_flight = 0

    @property
    def busy(self) -> bool:
        """Whether a batch is being sent."""
        return bool(self.in_flight or self._outlet.event_type.lanes.in_flight)

    def stop(self) -> None:
        """End `run` without waiting for requests in flight."""
        self._stopping = True
        self._outlet.changed.notify()

    async def run(self) -> None:
        """Send until stopped. Requests still in flight then are abandoned."""
        async with ending_group() as requests:
            while not self._stopping:
                await self._turn(requests)

    async def _turn(self, requests: asyncio.TaskGroup) -> None:
        pause = self._expiry.look()
        if pause <= 0:
            await asyncio.sleep(0)  # there is more to look at; let other tasks run
            return
        decided = self._next()
        if isinstance(decided, Wait):
            await self._outlet.changed.wait(min(decided.seconds, pause))
        elif decided.lane is not None:
            self._send_in_lane(requests, decided.lane, decided.events, decided.size)
        elif not self._send(requests, decided.events, decided.size):
            await asyncio.sleep(0)  # all were moved to lanes; let other tasks run

    def _next(self) -> Send | Wait:
        """Decide what to do. A slot has been taken for what is to be sent."""
        outlet, event_type, now = self._outlet, self._outlet.event_type, self._clock.now()
        for name in event_type.close_unused_lanes():
            outlet.queue.rejoin(name)
        lacking: set[bool] = set()  # `in_lane` of what has found no slot
        while True:
            decided = next_send(
                now,
                flow=event_type.flow,
                lanes=event_type.lanes,
                queue=outlet.queue,
                slots=0 if False in lacking else event_type.flow.allowed - self.in_flight,
                lane_slots=0 if True in lacking else LANE_SLOTS,
                in_flight=self.in_flight,
                pause=outlet.origin.pause(now),
                limits=outlet.limits,
            )
            if isinstance(decided, Wait):
                for in_lane in {False, True} - lacking:
                    self._slots.call_off(outlet.name, in_lane=in_lane)
                return decided
            in_lane = decided.lane is not None
            if self._slots.take(outlet.name, in_lane=in_lane):
                return decided
            lacking.add(in_lane)

    def _send(self, requests: asyncio.TaskGroup, events: int, size: int) -> bool:
        """Send the next batch that travels in no lane. Return False if `take` found none."""
        lanes = self._outlet.event_type.lanes
        batch = self._outlet.queue.take(
            ANYWHERE,
            self._clock.now(),
            events,
            size,
            self._outlet.limits.key_run_events,
            sort=lanes.of if lanes else None,
        )
        if not batch:
            self._slots.give_back(self._outlet.name, in_lane=False)
            return False
        self.in_flight += 1
        requests.create_task(self._deliver(batch))
        return True

    def _send_in_lane(
        self, requests: asyncio.TaskGroup, lane: PartitionLane, events: int, size: int
    ) -> None:
        now, run = self._clock.now(), self._outlet.limits.key_run_events
        batch = self._outlet.queue.take(lane.name, now, events, size, run)
        lane.busy, lane.used_at = True, now
        requests.create_task(self._deliver_in_lane(batch, lane))

    async def _deliver(self, batch: list[QueuedEvent[Of_co]]) -> None:
        try:
            await self._sender.send(batch)
        finally:
            self.in_flight -= 1
            self._slots.give_back(self._outlet.name, in_lane=False)
            self._outlet.changed.notify()

    async def _deliver_in_lane(self, batch: list[QueuedEvent[Of_co]], lane: PartitionLane) -> None:
        try:
            await self._sender.send(batch, lane)
        finally:
            lane.busy = False
            self._slots.give_back(self._outlet.name, in_lane=True)
            self._outlet.changed.notify()
