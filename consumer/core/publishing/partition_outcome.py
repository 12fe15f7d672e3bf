"""Shares: what a request held for each partition, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consumer.core.backlog.ticket import bytes_of
from consumer.core.publishing.answer import PublishingStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.ticket import Ticket
    from consumer.core.publishing.answer import BatchItemResponse


@dataclass(slots=True)
class Share:
    """One partition's part of a request; aborted events belong to it, but say nothing."""

    partition: str
    tickets: list[Ticket] = field(default_factory=list)
    stored: bool = False  # at least one
    failed: bool = False  # at least one

    @property
    def refused(self) -> bool:
        """Did the partition take nothing?"""
        return self.failed and not self.stored

    @property
    def size(self) -> int:
        """Bytes of the events."""
        return bytes_of(self.tickets)


def shares(items: Sequence[BatchItemResponse], tickets: Sequence[Ticket]) -> list[Share]:
    """Of the answer's items, in request order; those that name no partition are left out."""
    found: dict[str, Share] = {}
    for item, ticket in zip(items, tickets, strict=True):
        if item.partition is not None:
            share = found.setdefault(item.partition, Share(item.partition))
            share.tickets.append(ticket)
            share.stored |= item.status is PublishingStatus.SUBMITTED
            share.failed |= item.status is PublishingStatus.FAILED
    return list(found.values())
