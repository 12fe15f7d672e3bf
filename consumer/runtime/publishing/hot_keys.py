"""Hot keys: keys that change faster than one event, or one run of events, per round trip.

Ownership: the origin of the stream's events reports accepted events. Their events are
counted. The log has the number of keys, and shard and sequence number of an event, not the keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.backlog.ticket import Ticket
    from consumer.observability.conditions import Conditions
    from consumer.observability.metrics import Metrics
    from consumer.runtime.publishing.outlet import Outlet

HOT_KEY_SECONDS = 60.0
HOT_KEY_EVENTS = 10
"""A key is hot if one of its events waited longer than this, with this many runs behind it."""


class HotKeys:
    """Finds keys whose events wait long although events of these keys are accepted."""

    def __init__(self, metrics: Metrics, conditions: Conditions) -> None:
        self._metrics = metrics
        self._conditions = conditions
        self._found_at: dict[str, float] = {}  # by event type

    def look(
        self, accepted: Sequence[QueuedEvent[Ticket]], outlet: Outlet[Ticket], now: float
    ) -> None:
        """Count the events of hot keys among those accepted at `now`, which have left the queue."""
        behind = HOT_KEY_EVENTS * outlet.limits.key_run_events
        hot = [
            event
            for event in accepted
            if now - event.queued_at > HOT_KEY_SECONDS and outlet.queue.pending(event.key) >= behind
        ]
        if hot:
            self._found_at[outlet.name] = now
            self._metrics.hot_keys.labels(event_type=outlet.name).inc(len(hot))
            ticket = hot[0].of
            self._conditions.example(
                "hot_key",
                {"shard": ticket.tenure.shard_id, "sequence": ticket.sequence},
                event_type=outlet.name,
                keys=len({event.key for event in hot}),
                action="raise CONSUMER_KEY_RUN_EVENTS if these keys may lose their strict order "
                "within a request: it is the most events of a key that a request carries",
            )
        elif now - self._found_at.get(outlet.name, 0.0) > HOT_KEY_SECONDS:
            self._conditions.over("hot_key", event_type=outlet.name)
