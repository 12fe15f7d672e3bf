"""The outcome of a request for each partition: its events, and whether they were stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from consumer.core.backlog.queued_event import bytes_of
from consumer.core.publishing.answer import PublishingStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.publishing.answer import BatchItemResponse


class PartitionOutcome(Struct):
    """The outcome of one partition's part of a request.

    `events` includes aborted ones, which make it neither `stored` nor `failed`.
    """

    partition: str
    events: list[QueuedEvent[object]] = field(default_factory=list)
    stored: bool = False  # at least one
    failed: bool = False  # at least one

    @property
    def refused(self) -> bool:
        """Whether events failed and none was stored."""
        return self.failed and not self.stored

    @property
    def size(self) -> int:
        """Bytes of the events' bodies."""
        return bytes_of(self.events)


def outcomes(
    items: Sequence[BatchItemResponse | None], events: Sequence[QueuedEvent[object]]
) -> list[PartitionOutcome]:
    """Return one outcome for each partition that the answer's items name, in request order."""
    found: dict[str, PartitionOutcome] = {}
    for item, event in zip(items, events, strict=True):
        if item is not None and item.partition is not None:
            outcome = found.setdefault(item.partition, PartitionOutcome(item.partition))
            outcome.events.append(event)
            outcome.stored |= item.status is PublishingStatus.SUBMITTED
            outcome.failed |= item.status is PublishingStatus.FAILED
    return list(found.values())
