"""What the service counts about itself.

Every exported name has the prefix `consumer_`; counters get the suffix `_total`. The attributes of
`Metrics` carry the names without both. Labels are few and bounded: `stream` is `<table>/<label>`,
every `reason`, `outcome` and `state` is a short word chosen by this service, and nothing of an item
ever becomes a label. A shard is named only by `shard_age_seconds`, and only so many of them as the
settings allow. Ages are exported by every worker: a dashboard takes their maximum. Each series also
says whose it is by the label `application`, so that several applications can share a Prometheus.

There is no global registry, so that two services in one process (tests) do not see each other.
"""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from consumer import __version__
from consumer.core.leases.lease import SEEK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

PREFIX = "consumer"

DEAD_LETTER_REASONS = (
    "validation",
    "partitioning",
    "enriching",
    "too_large",
    "reserved_attribute",
    "malformed_record",
    "expired",
    "attempts_exhausted",
    "rejected",
)
SKIP_REASONS = ("already_read", "before_start")
GAP_REASONS = ("trimmed", "possibly_trimmed", "shard_gone", SEEK)

# The default time-out of a request is 40 s: the last finite bucket lies above it.
DURATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
BATCH_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)

# A `_created` series beside every counter doubles what is scraped and says nothing new here.
disable_created_metrics()  # type: ignore[no-untyped-call]


class _OfApplication:
    """A registry's families, each sample with the label `application`."""

    def __init__(self, registry: CollectorRegistry, application: str) -> None:
        self._registry = registry
        self._labels = {"application": application} if application else {}

    def collect(self) -> Iterator[Metric]:
        for family in self._registry.collect():
            family.samples = [
                sample._replace(labels=self._labels | sample.labels) for sample in family.samples
            ]
            yield family


class Metrics:
    """All instruments, registered with `registry` (a new one by default).

    Counters with a closed set of reasons start at zero for each, so that `increase()` sees the
    first dead letter and the first gap.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()
        self._declare_source()
        self._declare_publishing()
        self._declare_leases()
        self._declare_process()
        for reason in DEAD_LETTER_REASONS:
            self.dead_letters.labels(reason=reason)
        for reason in GAP_REASONS:
            self.gaps.labels(reason=reason)
        for reason in SKIP_REASONS:
            self.records_skipped.labels(reason=reason)

    def scrape(self, application: str = "") -> bytes:
        """The exposition in Prometheus' text format 0.0.4."""
        return generate_latest(_OfApplication(self.registry, application))

    def _declare_source(self) -> None:
        self.iterator_age_seconds = self._gauge(
            "iterator_age_seconds",
            "Age of the oldest change not yet settled; true while idle, stuck or unowned.",
            "stream",
        )
        self.retention_headroom_seconds = self._gauge(
            "retention_headroom_seconds",
            "Time left until the oldest unsettled change leaves the stream's 24 hours.",
            "stream",
        )
        self.shard_age_seconds = self._gauge(
            "shard_age_seconds",
            "Iterator age of the oldest shards held here (CONSUMER_METRICS_SHARDS of them).",
            "stream",
            "shard",
        )
        self.checkpoint_age_seconds = self._gauge(
            "checkpoint_age_seconds", "Age of the oldest checkpoint of a held shard.", "stream"
        )
        self.stream_enabled = self._gauge(
            "stream_enabled", "1 while the stream takes new changes, 0 once disabled.", "stream"
        )
        self.records_read = self._counter("records_read", "Stream records read.")
        self.records_skipped = self._counter(
            "records_skipped", "Records that yield no event, or were read before.", "reason"
        )
        self.gaps = self._counter("gaps", "Gap rows created: changes trimmed unread.", "reason")
        self.get_records_requests = self._counter(
            "get_records_requests", "GetRecords calls; each one is billed.", "outcome"
        )
        self.get_records_bytes = self._counter(
            "get_records_bytes", "Bytes of GetRecords bodies on the wire.", "encoding"
        )

    def _declare_publishing(self) -> None:
        self.events_published = self._counter(
            "events_published", "Events that Nakadi said it has stored."
        )
        self.dead_letters = self._counter(
            "dead_letters", "Events the dead letter queue has accepted.", "reason"
        )
        self.publish_duration_seconds = self._histogram(
            "publish_duration_seconds",
            "Time from sending a publishing request to its answer.",
            DURATION_BUCKETS,
            "outcome",
        )
        self.publish_batch_events = self._histogram(
            "publish_batch_events", "Events in a publishing request.", BATCH_BUCKETS
        )
        self.publish_retries = self._counter(
            "publish_retries", "Events that must be sent again.", "reason"
        )
        self.publish_unknown = self._counter(
            "publish_unknown", "Events whose answer was lost: each may become a duplicate."
        )
        self.publish_in_flight = self._gauge("publish_in_flight", "Publishing requests in flight.")
        self.event_type_state = self._gauge(
            "event_type_state", "1 for the state that the event type is in, 0 for others.", "state"
        )
        self.partition_lanes = self._gauge(
            "partition_lanes", "Partitions that took nothing lately; their events travel apart."
        )
        self.queue_events = self._gauge("queue_events", "Events in memory, all shards together.")
        self.queue_bytes = self._gauge("queue_bytes", "Bytes held of the queue's budget.")
        self.queue_limit_bytes = self._gauge("queue_limit_bytes", "The queue's budget.")
        self.hot_keys = self._counter(
            "hot_keys",
            "Ordering keys whose backlog grew older than a minute (CONSUMER_KEY_RUN_EVENTS).",
        )

    def _declare_leases(self) -> None:
        self.leases = self._gauge("leases", "Leases by state, as this worker sees them.", "state")
        self.lease_lost = self._counter("lease_lost", "Leases lost to a fence or another worker.")
        self.lease_writes = self._counter("lease_writes", "Writes to the lease table.", "outcome")
        self.shard_failures = self._counter(
            "shard_failures", "Shard consumers ended by an unexpected error."
        )
        self.worker_able = self._gauge(
            "worker_able", "0 while no held shard can be read from here, so peers take over."
        )
        self.worker_able.set(1)

    def _declare_process(self) -> None:
        self.event_loop_lag_seconds = self._gauge(
            "event_loop_lag_seconds", "How late the event loop ran a timer lately."
        )
        self.build_info = self._gauge("build_info", "Always 1.", "version", "python")
        self.build_info.labels(version=__version__, python=platform.python_version()).set(1)
        ProcessCollector(namespace=PREFIX, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, namespace=PREFIX, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, namespace=PREFIX, registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(
            name, text, labels, namespace=PREFIX, registry=self.registry, buckets=buckets
        )
