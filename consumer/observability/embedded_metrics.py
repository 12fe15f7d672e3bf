"""Metrics for CloudWatch, as one log line in the embedded metric format.

CloudWatch Logs makes metrics of every JSON line that has `_aws` at its root, so neither an agent
nor a permission is needed. Source: CloudWatch User Guide, "Specification: Embedded metric format".

The only dimension is `Application`, so that each metric exists once for any number of workers and
event types. Read ages and EventTypeStopped as Maximum, headroom and StreamEnabled as Minimum, and
counts (since the last line) as Sum. A value that is not known yet is omitted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consumer.core.leases.lease import SEEK

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge, Histogram

    from consumer.observability.metrics import Metrics

UNITS = {
    "IteratorAge": "Seconds",
    "RetentionHeadroom": "Seconds",
    "StreamEnabled": "None",
    "EventTypeStopped": "None",
}
"""Units by CloudWatch's names; every other metric is a Count."""

_NO_ERROR = re.compile(r"http_(2..|400|404|413|422)")
"""Outcomes that concern the events of a request, or stop the event type (404)."""


class EmbeddedMetrics:
    """The source of the lines of one worker."""

    def __init__(self, namespace: str, application: str, metrics: Metrics) -> None:
        self._namespace = namespace
        self._application = application
        self._metrics = metrics
        self._last_totals: dict[str, float] = {}

    def line(self, wall: float, **more: float) -> dict[str, object]:
        """Return the members of a line. `wall` is the time in epoch seconds.

        Counts are those since the last call. `more` are values that only the caller knows.
        """
        values = self._ages() | self._stream() | self._stopped() | self._counts() | more
        units = [{"Name": name, "Unit": UNITS.get(name, "Count")} for name in values]
        directive = {
            "Namespace": self._namespace,
            "Dimensions": [["Application"]],
            "Metrics": units,
        }
        return {
            "_aws": {"Timestamp": int(wall * 1000), "CloudWatchMetrics": [directive]},
            "Application": self._application,
            **values,
        }

    def _ages(self) -> dict[str, float]:
        ages = _values(self._metrics.iterator_age_seconds)
        headrooms = _values(self._metrics.retention_headroom_seconds)
        if not ages or not headrooms:
            return {}
        return {
            "IteratorAge": round(max(ages), 3),
            "RetentionHeadroom": round(min(headrooms), 3),
        }

    def _stream(self) -> dict[str, float]:
        """Return whether the table's newest stream is enabled; empty if that is not known.

        A worker that has seen the end of an old stream may not have asked about the newest one,
        which a peer has found: the old stream must not be reported then. Stream keys end in the
        time of creation, so the newest one is the greatest.
        """
        enabled = _by_label(self._metrics.stream_enabled, "stream")
        known = enabled.keys() | _by_label(self._metrics.iterator_age_seconds, "stream").keys()
        newest = max(known, default="")
        return {"StreamEnabled": enabled[newest]} if newest in enabled else {}

    def _stopped(self) -> dict[str, float]:
        """Return whether any event type is stopped; empty if no state is known yet."""
        stopped = [
            sample.value
            for family in self._metrics.event_type_state.collect()
            for sample in family.samples
            if sample.labels["state"] == "stopped"
        ]
        return {"EventTypeStopped": max(stopped)} if stopped else {}

    def _counts(self) -> dict[str, float]:
        requests = _by_outcome(self._metrics.publish_duration_seconds)
        totals = {
            "RecordsRead": sum(_values(self._metrics.records_read)),
            "EventsPublished": sum(_values(self._metrics.events_published)),
            "DeadLetters": sum(_values(self._metrics.dead_letters)),
            "ChangesLost": sum(_values(self._metrics.gaps, other_than=SEEK)),
            "PublishRequests": sum(requests.values()),
            "PublishErrors": sum(
                count for outcome, count in requests.items() if not _NO_ERROR.fullmatch(outcome)
            ),
        }
        counts = {name: total - self._last_totals.get(name, 0.0) for name, total in totals.items()}
        self._last_totals = totals
        return counts


def _values(instrument: Counter | Gauge, other_than: str = "") -> list[float]:
    return [
        sample.value
        for family in instrument.collect()
        for sample in family.samples
        if sample.labels.get("reason") != other_than
    ]


def _by_label(gauge: Gauge, label: str) -> dict[str, float]:
    return {
        sample.labels[label]: sample.value
        for family in gauge.collect()
        for sample in family.samples
    }


def _by_outcome(histogram: Histogram) -> dict[str, float]:
    return {
        sample.labels["outcome"]: sample.value
        for family in histogram.collect()
        for sample in family.samples
        if sample.name.endswith("_count")
    }
