"""The metrics of one event type, beside those of others."""

from __future__ import annotations

import pytest

from consumer.core.reports.status import EVENT_TYPE_STATES
from consumer.observability.metrics import Metrics
from consumer.observability.publishing_metrics import PublishingMetrics
from tests.unit.observability.test_metrics import exported


def test_each_event_type_counts_for_itself() -> None:
    metrics = Metrics()
    orders, payments = PublishingMetrics(metrics, "orders"), PublishingMetrics(metrics, "payments")
    orders.events_published.inc(2)
    orders.retried("http_503", 7)
    orders.answered("http_503", 7, 0.2)
    value = metrics.registry.get_sample_value
    for event_type, published in (("orders", 2), ("payments", 0)):
        assert value("consumer_events_published_total", {"event_type": event_type}) == published
    retries = {"event_type": "orders", "reason": "http_503"}
    assert value("consumer_publish_retries_total", retries) == 7
    requests = {"event_type": "orders", "outcome": "http_503"}
    assert value("consumer_publish_requests_total", requests) == 1
    assert value("consumer_publish_duration_seconds_count", {"outcome": "http_503"}) == 1
    assert value("consumer_publish_batch_events_sum") == 7
    assert payments is not orders


def test_of_one_event_type_there_is_one_series() -> None:
    metrics = Metrics()
    PublishingMetrics(metrics, "orders").records_taken.inc()
    PublishingMetrics(metrics, "orders").records_taken.inc()
    assert (
        metrics.registry.get_sample_value("consumer_records_taken_total", {"event_type": "orders"})
        == 2
    )


@pytest.mark.parametrize("state", EVENT_TYPE_STATES)
def test_an_event_type_is_in_one_state(state: str) -> None:
    metrics = Metrics()
    shown = PublishingMetrics(metrics, "orders")
    for each in ("stopped", state):
        shown.in_state(each)
    value = metrics.registry.get_sample_value
    labels = [{"event_type": "orders", "state": str(each)} for each in EVENT_TYPE_STATES]
    found = {each["state"]: value("consumer_event_type_state", each) for each in labels}
    assert found == {str(each): float(each == state) for each in EVENT_TYPE_STATES}


def test_histograms_have_no_event_type() -> None:
    metrics = Metrics()
    PublishingMetrics(metrics, "orders").answered("http_200", 1, 0.1)
    names = exported(metrics)
    for name, labels in names.items():
        if name.endswith("_bucket"):
            assert "event_type" not in labels
