"""The exporter's names: dashboards and alerts lean on them."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from consumer import __version__
from consumer.core.shard.gap import GAP_REASONS
from consumer.observability.metrics import Metrics
from consumer.observability.publishing_metrics import PublishingMetrics

APPLICATION = "orders"
PUBLIC = {
    "iterator_age_seconds": {"stream"},
    "retention_headroom_seconds": {"stream"},
    "checkpoint_age_seconds": {"stream"},
    "shard_age_seconds": {"stream", "shard"},
    "records_read_total": set(),
    "records_taken_total": {"event_type"},
    "events_published_total": {"event_type"},
    "dead_letters_total": {"event_type", "reason"},
    "records_skipped_total": {"reason"},
    "metadata_left_out_total": set(),
    "gaps_total": {"reason"},
    "get_records_requests_total": {"outcome"},
    "get_records_bytes_total": {"encoding"},
    "publish_requests_total": {"event_type", "outcome"},
    "publish_duration_seconds_bucket": {"outcome", "le"},
    "publish_batch_events_bucket": {"le"},
    "publish_retries_total": {"event_type", "reason"},
    "publish_unknown_total": {"event_type"},
    "stream_enabled": {"stream"},
    "publish_in_flight": {"event_type"},
    "event_type_state": {"event_type", "state"},
    "leases": {"state"},
    "lease_lost_total": set(),
    "partition_lanes": {"event_type"},
    "queue_events": {"event_type"},
    "unseen_paths": {"event_type"},
    "oldest_event_seconds": {"event_type"},
    "queue_bytes": set(),
    "queue_limit_bytes": set(),
    "hot_keys_total": {"event_type"},
    "lease_writes_total": {"outcome"},
    "shard_failures_total": set(),
    "worker_able": set(),
    "event_loop_lag_seconds": set(),
    "log_lines_dropped_total": set(),
    "clock_ahead_seconds": set(),
    "build_info": {"version", "python"},
}


def exported(metrics: Metrics) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(metrics.scrape().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def touch_everything(metrics: Metrics) -> None:
    for instrument in vars(metrics).values():
        labels = getattr(instrument, "_labelnames", ())
        if labels and not getattr(instrument, "_metrics", None):
            instrument.labels(**dict.fromkeys(labels, "x"))


def test_all_public_names_are_exported_with_their_labels() -> None:
    metrics = Metrics()
    touch_everything(metrics)
    names = exported(metrics)
    assert {name: names.get(f"consumer_{name}") for name in PUBLIC} == PUBLIC
    ours = {name for name in names if not name.startswith("consumer_process_")}
    parts = {
        f"consumer_{name.removesuffix('_bucket')}{part}"
        for name in PUBLIC
        for part in ("_sum", "_count")
    }
    assert ours - parts == {f"consumer_{name}" for name in PUBLIC}, "not documented"


def test_every_series_says_whose_it_is() -> None:
    metrics = Metrics()
    touch_everything(metrics)
    for family in text_string_to_metric_families(metrics.scrape(APPLICATION).decode()):
        assert {sample.labels["application"] for sample in family.samples} == {APPLICATION}
    assert metrics.registry.get_sample_value("consumer_records_read_total") == 0


def test_every_name_has_the_prefix() -> None:
    metrics = Metrics()
    touch_everything(metrics)
    assert [name for name in exported(metrics) if not name.startswith("consumer_")] == []
    assert "consumer_process_resident_memory_bytes" in exported(metrics)
    assert [name for name in exported(metrics) if name.endswith("_created")] == []


def test_two_services_in_one_process_do_not_share_counters() -> None:
    one, other = Metrics(), Metrics()
    one.records_read.inc(3)
    assert other.registry.get_sample_value("consumer_records_read_total") == 0


def test_the_first_dead_letter_and_the_first_gap_are_an_increase() -> None:
    metrics = Metrics()
    PublishingMetrics(metrics, "order")
    value = metrics.registry.get_sample_value
    for reason in ("validation", "rejected", "expired", "attempts_exhausted"):
        labels = {"event_type": "order", "reason": reason}
        assert value("consumer_dead_letters_total", labels) == 0
    for name in ("records_taken", "events_published", "publish_unknown", "hot_keys"):
        assert value(f"consumer_{name}_total", {"event_type": "order"}) == 0
    assert len(GAP_REASONS) == 7
    for reason in GAP_REASONS:
        assert value("consumer_gaps_total", {"reason": reason}) == 0
    by_routes = ("filtered", "unchanged", "outbox_modified")
    for reason in ("already_read", "before_start", "before_seek", *by_routes):
        assert value("consumer_records_skipped_total", {"reason": reason}) == 0


def test_an_age_that_nobody_knows_is_absent() -> None:
    assert "consumer_iterator_age_seconds" not in exported(Metrics())


def test_the_version_is_exported() -> None:
    assert f'version="{__version__}"' in Metrics().scrape().decode()
