"""Flow: how much may be sent to an event type now.

    publishing ──outage──▶ backing off ──probe accepted──▶ publishing, one slot more per success
         │                      │
         └──403, 404, too many dead letters──▶ stopped ──probe accepted──▶ publishing

While backing off, one request at a time is sent, after a pause with full jitter. While stopped, one
event is sent every `probe` seconds; none while the definition is wrong. After each success the
concurrency grows by one, and the batch bytes (halved by a 413) by a fiftieth of their value: at a
lasting limit of any size, about one request in forty is refused. The answer to a request that was
sent before an outage or a stop does not end it.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.core.limits import PublishLimits

PAUSE = 0.2
PAUSE_MAX = 20.0
"""First and longest pause of an outage, in seconds; doubling, full jitter."""

RETRY_AFTER_MAX = 300.0
"""Longest Retry-After that is obeyed, in seconds; a longer one is cut to this."""

DEAD_LETTER_WINDOW = 60.0
"""The dead letter limit counts the refused events of this many seconds."""

DEAD_LETTER_LIMIT = "dead_letter_limit"
"""Reason of a stop for too many refused events."""

DEFINITION = "definition"
"""Reason of a stop because the event type's definition can never take these events.

Nothing is sent until the definition has changed.
"""

POSTPONEMENTS = 10
"""A refused event that was postponed this often may become a dead letter while stopped.

Each time it was postponed for a probe interval. The limit holds for it, too.
"""

BATCH_BYTES_MIN = 1_000
GROWTH = 50


class FlowState(StrEnum):
    """State of an event type as `/status` shows it."""

    PUBLISHING = "publishing"
    BACKING_OFF = "backing_off"
    STOPPED = "stopped"


class Flow:
    """The flow of one event type. All times are in seconds of the injected clock."""

    def __init__(self, limits: PublishLimits) -> None:
        self._limits = limits
        self.state = FlowState.PUBLISHING
        self.reason: str | None = None
        self.allowed = limits.concurrency
        self.batch_bytes = limits.batch_bytes
        self.not_before = 0.0
        self._outages = 0
        self._since = 0.0  # when this outage was last counted, or the stop was decided
        self._refusals: deque[float] = deque()

    @property
    def batch_events(self) -> int:
        """Most events of a request now: one while the event type is stopped."""
        return 1 if self.state is FlowState.STOPPED else self._limits.batch_events

    def answered(self, sent_at: float, *, stored: bool) -> None:
        """Take note of an answer about each event; `stored`: at least one event was stored.

        A stopped event type starts again by a request that was sent after the stop. If it was
        stopped by the dead letter limit, an event of that request must be stored. If Nakadi refused
        all access, any answer about the event is enough.
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
        """Take note that a request failed as a whole.

        Requests that were in flight together count once, but the `retry_after` (seconds) of each is
        obeyed. `chance` in [0, 1) spreads the pauses.
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

    def stop(self, now: float, reason: str) -> None:
        """Stop until the operator acts."""
        self.state = FlowState.STOPPED
        self.reason = reason
        self._since = now
        self.allowed = 1
        self.not_before = inf if reason == DEFINITION else now + self._limits.probe

    def resume(self) -> None:
        """Publish again: the definition has changed."""
        self.state = FlowState.PUBLISHING
        self.reason = None
        self.not_before = 0.0

    def too_large(self, size: int) -> None:
        """Take note that a request of `size` bytes was too large (413): halve the batch bytes."""
        self.batch_bytes = max(BATCH_BYTES_MIN, min(self.batch_bytes, size // 2))

    def refuse(self, now: float, postponed: int = 0) -> bool:
        """Return whether one more event may become a dead letter, and count it if so.

        While stopped it may not, unless it was postponed `POSTPONEMENTS` times.
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
