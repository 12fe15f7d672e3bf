"""Tickets and queued events for tests of the heart."""

from __future__ import annotations

from consumer.core.backlog.queued_event import QueuedEvent
from consumer.core.backlog.tenure import Tenure
from consumer.core.backlog.ticket import Ticket
from consumer.core.backlog.watermark import AckWatermark
from consumer.core.event.event import Event, Unbuildable

Queued = QueuedEvent[Ticket]


def watermark(
    value: int | None = None, *, shard_id: str = "s0", record_at: float | None = None
) -> AckWatermark:
    return AckWatermark(Tenure("arn", shard_id, 7), value, record_at)


def ticket(
    sequence: int,
    key: str = "k",
    *,
    size: int = 10,
    shard: AckWatermark | None = None,
    created_at: float | None = None,
) -> Ticket:
    """A ticket of one event with `size` bytes."""
    return event(sequence, key, size=size, shard=shard, created_at=created_at).of


def event(
    sequence: int,
    key: str = "k",
    *,
    size: int = 10,
    shard: AckWatermark | None = None,
    created_at: float | None = None,
) -> Queued:
    """The only event of its ticket, with `size` bytes."""
    made = created_at if created_at is not None else float(sequence)
    return _queued(Event(sequence, key, "eid", b"x" * size, made), sequence, key, made, shard)


def unpublishable(sequence: int, key: str = "k", *, shard: AckWatermark | None = None) -> Queued:
    """An event of a record that no event can carry."""
    content = Unbuildable(sequence, key, None, "malformed_record", "why", b"{}", None)
    return _queued(content, sequence, key, 0.0, shard)


def _queued(
    content: Event | Unbuildable,
    sequence: int,
    key: str,
    created_at: float,
    shard: AckWatermark | None,
) -> Queued:
    of = Ticket(sequence, created_at, (shard or watermark()).tenure)
    made = QueuedEvent(of, content, "order", key, created_at)
    of.carry((made,))
    return made
