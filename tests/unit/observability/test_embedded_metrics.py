"""The lines of which CloudWatch makes metrics."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consumer.observability.embedded_metrics import EmbeddedMetrics
from consumer.observability.metrics import Metrics
from consumer.observability.publishing_metrics import PublishingMetrics

COUNTS = {
    "RecordsRead",
    "EventsPublished",
    "DeadLetters",
    "ChangesLost",
    "PublishRequests",
    "PublishErrors",
}


def directive(line: dict[str, Any]) -> dict[str, Any]:
    """As the specification wants it: every metric and dimension is a member of the root."""
    only: dict[str, Any]
    (only,) = line["_aws"]["CloudWatchMetrics"]
    for metric in only["Metrics"]:
        assert isinstance(line[metric["Name"]], int | float)
    for dimension in (name for names in only["Dimensions"] for name in names):
        assert isinstance(line[dimension], str)
    assert len(json.dumps(line)) < 4096
    return only


def test_a_line_has_ages_and_counts_of_one_application() -> None:
    metrics = Metrics()
    metrics.iterator_age_seconds.labels(stream="1").set(70.25)
    metrics.iterator_age_seconds.labels(stream="2").set(3)
    metrics.retention_headroom_seconds.labels(stream="1").set(86329.75)
    metrics.retention_headroom_seconds.labels(stream="2").set(86397)
    metrics.stream_enabled.labels(stream="2").set(1)
    metrics.dead_letters.labels(event_type="order", reason="validation").inc(2)
    metrics.dead_letters.labels(event_type="payment", reason="too_large").inc()
    line = EmbeddedMetrics("relay", "orders", metrics).line(1_790_000_000.5)
    found = directive(line)
    envelope: Any = line["_aws"]
    assert envelope["Timestamp"] == 1_790_000_000_500
    assert (found["Namespace"], found["Dimensions"]) == ("relay", [["Application"]])
    units = {metric["Name"]: metric["Unit"] for metric in found["Metrics"]}
    assert units == dict.fromkeys(COUNTS, "Count") | {
        "IteratorAge": "Seconds",
        "RetentionHeadroom": "Seconds",
        "StreamEnabled": "None",
    }
    assert line["Application"] == "orders"
    assert (line["IteratorAge"], line["RetentionHeadroom"]) == (70.25, 86329.75)
    assert line["DeadLetters"] == 3


def test_counts_are_those_since_the_last_line() -> None:
    metrics = Metrics()
    lines = EmbeddedMetrics("relay", "orders", metrics)
    metrics.records_read.inc(10)
    assert lines.line(0)["RecordsRead"] == 10
    metrics.records_read.inc(4)
    assert lines.line(60)["RecordsRead"] == 4
    assert lines.line(120)["RecordsRead"] == 0


def test_what_an_operator_skips_is_not_lost() -> None:
    metrics = Metrics()
    metrics.gaps.labels(reason="seek").inc()
    lines = EmbeddedMetrics("relay", "orders", metrics)
    assert lines.line(0)["ChangesLost"] == 0
    metrics.gaps.labels(reason="trimmed").inc()
    assert lines.line(60)["ChangesLost"] == 1


def test_errors_are_the_requests_that_failed_for_no_event_of_theirs() -> None:
    metrics = Metrics()
    lines = EmbeddedMetrics("relay", "orders", metrics)
    for outcome in ("http_200", "http_207", "http_400", "http_404", "http_413", "http_422"):
        metrics.publish_duration_seconds.labels(outcome=outcome).observe(0.1)
    first = lines.line(0)
    assert (first["PublishRequests"], first["PublishErrors"]) == (6, 0)
    for outcome in ("http_401", "http_403", "http_429", "http_503", "timeout", "reset"):
        metrics.publish_duration_seconds.labels(outcome=outcome).observe(60)
    second = lines.line(60)
    assert (second["PublishRequests"], second["PublishErrors"]) == (6, 6)
    assert lines.line(120)["PublishErrors"] == 0


def test_any_stopped_event_type_is_one_and_an_unknown_state_is_left_out() -> None:
    metrics = Metrics()
    lines = EmbeddedMetrics("relay", "orders", metrics)
    assert "EventTypeStopped" not in lines.line(0)
    first, second, third = (PublishingMetrics(metrics, name) for name in ("a", "b", "c"))
    for each in (first, second, third):
        each.in_state("publishing")
    assert lines.line(60)["EventTypeStopped"] == 0
    second.in_state("stopped")
    line = lines.line(120)
    assert line["EventTypeStopped"] == 1
    units = {metric["Name"]: metric["Unit"] for metric in directive(line)["Metrics"]}
    assert units["EventTypeStopped"] == "None"


OLD, NEW = "orders/2026-11-01T09:30:00.000", "orders/2026-11-02T10:00:00.000"


@pytest.mark.parametrize(
    ("read", "seen", "told"),
    [
        ([OLD], {OLD: 1}, 1),
        ([OLD], {OLD: 0}, 0),  # disabled, and still read
        ([], {OLD: 0}, 0),  # disabled, and read to its end
        ([OLD, NEW], {OLD: 0, NEW: 1}, 1),  # enabled again: that is a new stream
        ([OLD, NEW], {OLD: 0}, None),  # which a peer has found and looked at
        ([OLD], {}, None),  # a peer has looked
    ],
)
def test_the_newest_stream_of_the_table_is_enabled_or_not(
    read: list[str], seen: dict[str, int], told: int | None
) -> None:
    metrics = Metrics()
    for key in read:
        metrics.iterator_age_seconds.labels(stream=key).set(1)
    for key, enabled in seen.items():
        metrics.stream_enabled.labels(stream=key).set(enabled)
    line = EmbeddedMetrics("relay", "orders", metrics).line(0)
    names = {metric["Name"] for metric in directive(line)["Metrics"]}
    assert line.get("StreamEnabled") == told
    assert ("StreamEnabled" in names) == (told is not None)


def test_an_age_that_nobody_knows_is_left_out() -> None:
    line = EmbeddedMetrics("relay", "orders", Metrics()).line(0)
    assert {metric["Name"] for metric in directive(line)["Metrics"]} == COUNTS
