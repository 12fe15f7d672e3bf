"""The rows of `/status`, from what a worker knows of its shards and of all leases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.reports.status import ConditionStatus, LeaseStatus, ShardStatus
from consumer.core.shard.shard_state import ShardState

if TYPE_CHECKING:
    from consumer.core.leases.lease import Pause
    from consumer.core.reports.condition import Condition
    from consumer.core.reports.lease_view import LeaseView
    from consumer.core.reports.rate import Rate
    from consumer.core.shard.shard_view import ShardView


def shard_status(shard: ShardView, rate: Rate | None, wall: float) -> ShardStatus:
    """Return the row of a shard that this worker holds. `wall` is in epoch seconds."""
    reason, since = _reason(shard)
    return ShardStatus(
        shard.shard_id,
        shard.state.value,
        shard.checkpoint,
        round(shard.age(wall), 3),
        shard.pending_events,
        shard.stream_key,
        shard.suspended_cause,
        0.0 if rate is None else round(rate.per_second, 1),
        reason,
        since,
        shard.behind,
    )


def _reason(shard: ShardView) -> tuple[str | None, float | None]:
    """Return why the shard is in its state, and since when, where there is more to say of it."""
    if shard.state is ShardState.FAILING and shard.failure is not None:
        return shard.failure.words, shard.failure.since
    if shard.state is ShardState.PAUSED:
        return _paused(shard.pause)
    if shard.suspended_cause == "hot_key" and shard.crowded_at is not None:
        return f"the oldest event of the key is that of sequence {shard.crowded_at}", None
    if shard.unread_at is not None:
        return (
            f"too many records cannot be read; the oldest is that of sequence {shard.unread_at}",
            None,
        )
    return None, None


def _paused(pause: Pause | None) -> tuple[str | None, float | None]:
    return (None, None) if pause is None else (f"paused {pause.words}", pause.at)


def lease_status(seen: LeaseView, wall: float) -> LeaseStatus:
    """Return the row of a lease. `wall` is in epoch seconds."""
    lease, age = seen.lease, seen.told_age(wall)
    reason, since = _paused(lease.pause)
    return LeaseStatus(
        seen.stream_key,
        lease.shard_id,
        lease.parent_shard_id,
        seen.state.in_status,
        lease.owner,
        lease.checkpoint,
        None if age is None else round(age, 3),
        lease.paused,
        reason,
        since,
    )


def condition_status(condition: Condition) -> ConditionStatus:
    """Return what `/status` says of a worker's condition."""
    return ConditionStatus(
        condition.state.value, condition.reason, condition.since, condition.action
    )
