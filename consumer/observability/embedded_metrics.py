"""What CloudWatch is told, as one log line in the embedded metric format.

CloudWatch Logs makes metrics of a JSON line that has `_aws` at its root, wherever it came from:
neither an agent nor a permission is needed. Source: CloudWatch User Guide, "Specification: Embedded
metric format".

The only dimension is `Application`, so that each metric exists once however many workers write it:
ages are to be read as Maximum, headroom and StreamEnabled as Minimum, counts (of the time since the
last line) as Sum. What is not known yet is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.leases.lease import SEEK

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge

    from consumer.observability.metrics import Metrics

UNITS = {"IteratorAge": "Seconds", "RetentionHeadroom": "Seconds", "StreamEnabled": "None"}
"""CloudWatch's names of units; everything else is a Count."""


class EmbeddedMetrics:
    """Makes the lines of one worker."""

    def __init__(self, namespace: str, application: str, metrics: Metrics) -> None:
        self._namespace = namespace
        self._application = application
        self._metrics = metrics
        self._told: dict[str, float] = {}

    def line(self, wall: float) -> dict[str, object]:
        """The members of the line; `wall` is epoch seconds. Counts begin anew."""
        values = self._ages() | self._stream() | self._counts()
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
        """Whether the table's newest stream is enabled, if this worker has looked at it.

        A worker may have seen the end of an older stream and not yet the new one, which a peer has
        found: its own last word on the old stream is not news. Keys end in the stream's time.
        """
        enabled = _by_stream(self._metrics.stream_enabled)
        known = enabled.keys() | _by_stream(self._metrics.iterator_age_seconds).keys()
        newest = max(known, default="")
        return {"StreamEnabled": enabled[newest]} if newest in enabled else {}

    def _counts(self) -> dict[str, float]:
        totals = {
            "RecordsRead": sum(_values(self._metrics.records_read)),
            "EventsPublished": sum(_values(self._metrics.events_published)),
            "DeadLetters": sum(_values(self._metrics.dead_letters)),
            "ChangesLost": sum(_values(self._metrics.gaps, other_than=SEEK)),
        }
        counts = {name: total - self._told.get(name, 0.0) for name, total in totals.items()}
        self._told = totals
        return counts


def _values(instrument: Counter | Gauge, other_than: str = "") -> list[float]:
    return [
        sample.value
        for family in instrument.collect()
        for sample in family.samples
        if sample.labels.get("reason") != other_than
    ]


def _by_stream(gauge: Gauge) -> dict[str, float]:
    return {
        sample.labels["stream"]: sample.value
        for family in gauge.collect()
        for sample in family.samples
    }
