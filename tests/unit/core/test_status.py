"""The shape of `/status` is public."""

from __future__ import annotations

from dataclasses import fields

from consumer.core.status import EventTypeStatus, QueueStatus, ShardStatus, StatusView, StreamStatus


def test_names_and_order_are_the_public_ones() -> None:
    shape = {
        kind: [field.name for field in fields(kind)]
        for kind in (StatusView, StreamStatus, ShardStatus, QueueStatus, EventTypeStatus)
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
        ],
        StreamStatus: ["arn", "view_type"],
        ShardStatus: ["shard_id", "state", "checkpoint", "age_seconds", "pending_events"],
        QueueStatus: ["events", "bytes", "limit_bytes"],
        EventTypeStatus: ["name", "state", "reason"],
    }
