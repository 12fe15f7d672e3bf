"""The metrics of publishing to one event type.

Rule: labels are looked up once, so that counting an event costs as much as without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.dead_letters import dead_letter
from consumer.core.reports.status import EVENT_TYPE_STATES

if TYPE_CHECKING:
    from consumer.observability.metrics import Metrics


class PublishingMetrics:
    """The counters and gauges of one event type, at zero until something is counted."""

    def __init__(self, metrics: Metrics, event_type: str) -> None:
        self._metrics = metrics
        self._event_type = event_type
        self._states = {
            str(state): metrics.event_type_state.labels(event_type=event_type, state=state)
            for state in EVENT_TYPE_STATES
        }
        self.records_taken = metrics.records_taken.labels(event_type=event_type)
        self.events_published = metrics.events_published.labels(event_type=event_type)
        self.publish_unknown = metrics.publish_unknown.labels(event_type=event_type)
        self.publish_in_flight = metrics.publish_in_flight.labels(event_type=event_type)
        self.partition_lanes = metrics.partition_lanes.labels(event_type=event_type)
        self.queue_events = metrics.queue_events.labels(event_type=event_type)
        self.oldest_event_seconds = metrics.oldest_event_seconds.labels(event_type=event_type)
        self.unseen_paths = metrics.unseen_paths.labels(event_type=event_type)
        self.hot_keys = metrics.hot_keys.labels(event_type=event_type)
        for reason in dead_letter.REASONS:
            metrics.dead_letters.labels(event_type=event_type, reason=reason)

    def answered(self, outcome: str, events: int, seconds: float) -> None:
        """Count a request of this number of events, and the seconds until its answer."""
        metrics = self._metrics
        metrics.publish_requests.labels(event_type=self._event_type, outcome=outcome).inc()
        metrics.publish_batch_events.observe(events)
        metrics.publish_duration_seconds.labels(outcome=outcome).observe(seconds)

    def retried(self, reason: str, events: int = 1) -> None:
        """Count events that have to be sent again."""
        retries = self._metrics.publish_retries
        retries.labels(event_type=self._event_type, reason=reason).inc(events)

    def in_state(self, state: str) -> None:
        """Show the state that the event type is in, one of `EVENT_TYPE_STATES`."""
        for name, gauge in self._states.items():
            gauge.set(name == state)
