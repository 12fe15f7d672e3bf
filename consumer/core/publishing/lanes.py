"""Lanes: partitions that are down, or seem to be, each on its own until it answers again.

The server holds the answer to a whole request for 30 s when one partition does not take its part,
so events for such a partition travel apart from all others.

- A 207 in which every event of a partition failed opens a lane for it: one request at a time, after
  a pause with full jitter that doubles with every further failure.
- The same answer comes where a partition's part of the request is too many bytes together. So a
  failure of several events halves the lane's bytes. A success doubles them up to what last failed,
  and lets them grow by a twentieth beyond (half of that after each further time that they were too
  many); the lane is closed when they are what they were. A failure of a single event shows that its
  partition is down and its bytes were not too many.
- A lane that nobody uses is closed, too: no events of it are left, or its shards have gone.
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
"""Most lanes; further partitions that fail stay with the others."""

LANE_SLOTS = 4
"""Most requests in flight of all lanes together, beside those of the publish concurrency."""

PAUSE = 0.5
PAUSE_MAX = 20.0
"""First and longest pause after a failure, in seconds."""

PAUSE_MIN = 0.05
"""Full jitter may give a wait of zero; a lane waits at least this long."""

BYTES_MIN = 1_000
GROWTH = 20

UNUSED_SECONDS = 180.0
RESTED_SECONDS = 10.0
"""A lane in which nothing was sent for so long is closed; the shorter time if it works again."""


class PartitionLane:
    """One partition. `bytes` is the most that a request may carry, `busy` while one is out."""

    __slots__ = (
        *("bytes", "bytes_known", "busy", "failed_at", "failures", "growth"),
        *("name", "not_before", "used_at"),
    )

    def __init__(self, name: str, size: int, now: float) -> None:
        self.name = name
        self.bytes = size
        self.bytes_known = size  # up to here they may double
        self.growth = GROWTH
        self.failures = 0  # in a row
        self.failed_at = float("-inf")
        self.not_before = now
        self.used_at = now
        self.busy = False

    def unused(self, now: float) -> bool:
        """Has it been at rest for so long that nobody seems to need it?"""
        patience = UNUSED_SECONDS if self.failures else RESTED_SECONDS
        return not self.busy and now - max(self.used_at, self.failed_at) > patience


class Lanes:
    """All lanes of one event type. Times are of the injected clock, in seconds.

    What was sent before a failure says nothing about its end, and counts as no further one.
    """

    def __init__(self, limits: PublishLimits, placement: Placement) -> None:
        self._full = limits.batch_bytes
        self.placement = placement
        self._open: dict[str, PartitionLane] = {}

    def __len__(self) -> int:
        return len(self._open)

    @property
    def down(self) -> list[str]:
        """Partitions whose last request failed."""
        return sorted(lane.name for lane in self._open.values() if lane.failures)

    @property
    def in_flight(self) -> int:
        """Requests of all lanes."""
        return sum(lane.busy for lane in self._open.values())

    def of(self, event: QueuedEvent[object]) -> str | None:
        """Return the lane in which an event has to travel, None for most."""
        name = self.placement.of(event)
        return name if name in self._open else None

    def failed(self, outcome: PartitionOutcome, sent_at: float, now: float, chance: float) -> bool:
        """A partition took nothing of its part of a request. True if that opened a lane for it.

        `chance` in [0, 1).
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
        return news

    def answered(self, name: str, sent_at: float, now: float) -> bool:
        """The partition took at least one event. True if that closed its lane."""
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
        """The lane that may send first (from its `not_before` on), of those with `ready` keys."""
        if self.in_flight >= LANE_SLOTS:
            return None
        lanes = [lane for lane in self._open.values() if not lane.busy and ready(lane.name)]
        return min(lanes, key=_turn, default=None)

    def close_unused(self, now: float) -> list[PartitionLane]:
        """Close lanes that nobody has used for a while, and return them."""
        unused = [lane for lane in self._open.values() if lane.unused(now)]
        for lane in unused:
            self._close(lane.name)
        return unused

    def _close(self, name: str) -> None:
        del self._open[name]
        self.placement.forget(name)


def _turn(lane: PartitionLane) -> float:
    return lane.not_before
