"""Hot keys: one event of a key travels per round trip, and some keys change faster than that.

Ownership: the origin of the stream's events reports what was accepted. A key is counted and logged,
never named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.backlog.ticket import Ticket
    from consumer.observability.metrics import Metrics
    from consumer.runtime.publishing.outlet import Outlet

log = structlog.get_logger()

HOT_KEY_SECONDS = 60.0
HOT_KEY_EVENTS = 10
"""A key is hot when one of its events waited this long and this many runs stand behind it."""

HOT_KEY_LOG_SECONDS = 60.0


class HotKeys:
    """Looks for keys whose backlog grows old although their events are accepted."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._logged_at = 0.0

    def look(
        self, accepted: Sequence[QueuedEvent[Ticket]], outlet: Outlet[Ticket], now: float
    ) -> None:
        """These were accepted at `now` (injected clock) and have left the queue."""
        behind = HOT_KEY_EVENTS * outlet.limits.key_run_events
        hot = sum(
            1
            for event in accepted
            if now - event.queued_at > HOT_KEY_SECONDS and outlet.queue.pending(event.key) >= behind
        )
        if not hot:
            return
        self._metrics.hot_keys.inc(hot)
        if now - self._logged_at > HOT_KEY_LOG_SECONDS:
            self._logged_at = now
            log.warning(
                "hot_key",
                keys=hot,
                action="one event of a key travels per round trip; "
                "CONSUMER_KEY_RUN_EVENTS above 1 lets hot keys go faster",
            )
