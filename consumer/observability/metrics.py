"""The metrics of the service.

Every exported name has the prefix `consumer_`; counters get the suffix `_total`. The attributes of
`Metrics` have the names without both. Labels are few and bounded: `stream` is `<table>/<label>`,
every `reason`, `outcome` and `state` is a short word chosen by this service, and no part of an item
becomes a label. Only `shard_age_seconds` names shards, at most as many as the settings allow. Every
worker exports ages: a dashboard takes their maximum. Counters and gauges of publishing have the
label `event_type`: a query sums over it, or takes the maximum. Histograms do not have it, because
each of their series would exist a dozen times an event type. Each series has the label
`application`, so that several applications can share a Prometheus.

No global registry is used, so that two services in one process (in tests) are independent.
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
from consumer.core.shard.cursor import SKIP_REASONS
from consumer.core.shard.gap import GAP_REASONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

PREFIX = "consumer"
EVENT_TYPE = "event_type"
"""The label that names an event type."""

# The last finite bucket lies above the default timeout of a request, which is 40 s.
DURATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
BATCH_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)

# A `_created` series for every counter would double the output and add nothing useful.
disable_created_metrics()  # type: ignore[no-untyped-call]


class _WithApplication:
    """The metric families of a registry, with the label `application` added to each sample."""

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
    """All metrics, in a registry of their own.

    Counters with a fixed set of reasons start at zero for each of them, so that `increase()` sees
    the first gap; those of an event type do as soon as there are its `PublishingMetrics`.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._declare_source()
        self._declare_publishing()
        self._declare_leases()
        self._declare_process()
        for reason in GAP_REASONS:
            self.gaps.labels(reason=reason)
        for reason in SKIP_REASONS:
            self.records_skipped.labels(reason=reason)

    def scrape(self, application: str = "") -> bytes:
        """Return all metrics in Prometheus' text format 0.0.4, with the label if one is given."""
        return generate_latest(_WithApplication(self.registry, application))

    def _declare_source(self) -> None:
        self.iterator_age_seconds = self._gauge(
            "iterator_age_seconds",
            "Age of the oldest unsettled change, also of idle, stuck and unowned shards.",
            "stream",
        )
        self.retention_headroom_seconds = self._gauge(
            "retention_headroom_seconds",
            "Time until the stream deletes the oldest unsettled change, 24 hours after its write.",
            "stream",
        )
        self.shard_age_seconds = self._gauge(
            "shard_age_seconds",
            "Age of the oldest unsettled change, for the CONSUMER_METRICS_SHARDS oldest shards.",
            "stream",
            "shard",
        )
        self.checkpoint_age_seconds = self._gauge(
            "checkpoint_age_seconds", "Age of the oldest checkpoint of a held shard.", "stream"
        )
        self.stream_enabled = self._gauge(
            "stream_enabled",
            "1 while the newest stream is enabled, 0 when it is disabled or cannot be read.",
            "stream",
        )
        self.records_read = self._counter("records_read", "Stream records read.")
        self.records_skipped = self._counter(
            "records_skipped",
            "Records skipped: read before, older than a start or a seek, or published by no route.",
            "reason",
        )
        self.metadata_left_out = self._counter(
            "metadata_left_out",
            "Attributes' values left out of events' metadata because Nakadi would refuse them.",
        )
        self.gaps = self._counter(
            "gaps",
            "Gap rows created: changes lost unread, passed by, or skipped by a seek.",
            "reason",
        )
        self.get_records_requests = self._counter(
            "get_records_requests", "GetRecords calls; AWS bills for each one.", "outcome"
        )
        self.get_records_bytes = self._counter(
            "get_records_bytes", "Bytes of GetRecords bodies as received.", "encoding"
        )

    def _declare_publishing(self) -> None:
        self.records_taken = self._counter(
            "records_taken", "Stream records of which an event was made.", EVENT_TYPE
        )
        self.events_published = self._counter(
            "events_published", "Events that Nakadi has confirmed as stored.", EVENT_TYPE
        )
        self.dead_letters = self._counter(
            "dead_letters",
            "Dead letters that the dead letter queue has accepted.",
            EVENT_TYPE,
            "reason",
        )
        self.publish_requests = self._counter(
            "publish_requests", "Publishing requests, by their answer.", EVENT_TYPE, "outcome"
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
            "publish_retries", "Events that have to be sent again.", EVENT_TYPE, "reason"
        )
        self.publish_unknown = self._counter(
            "publish_unknown",
            "Events sent without an answer: each may become a duplicate.",
            EVENT_TYPE,
        )
        self.publish_in_flight = self._gauge(
            "publish_in_flight", "Publishing requests in flight.", EVENT_TYPE
        )
        self.event_type_state = self._gauge(
            "event_type_state",
            "1 for the event type's state, 0 for the other states.",
            EVENT_TYPE,
            "state",
        )
        self.partition_lanes = self._gauge(
            "partition_lanes",
            "Partitions that are down; their events are sent separately.",
            EVENT_TYPE,
        )
        self.queue_events = self._gauge(
            "queue_events", "Events in memory, of all shards together.", EVENT_TYPE
        )
        self.oldest_event_seconds = self._gauge(
            "oldest_event_seconds",
            "Age of the oldest change of which an event is in memory, 0 if there is none.",
            EVENT_TYPE,
        )
        self.queue_bytes = self._gauge("queue_bytes", "Bytes in use of CONSUMER_QUEUE_BYTES.")
        self.queue_limit_bytes = self._gauge(
            "queue_limit_bytes", "The value of CONSUMER_QUEUE_BYTES."
        )
        self.unseen_paths = self._gauge(
            "unseen_paths",
            "Paths that a route names and that no record had of those looked at; /status has them.",
            EVENT_TYPE,
        )
        self.hot_keys = self._counter(
            "hot_keys",
            "Events stored after more than a minute, with ten runs of their key still behind them.",
            EVENT_TYPE,
        )

    def _declare_leases(self) -> None:
        self.leases = self._gauge("leases", "Leases by state, as this worker sees them.", "state")
        self.lease_lost = self._counter("lease_lost", "Leases lost to the fence or a peer.")
        self.lease_writes = self._counter("lease_writes", "Writes to the lease table.", "outcome")
        self.shard_failures = self._counter(
            "shard_failures", "Shard consumers ended by an unexpected error."
        )
        self.worker_able = self._gauge(
            "worker_able", "0 while this worker cannot read any shard, so that peers take over."
        )
        self.worker_able.set(1)

    def _declare_process(self) -> None:
        self.event_loop_lag_seconds = self._gauge(
            "event_loop_lag_seconds", "Delay of the event loop's last one-second timer."
        )
        self.log_lines_dropped = self._counter(
            "log_lines_dropped", "Lines of the log that nobody took: a full pipe, a full disk."
        )
        self.clock_ahead_seconds = self._gauge(
            "clock_ahead_seconds",
            "By how much the wall clock is ahead of AWS's time (negative: behind); ages are true.",
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
