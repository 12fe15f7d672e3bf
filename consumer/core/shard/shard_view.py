"""What a shard's consumer shows at one moment: to the plan, probes, gauges and `/status`.

Rule: a view is taken as a whole and does not change; the age of a shard is computed here only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.shard.shard_state import ShardState

if TYPE_CHECKING:
    from consumer.core.failure import Failure
    from consumer.core.leases.checkpoint import Checkpoint
    from consumer.core.leases.lease import Pause

FAILING_AFTER = 3
"""A shard is shown as failing after this many failed calls in a row: a single one is common."""

WAITS = {
    ShardState.FINISHING: "settling",
    ShardState.DRAINING: "settling",
    ShardState.PAUSED: "paused",
}
"""What a shard in one of these states waits for."""


class ShardView(Struct, frozen=True):
    """`held` is true between a successful take of the lease and the end.

    `checkpoint` is how far the shard is settled now; the row may still have an older one, written
    at `checkpoint_at` (wall time; that of the take before the first write). Up to `since` (wall
    time) the shard is known to be settled.

    `pending_events` counts what was read and is not settled. `records_read` counts what was read so
    far, for rates; it may start again at 0. `retrying` is 1 if the oldest event has been tried
    before. `suspended_cause` names what the shard waits for, None if it can read.

    `last_success_at` (clock) is the time of the last page that the stream answered, or of the take,
    None while the shard is not held. Until `cooled_until` (clock) the shard is not to be shed.

    `failure` is that of the calls that fail now, None if they do not; `answered`: the stream has
    answered a request for records of the shard here. `crowded_at` is the sequence number of the
    oldest event of the hot key for which the shard waits, `pause` says who paused it. `behind` are
    the event types that hold the shard back, sorted. `unread_at` is the sequence number of its
    oldest record if that cannot be read, and waits because there are too many such records.
    """

    stream_key: str
    shard_id: str
    state: ShardState
    held: bool
    checkpoint: Checkpoint
    checkpoint_at: float
    since: float
    pending_events: int = 0
    records_read: int = 0
    retrying: int = 0
    suspended_cause: str | None = None
    last_success_at: float | None = None
    cooled_until: float = 0.0
    failure: Failure | None = None
    answered: bool = False
    crowded_at: int | None = None
    pause: Pause | None = None
    behind: tuple[str, ...] = ()
    unread_at: int | None = None

    def age(self, wall: float) -> float:
        """Return the iterator age in seconds."""
        return max(0.0, wall - self.since)


def shown_since(oldest_at: float | None, tip_at: float | None, last_sign: float) -> float:
    """Return the time up to which a shard is known to be settled.

    That is the creation time of its oldest unsettled record, else the time of the last page that
    reached the tip, else the last sign of its reading: what was settled since its lease row was
    written, or what the row shows.
    """
    if oldest_at is not None:
        return oldest_at
    return last_sign if tip_at is None else tip_at


def shown_state(
    state: ShardState, suspended: str | None, failure: Failure | None
) -> tuple[ShardState, str | None]:
    """Return the state to show and the cause the shard waits for, if any.

    `suspended` is what its reader waits for, `failure` that of the calls that fail now. A shard
    that could read but waits is SUSPENDED; one whose calls fail is FAILING. When it is read to its
    end, these calls look for its children.
    """
    failing = failure is not None and failure.count >= FAILING_AFTER
    if failing and state is ShardState.READING and suspended is None:
        return ShardState.FAILING, None
    if failing and state is ShardState.FINISHING:
        return ShardState.FAILING, "children"
    if state is ShardState.READING and suspended is not None:
        return ShardState.SUSPENDED, suspended
    return state, WAITS.get(state, suspended)
