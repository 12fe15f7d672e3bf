"""Cursor: where in a shard the reader stands, and what it passes over.

Rules
- A numeric position is reopened after the last sequence number *read*, not the last one settled.
- A lease at LATEST is opened with the iterator that the bootstrap stored; iterators may be used
  again while they live. In every other case (expired after 15 minutes, found later) the shard is
  read from TRIM_HORIZON and what is older than the stream's start is skipped.
- After a restart at TRIM_HORIZON, what was read before is skipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.core.leases.checkpoint import LATEST, sequence_of
from consumer.core.stream.stream import AfterSequence, AtTrimHorizon

if TYPE_CHECKING:
    from consumer.core.leases.lease import Lease
    from consumer.core.stream.stream import Position

MINUTE = 60.0
"""DynamoDB Local floors creation times to the minute, the service to the second."""


@dataclass(slots=True)
class Cursor:
    """`last_read` is the newest sequence number seen, `iterator` the next page's if known.

    `last_read_at` is that record's creation time in epoch seconds.
    """

    last_read: int | None
    iterator: str | None
    skip_before: float | None
    skip_through: int | None = None
    last_read_at: float | None = None
    skip_reason: str = "before_start"

    @classmethod
    def of(cls, lease: Lease, started_at: float | None) -> Cursor:
        """Where a worker that has just taken this lease begins. A seek overrules the start.

        `started_at` is the stream's start in epoch seconds, None if it started at TRIM_HORIZON.
        """
        since = started_at if lease.skip_before is None else lease.skip_before
        return cls(
            last_read=sequence_of(lease.checkpoint),
            iterator=lease.start_iterator if lease.checkpoint == LATEST else None,
            skip_before=None if since is None else since - since % MINUTE,
            skip_reason="before_start" if lease.skip_before is None else "before_seek",
            last_read_at=lease.record_at,
        )

    @property
    def position(self) -> Position:
        """What to ask an iterator for when there is none."""
        if self.last_read is None or self.skip_through is not None:
            return AtTrimHorizon()
        return AfterSequence(self.last_read)

    def restart(self) -> None:
        """The position is trimmed: begin again at what the shard still holds."""
        self.iterator = None
        self.skip_through = self.last_read

    def read(self, sequence: int, created_at: float) -> str | None:
        """Note a record as read. Returns why it is skipped, None if it is to be published."""
        if self.skip_through is not None:
            if sequence <= self.skip_through:
                return "already_read"
            self.skip_through = None
        self.last_read = sequence
        self.last_read_at = created_at
        if self.skip_before is not None and created_at < self.skip_before:
            return self.skip_reason
        return None
