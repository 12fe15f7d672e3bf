"""What `/status` shows, as values. Field names and their order are the public JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.publishing.flow import FlowState

if TYPE_CHECKING:
    from consumer.core.reports.worker_status import WorkerStatus


NOTHING_SENT = "nothing_sent"
"""State of an event type before the first request: nobody knows yet whether it can be published."""

EVENT_TYPE_STATES = (NOTHING_SENT, *FlowState)


class StreamStatus(Struct, frozen=True):
    """The stream that is read."""

    arn: str
    view_type: str


class ShardStatus(Struct, frozen=True):
    """One shard that this worker holds. `age_seconds` is its iterator age, None while unknown.

    `waits_for` names what it waits for before it reads on, None if it can read;
    `records_per_second` is how fast it reads. `reason` says more: which calls fail and how often,
    who paused it and why, the sequence number at which a hot key stands, or that
    of the record that cannot be read and holds the shard; `since` (epoch seconds)
    is when that began. `behind` names the event types whose events keep the checkpoint back, while
    those of others are settled beyond it.
    """

    shard_id: str
    state: str
    checkpoint: str
    age_seconds: float | None
    pending_events: int
    stream: str = ""
    waits_for: str | None = None
    records_per_second: float = 0.0
    reason: str | None = None
    since: float | None = None
    behind: tuple[str, ...] = ()


class LeaseStatus(Struct, frozen=True):
    """One lease as this worker last read it, its own and those of others.

    `state` is held (here), foreign (by a peer), failing, free, waiting, finished or unreadable: its
    row (`LeaseState.in_status`). `age_seconds` is None of a shard held here; of a peer's it is by
    the rows, and may be more than that peer's `/status` shows. `reason` and `since` (epoch seconds)
    say who paused it, why, and when.
    """

    stream: str
    shard_id: str
    parent_shard_id: str | None
    state: str
    owner: str | None
    checkpoint: str
    age_seconds: float | None
    paused: bool = False
    reason: str | None = None
    since: float | None = None


class QueueStatus(Struct, frozen=True):
    """Events in memory, all shards together."""

    events: int
    bytes: int
    limit_bytes: int


class EventTypeStatus(Struct, frozen=True):
    """One event type; `reason` says why it is not publishing, in a word.

    `state` is a FlowState, or NOTHING_SENT. `since` (epoch seconds) is when the state began,
    `detail` and `flow_id` are those of the answer that counts, `action` is what to do.

    `route` is the name of its route, None if it is called like the event type. `records_taken`
    counts the records that this worker has made an event of since its start, `waiting_events` those
    events that it has in memory, of all its shards; `oldest_event_seconds` is the age of the oldest
    of their changes, None if there is none. `unseen_paths` are those paths of its route that none
    of the records had which were looked at, a hundred at least.
    """

    name: str
    state: str
    reason: str | None = None
    since: float | None = None
    detail: str | None = None
    flow_id: str | None = None
    action: str | None = None
    route: str | None = None
    records_taken: int = 0
    waiting_events: int = 0
    oldest_event_seconds: float | None = None
    unseen_paths: tuple[str, ...] = ()


class ConditionStatus(Struct, frozen=True):
    """The worst of what is wrong with this worker: a WorkerState, why, since when, what to do."""

    state: str
    reason: str | None
    since: float | None
    action: str


class StatusView(Struct, frozen=True):
    """The whole answer. `stream` is None until it has been found.

    `live` and `ready` are the texts of `/livez` and `/readyz`, `ok` if all is well. The ages do not
    depend on this machine's wall clock; `clock_ahead_seconds` says by how much that is ahead of
    AWS's time, None while not known. `age_seconds` is the age of the oldest shard that this worker
    reads or that nobody is known to read; before the leases were read, the time since the start.
    `condition` is what this worker's row says, `workers` are the rows of all workers as last read.
    """

    worker: str
    application: str
    version: str
    draining: bool
    stream: StreamStatus | None
    shards: tuple[ShardStatus, ...]
    queue: QueueStatus
    event_types: tuple[EventTypeStatus, ...]
    live: str = "ok"
    ready: str = "ok"
    leases: tuple[LeaseStatus, ...] = ()
    clock_ahead_seconds: float | None = None
    age_seconds: float | None = None
    condition: ConditionStatus | None = None
    workers: tuple[WorkerStatus, ...] = ()
