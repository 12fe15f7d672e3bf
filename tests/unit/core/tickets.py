"""Tickets for tests of the heart."""

from __future__ import annotations

from consumer.core.backlog.ticket import Ticket, cost_of
from consumer.core.backlog.watermark import AckWatermark
from consumer.core.event.event import Event, Unbuildable


def watermark(
    value: int | None = None, *, shard_id: str = "s0", record_at: float | None = None
) -> AckWatermark:
    return AckWatermark("arn", shard_id, 7, value, record_at)


def ticket(
    sequence: int,
    key: str = "k",
    *,
    size: int = 10,
    shard: AckWatermark | None = None,
    created_at: float | None = None,
) -> Ticket:
    """A ticket whose event has `size` bytes."""
    made = created_at if created_at is not None else float(sequence)
    return _ticket(Event(sequence, key, "eid", b"x" * size, made), sequence, key, made, shard)


def doomed(sequence: int, key: str = "k", *, shard: AckWatermark | None = None) -> Ticket:
    """A ticket of a record that no event can carry."""
    content = Unbuildable(sequence, key, None, 0.0, "malformed_record", "why", b"{}", None)
    return _ticket(content, sequence, key, 0.0, shard)


def _ticket(
    content: Event | Unbuildable,
    sequence: int,
    key: str,
    created_at: float,
    shard: AckWatermark | None,
) -> Ticket:
    return Ticket(content, sequence, key, created_at, cost_of(content), shard or watermark())
