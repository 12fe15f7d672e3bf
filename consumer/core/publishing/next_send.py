"""The decision what an outlet does next: send a batch now, in a lane or in none, or wait.

It is one pure function of what the origin of the events allows (`pause`), the flow of the event
type, its lanes, the ready keys of its queue, and the free slots. The caller sends or waits, and
calls it again.

Lanes come first. While the event type backs off or is stopped, its only request is one that travels
in no lane, if an event is ready for it. A batch that is not full goes at once if no request is in
flight: what comes until the answer goes together in the next one. While there is one, it waits
until its oldest event has been queued for `linger`. So an event that was queued behind others of
its key does not wait again: a key goes on at the pace of the answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.publishing.flow import FlowState
from consumer.core.publishing.lanes import LANE_SLOTS

if TYPE_CHECKING:
    from consumer.core.backlog.queue import KeyOrderedQueue
    from consumer.core.backlog.queued_event import Of_co
    from consumer.core.limits import PublishLimits
    from consumer.core.publishing.flow import Flow
    from consumer.core.publishing.lanes import Lanes, PartitionLane

IDLE_PAUSE = 5.0
"""Longest wait, in seconds; any change ends it early."""


class Send(Struct, frozen=True):
    """Send the next batch now: at most `events` events and `size` bytes. `lane` None: in none."""

    lane: PartitionLane | None
    events: int
    size: int


class Wait(Struct, frozen=True):
    """Wait for `seconds`, or until something changes."""

    seconds: float


def next_send(
    now: float,
    *,
    flow: Flow,
    lanes: Lanes,
    queue: KeyOrderedQueue[Of_co],
    slots: int,
    lane_slots: int = LANE_SLOTS,
    in_flight: int,
    pause: float,
    limits: PublishLimits,
) -> Send | Wait:
    """Decide what to do at `now`. All times are in seconds.

    `in_flight` counts the requests under way that travel in no lane, `slots` the free slots for
    more of them; `lane_slots` is how many the lanes may use. `pause` is the time for which the
    origin of the events allows no request.
    """
    if pause > 0:
        return Wait(min(pause, IDLE_PAUSE))
    lane = _next_lane(flow, lanes, queue) if lanes.in_flight < lane_slots else None
    lane_pause = IDLE_PAUSE if lane is None else _pause_of(now, lane, flow, slots)
    if lane is not None and lane_pause <= 0:
        return Send(lane, flow.batch_events, min(lane.bytes, flow.batch_bytes))
    open_road = _without_lane(now, flow, queue, slots, limits.linger if in_flight else 0.0)
    if isinstance(open_road, Wait):
        return Wait(min(open_road.seconds, lane_pause))
    return open_road


def _next_lane(flow: Flow, lanes: Lanes, queue: KeyOrderedQueue[Of_co]) -> PartitionLane | None:
    if not lanes:
        return None
    if flow.state is not FlowState.PUBLISHING and (queue.ready() or lanes.in_flight):
        return None
    return lanes.next(queue.ready)


def _pause_of(now: float, lane: PartitionLane, flow: Flow, slots: int) -> float:
    pause = lane.not_before - now
    if flow.state is FlowState.PUBLISHING:
        return pause
    return max(flow.not_before - now, pause) if slots > 0 else IDLE_PAUSE


def _without_lane(
    now: float,
    flow: Flow,
    queue: KeyOrderedQueue[Of_co],
    slots: int,
    linger: float,
) -> Send | Wait:
    if slots <= 0:
        return Wait(IDLE_PAUSE)
    if flow.not_before > now:
        return Wait(flow.not_before - now)
    batch = Send(None, flow.batch_events, flow.batch_bytes)
    wake = queue.next_wake()
    if wake is not None and wake <= now:
        return batch
    if not queue.ready():
        return Wait(IDLE_PAUSE if wake is None else min(IDLE_PAUSE, wake - now))
    if queue.ready() >= flow.batch_events or queue.ready_bytes >= flow.batch_bytes:
        return batch
    rest = queue.ready_since + linger - now
    return Wait(rest) if linger and rest > 0 else batch
