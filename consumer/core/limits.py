"""Limits within which the runtime works, in seconds, bytes and counts.

The defaults are those of the settings.
"""

from __future__ import annotations

from math import inf

from msgspec import Struct

MARGIN_SECONDS = 2.0
"""A worker stops sending this long before its peers may judge it dead."""


class LeaseTiming(Struct, frozen=True):
    """How often workers prove that they live and look at each other. All fields are seconds."""

    heartbeat: float = 2.0
    lease_duration: float = 10.0
    margin: float = MARGIN_SECONDS
    scan: float = 2.0
    discovery: float = 60.0
    checkpoint: float = 5.0
    drain: float = 25.0


class PollTiming(Struct, frozen=True):
    """Seconds between two GetRecords calls for a shard. Each call costs money.

    `tip` is the shortest pause at the tip of a shard, `idle` the shortest after an empty page,
    `idle_max` the longest of all.
    """

    tip: float = 0.25
    idle: float = 0.25
    idle_max: float = 2.0


class PublishLimits(Struct, frozen=True):
    """How much is sent to Nakadi at a time, and how often an event is tried."""

    batch_events: int = 500
    batch_bytes: int = 900_000
    key_run_events: int = 1
    linger: float = 0.02
    concurrency: int = 8
    probe: float = 30.0
    max_attempts: int = 100
    dead_letter_limit: int = 100
    max_record_age: float | None = None

    def expired_before(self, wall: float) -> float:
        """Return the time (epoch seconds) before which changes have expired at `wall`."""
        return -inf if self.max_record_age is None else wall - self.max_record_age

    def hot_key_limit(self, round_trip: float, seconds: float) -> float:
        """Return how many events of one key can be published in `seconds`; at least one."""
        return max(1.0, seconds * self.key_run_events / max(round_trip, 0.001))
