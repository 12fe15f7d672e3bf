"""Lanes: events of a partition that is down, or seems to be, are sent apart from all others.

Nakadi holds the answer to a whole request for 30 s if one partition does not take its part, so
events of such a partition travel in requests of their own: in the partition's lane.

- A 207 in which every event of a partition failed opens a lane for it: one request at a time, after
  a pause with full jitter that doubles with every further failure.
- Nakadi gives the same answer if a partition's part of the request has too many bytes. So a failure
  of several events halves the lane's bytes, and sets `bytes_known` to them. A success doubles the
  bytes while they are less than `bytes_known`, and then raises them by a twentieth (half of that
  after each failure that follows a success). The lane is closed when they are the full batch bytes.
  A failure of a single event shows that its partition is down, and that the bytes were not the
  cause.
- A lane in which nothing was sent for a while is closed, too: it has no events left, or its shards
  have gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.backoff import full_jitter

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.limits import PublishLimits
    from consumer.core.publishing.partition_outcome import PartitionOutcome
    from consumer.core.publishing.placement import Placement

LANES_MAX = 32
"""Most lanes. Further partitions that fail get no lane."""

LANE_SLOTS = 4
"""Most requests in flight of all lanes together. The publish concurrency does not count them."""

PAUSE = 0.5
PAUSE_MAX = 20.0
"""First and longest pause after a failure, in seconds."""

PAUSE_MIN = 0.05
"""Full jitter may give a wait of zero; a lane waits at least this long."""

BYTES_MIN = 1_000
GROWTH = 20

UNUSED_SECONDS = 180.0
RESTED_SECONDS = 10.0
"""A lane in which nothing was sent for this long is closed; the shorter time if it works again."""


class PartitionLane:
    """The lane of one partition.

    `bytes` is the most that a request may carry. `busy` says whether one is in flight.
    """

    __slots__ = (
        *("bytes", "bytes_known", "busy", "failed_at", "failures", "growth"),
        *("name", "not_before", "used_at"),
    )

    def __init__(self, name: str, size: int, now: float) -> None:
        self.name = name
        self.bytes = size
        self.bytes_known = size  # up to this size they may double
        self.growth = GROWTH
        self.failures = 0  # in a row
        self.failed_at = float("-inf")
        self.not_before = now
        self.used_at = now
        self.busy = False

    def unused(self, now: float) -> bool:
        """Return whether it has been at rest for so long that it seems not to be needed."""
        patience = UNUSED_SECONDS if self.failures else RESTED_SECONDS
        return not self.busy and now - max(self.used_at, self.failed_at) > patience


class Lanes:
    """All lanes of one event type. Times are in seconds of the injected clock.

    The answer to a request that was sent before a failure neither ends it nor counts as another.
    """

    def __init__(self, limits: PublishLimits, placement: Placement) -> None:
        self._full = limits.batch_bytes
        self.placement = placement
        self._open: dict[str, PartitionLane] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, name: object) -> bool:
        return name in self._open

    @property
    def down(self) -> list[str]:
        """Partitions whose last request failed."""
        return sorted(lane.name for lane in self._open.values() if lane.failures)

    @property
    def in_flight(self) -> int:
        """The number of requests in flight in all lanes."""
        return sum(lane.busy for lane in self._open.values())

    def of(self, event: QueuedEvent[object]) -> str | None:
        """Return the partition in whose lane an event has to travel, None if there is none."""
        name = self.placement.of(event)
        return name if name in self._open else None

    def failed(self, outcome: PartitionOutcome, sent_at: float, now: float, chance: float) -> bool:
        """Take note that a partition took nothing of its part. Return whether it has a lane now.

        `chance` in [0, 1) spreads the pauses.
        """
        name = outcome.partition
        lane = self._open.get(name)
        news = lane is None
        if lane is None:
            if len(self._open) >= LANES_MAX or not self.placement.steady:
                return False
            lane = self._open[name] = PartitionLane(name, self._full, now)
        if len(outcome.events) > 1:
            lane.growth *= 1 if lane.failures or news else 2
            lane.bytes = lane.bytes_known = max(BYTES_MIN, min(lane.bytes, outcome.size // 2))
        else:
            lane.bytes_known = self._full
        if sent_at >= lane.failed_at:
            lane.failed_at = now
            lane.failures += 1
            wait = full_jitter(lane.failures, PAUSE, PAUSE_MAX, chance)
            lane.not_before = now + max(PAUSE_MIN, wait)
        return True

    def answered(self, name: str, sent_at: float, now: float) -> bool:
        """Take note that a partition took an event. Return whether this closed its lane."""
        lane = self._open.get(name)
        if lane is None or sent_at < lane.failed_at:
            return False
        lane.failures = 0
        lane.not_before = now
        if lane.bytes < lane.bytes_known:
            lane.bytes = min(2 * lane.bytes, lane.bytes_known)
        else:
            lane.bytes += max(1, lane.bytes // lane.growth)
        if lane.bytes < self._full:
            return False
        self._close(name)
        return True

    def next(self, ready: Callable[[str], int]) -> PartitionLane | None:
        """Return the lane that may send next, None if there is none.

        Of those that are not busy and have keys that are `ready`, it is the one with the earliest
        `not_before`, which may be in the future.
        """
        if self.in_flight >= LANE_SLOTS:
            return None
        lanes = [lane for lane in self._open.values() if not lane.busy and ready(lane.name)]
        return min(lanes, key=_turn, default=None)

    def close_unused(self, now: float) -> list[PartitionLane]:
        """Close the lanes in which nothing was sent for a while, and return them."""
        unused = [lane for lane in self._open.values() if lane.unused(now)]
        for lane in unused:
            self._close(lane.name)
        return unused

    def _close(self, name: str) -> None:
        del self._open[name]
        self.placement.forget(name)


def _turn(lane: PartitionLane) -> float:
    return lane.not_before
