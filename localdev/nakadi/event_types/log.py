"""What was stored: one list per partition, and one order over all of an event type."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CURSOR_EPOCH = "001-0001"
OFFSET_DIGITS = 18


def padded(offset: int) -> str:
    """Return an offset's digits; -1, which stands before the first event, gets no zeros."""
    return str(offset) if offset < 0 else str(offset).zfill(OFFSET_DIGITS)


def offset_text(offset: int) -> str:
    """Return an offset as Nakadi writes it in cursors."""
    return f"{CURSOR_EPOCH}-{padded(offset)}"


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event in the log.

    `index` counts arrivals within the event type from 0, `offset` within the partition from 0.
    `text` is the event exactly as it was sent. `key` and `sequence` are what the event type's
    ordering fields name, the latter what the last of `ordering_key_fields` names. `request` is the
    number of the request that brought it. A tombstone is a deletion on a compacted event type;
    readers never see it.
    """

    index: int
    partition: str
    offset: int
    eid: str
    data_op: str
    key: str
    sequence: str
    request: int
    flow_id: str
    received_at: str
    version: str
    text: str
    tombstone: bool

    def facts(self) -> dict[str, str | int | bool]:
        """Return everything that can be asked for by name, `event` being the text."""
        return {
            "index": self.index,
            "partition": self.partition,
            "offset": self.offset,
            "eid": self.eid,
            "data_op": self.data_op,
            "key": self.key,
            "sequence": self.sequence,
            "request": self.request,
            "flow_id": self.flow_id,
            "received_at": self.received_at,
            "tombstone": self.tombstone,
            "event": self.text,
        }


@dataclass(slots=True)
class EventLog:
    """The events of one event type, in the order in which they were stored."""

    partitions: dict[str, list[StoredEvent]]
    arrivals: list[StoredEvent] = field(default_factory=list)

    def append(self, event: StoredEvent) -> None:
        """Store an event that was made with `next_index` and `next_offset`."""
        self.arrivals.append(event)
        self.partitions[event.partition].append(event)

    @property
    def next_index(self) -> int:
        """The index of the next event to arrive."""
        return len(self.arrivals)

    def next_offset(self, partition: str) -> int:
        """Return the offset of the next event in a partition."""
        return len(self.partitions[partition])

    def after(self, partition: str, offset: int, limit: int) -> Iterator[StoredEvent]:
        """Yield what follows an offset, tombstones included, at most `limit` events."""
        yield from self.partitions[partition][offset + 1 : offset + 1 + limit]
