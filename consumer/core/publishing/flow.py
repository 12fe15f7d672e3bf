"""Flow: how much may be sent to an event type right now.

    publishing ──outage──▶ backing off ──probe accepted──▶ publishing, one slot more per success
         │                      │
         └──403, 404, too many dead letters──▶ stopped ──probe accepted──▶ publishing

While backing off one request at a time goes out, after a pause with full jitter. While stopped one
event goes out every `probe` seconds. Concurrency grows back by one per success, batch bytes (halved
by a 413) by a fiftieth of what they are: a lasting limit is met again by one request in some forty,
whatever its size. What was sent before an outage or a stop says nothing about its end.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.core.limits import PublishLimits

PAUSE = 0.2
PAUSE_MAX = 20.0
"""First and longest pause of an outage, in seconds; doubling, full jitter."""

RETRY_AFTER_MAX = 300.0
"""A longer Retry-After is not believed."""

DEAD_LETTER_WINDOW = 60.0
"""Seconds over which the dead letter limit counts."""

DEAD_LETTER_LIMIT = "dead_letter_limit"
"""Reason of a stop for too many refused events."""

POSTPONEMENTS = 10
"""A refused event put off so often (each time for a probe interval) may pass within the limit."""

BATCH_BYTES_MIN = 1_000
GROWTH = 50


class FlowState(StrEnum):
    """State of an event type as `/status` shows it."""

    PUBLISHING = "publishing"
    BACKING_OFF = "backing_off"
    STOPPED = "stopped"


class Flow:
    """State of one event type. All times are of the injected clock, in seconds."""

    def __init__(self, limits: PublishLimits) -> None:
        self._limits = limits
        self.state = FlowState.PUBLISHING
        self.reason: str | None = None
        self.allowed = limits.concurrency
        self.batch_bytes = limits.batch_bytes
        self.not_before = 0.0
        self._outages = 0
        self._since = 0.0  # when this outage was last counted, or the stop decided
        self._refusals: deque[float] = deque()

    @property
    def batch_events(self) -> int:
        """Most events of a request now: a stopped event type tries one."""
        return 1 if self.state is FlowState.STOPPED else self._limits.batch_events

    def answered(self, sent_at: float, *, stored: bool) -> None:
        """A request sent at `sent_at` was answered event by event; `stored`: at least one of them.

        A stopped event type starts again only by a probe: one that is stored, or, if it was stopped
        at the door, one that is answered about its event at all, for then the door is open.
        """
        if self.state is not FlowState.PUBLISHING and sent_at < self._since:
            return
        stopped = self.state is FlowState.STOPPED and self.reason == DEAD_LETTER_LIMIT
        if stopped and not stored:
            self.not_before = max(self.not_before, sent_at + self._limits.probe)
            return
        self._outages = 0
        self.not_before = 0.0
        if self.state is FlowState.PUBLISHING:
            self.allowed = min(self._limits.concurrency, self.allowed + 1)
            self.batch_bytes = min(
                self._limits.batch_bytes, self.batch_bytes + self.batch_bytes // GROWTH
            )
            return
        self.state = FlowState.PUBLISHING
        self.reason = None

    def outage(
        self, now: float, sent_at: float, reason: str, retry_after: float | None, chance: float
    ) -> None:
        """A request failed as a whole. Requests that were in flight together count once.

        Each one's `retry_after` (seconds) is honoured, though.
        """
        if self.state is FlowState.STOPPED:
            self.not_before = now + self._limits.probe
            return
        self.state = FlowState.BACKING_OFF
        self.reason = reason
        self.allowed = 1
        asked = min(retry_after or 0.0, RETRY_AFTER_MAX)
        self.not_before = max(self.not_before, now + asked)
        if self._outages and sent_at < self._since:
            return
        self._since = now
        ceiling = min(PAUSE_MAX, PAUSE * 2 ** min(self._outages, 10))
        self._outages += 1
        self.not_before = max(self.not_before, now + max(chance * ceiling, PAUSE / 10))

    def stop(self, now: float, reason: str) -> bool:
        """The operator must act. True if that is news."""
        news = self.state is not FlowState.STOPPED or self.reason != reason
        self.state = FlowState.STOPPED
        self.reason = reason
        self._since = now
        self.allowed = 1
        self.not_before = now + self._limits.probe
        return news

    def too_large(self, size: int) -> None:
        """413: `size` bytes were too many."""
        self.batch_bytes = max(BATCH_BYTES_MIN, min(self.batch_bytes, size // 2))

    def refuse(self, now: float, postponed: int = 0) -> bool:
        """May one more event become a dead letter? Counts it if so.

        Not while stopped, unless it was put off so often that nothing else seems to be left.
        """
        if self.state is FlowState.STOPPED and postponed < POSTPONEMENTS:
            return False
        limit = self._limits.dead_letter_limit
        while self._refusals and self._refusals[0] <= now - DEAD_LETTER_WINDOW:
            self._refusals.popleft()
        if limit and len(self._refusals) >= limit:
            return False
        if limit:
            self._refusals.append(now)
        return True
