"""The shape of `/status` is public."""

from __future__ import annotations

from consumer.core.reports.status import (
    ConditionStatus,
    EventTypeStatus,
    LeaseStatus,
    QueueStatus,
    ShardStatus,
    StatusView,
    StreamStatus,
)
from consumer.core.reports.worker_status import WorkerStatus


def test_names_and_order_are_the_public_ones() -> None:
    shape = {
        kind: [*kind.__struct_fields__]
        for kind in (
            *(StatusView, StreamStatus, ShardStatus, QueueStatus, EventTypeStatus),
            *(LeaseStatus, ConditionStatus, WorkerStatus),
        )
    }
    assert shape == {
        StatusView: [
            "worker",
            "application",
            "version",
            "draining",
            "stream",
            "shards",
            "queue",
            "event_types",
            "live",
            "ready",
            "leases",
            "clock_ahead_seconds",
            "age_seconds",
            "condition",
            "workers",
        ],
        StreamStatus: ["arn", "view_type"],
        ShardStatus: [
            *("shard_id", "state", "checkpoint", "age_seconds", "pending_events"),
            *("stream", "waits_for", "records_per_second"),
            *("reason", "since", "behind"),
        ],
        QueueStatus: ["events", "bytes", "limit_bytes"],
        EventTypeStatus: [
            *("name", "state", "reason", "since", "detail", "flow_id", "action"),
            *("route", "records_taken", "waiting_events", "oldest_event_seconds", "unseen_paths"),
        ],
        ConditionStatus: ["state", "reason", "since", "action"],
        WorkerStatus: [
            *("worker", "state", "reason", "since", "action", "seen_seconds", "draining"),
        ],
        LeaseStatus: [
            *("stream", "shard_id", "parent_shard_id", "state", "owner", "checkpoint"),
            *("age_seconds", "paused", "reason", "since"),
        ],
    }
