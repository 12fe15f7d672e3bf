"""What `/status` shows, as values. Field names and their order are the public JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.core.publishing.flow import FlowState


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """The stream that is read."""

    arn: str
    view_type: str


@dataclass(frozen=True, slots=True)
class ShardStatus:
    """One shard that this worker holds. `age_seconds` is its iterator age, None while unknown.

    `waits_for` names what it waits for before it reads on, None if it can read;
    `records_per_second` is how fast it reads.
    """

    shard_id: str
    state: str
    checkpoint: str
    age_seconds: float | None
    pending_events: int
    stream: str = ""
    waits_for: str | None = None
    records_per_second: float = 0.0


@dataclass(frozen=True, slots=True)
class LeaseStatus:
    """One lease as this worker last read it, its own and those of others.

    `state` is held (here), foreign (by a peer), free, waiting, finished or unreadable: its row
    (`LeaseState.in_status`). `age_seconds` is None if a worker is known to read the shard: that
    worker's `/status` shows the age.
    """

    stream: str
    shard_id: str
    parent_shard_id: str | None
    state: str
    owner: str | None
    checkpoint: str
    age_seconds: float | None
    paused: bool = False


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """Events in memory, all shards together."""

    events: int
    bytes: int
    limit_bytes: int


@dataclass(frozen=True, slots=True)
class EventTypeStatus:
    """One event type; `reason` says why it is not publishing."""

    name: str
    state: FlowState
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class StatusView:
    """The whole answer. `stream` is None until it has been found.

    `live` and `ready` are the texts of `/livez` and `/readyz`, `ok` if all is well. The ages do not
    depend on this machine's wall clock; `clock_ahead_seconds` says by how much that is ahead of
    AWS's time, None while not known.
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
