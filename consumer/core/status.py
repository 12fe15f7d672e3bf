"""What `/status` shows, as values. Field names and their order are the public JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.core.flow import FlowState


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """The stream that is read."""

    arn: str
    view_type: str


@dataclass(frozen=True, slots=True)
class ShardStatus:
    """One shard this worker holds. `age_seconds` is its iterator age, None while unknown."""

    shard_id: str
    state: str
    checkpoint: str
    age_seconds: float | None
    pending_events: int


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
    """The whole answer. `stream` is None until it has been found."""

    worker: str
    application: str
    version: str
    draining: bool
    stream: StreamStatus | None
    shards: tuple[ShardStatus, ...]
    queue: QueueStatus
    event_types: tuple[EventTypeStatus, ...]
