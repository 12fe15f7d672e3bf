"""Cursor: the reader's position in a shard, and which records it skips.

Rules
- An iterator is opened after the last sequence number *read*, not after the last one settled.
- A lease at LATEST is opened with the iterator that the bootstrap stored, again if a later one was
  refused before anything was read: an iterator may be used again until it expires. In every other
  case (expired after 15 minutes, refused, found later) the shard is read from TRIM_HORIZON, and
  records older than the stream's start are skipped.
- After a restart at TRIM_HORIZON, records that were read before are skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct

from consumer.core.event.event import Withheld
from consumer.core.leases.checkpoint import LATEST, sequence_of
from consumer.core.stream.stream import AfterSequence, AtTrimHorizon

if TYPE_CHECKING:
    from collections.abc import Collection

    from consumer.core.leases.lease import Lease
    from consumer.core.stream.stream import Position

MINUTE = 60.0
"""DynamoDB Local rounds creation times down to the minute, the service to the second."""

ALREADY_READ: Final = "already_read"
BEFORE_START: Final = "before_start"
BEFORE_SEEK: Final = "before_seek"
FILTERED: Final = "filtered"
UNCHANGED: Final = "unchanged"
OUTBOX_MODIFIED: Final = "outbox_modified"
ALREADY_SETTLED: Final = "already_settled"
"""The event types that are behind take nothing of the record, and the others have had theirs."""

SKIP_REASONS: Final = (
    *(ALREADY_READ, BEFORE_START, BEFORE_SEEK),
    *(FILTERED, UNCHANGED, OUTBOX_MODIFIED, ALREADY_SETTLED),  # said by routes
)
"""All reasons why a record is not published."""


def skip_reason(withheld: Collection[Withheld]) -> str:
    """Return why a record is not published, from what the routes say that take it.

    That a business event's item has gone is as it should be: it counts as taken by none.
    """
    if Withheld.OUTBOX_MODIFIED in withheld:
        return OUTBOX_MODIFIED
    return UNCHANGED if Withheld.UNCHANGED in withheld else FILTERED


class Place(NamedTuple):
    """What a cursor knows of the records that it has read."""

    last_read: int | None
    last_read_at: float | None
    skip_through: int | None


class Cursor(Struct):
    """`last_read` is the newest sequence number read, `iterator` that of the next page if known.

    `last_read_at` is the creation time of that record. Records created before `skip_before` (both
    in epoch seconds) are skipped for `skip_reason`, those up to `skip_through` as read already.
    `stored` is the iterator in the row of a lease at LATEST, None once it is of no use.
    """

    last_read: int | None
    iterator: str | None
    skip_before: float | None
    skip_through: int | None = None
    last_read_at: float | None = None
    skip_reason: str = BEFORE_START
    stored: str | None = None

    @classmethod
    def of(cls, lease: Lease, started_at: float | None) -> Cursor:
        """Return the cursor for a lease that was just taken. A seek overrules the stream's start.

        `started_at` is the stream's start in epoch seconds, None if it started at TRIM_HORIZON.
        """
        since = started_at if lease.skip_before is None else lease.skip_before
        stored = lease.start_iterator if lease.checkpoint == LATEST else None
        return cls(
            last_read=sequence_of(lease.checkpoint),
            iterator=stored,
            skip_before=None if since is None else since - since % MINUTE,
            skip_reason=BEFORE_START if lease.skip_before is None else BEFORE_SEEK,
            last_read_at=lease.record_at,
            stored=stored,
        )

    @property
    def position(self) -> Position:
        """The position for which an iterator is requested when there is none."""
        if self.last_read is None or self.skip_through is not None:
            return AtTrimHorizon()
        return AfterSequence(self.last_read)

    def refuse(self) -> None:
        """Give up the iterator, which the stream has refused."""
        if self.stored == self.iterator:
            self.stored = None
        self.iterator = self.stored if self.last_read is None else None

    def restart(self) -> None:
        """Start again at the oldest record that the shard still holds: the position is trimmed."""
        self.iterator = self.stored = None
        self.skip_through = self.last_read

    @property
    def place(self) -> Place:
        """Where the cursor is, to return to."""
        return Place(self.last_read, self.last_read_at, self.skip_through)

    def return_to(self, place: Place) -> None:
        """Note the records read since then as not read: there was no memory for them."""
        self.last_read, self.last_read_at, self.skip_through = place

    def read(self, sequence: int, created_at: float) -> str | None:
        """Note a record as read; return why it is skipped, None if it is to be published."""
        if self.skip_through is not None:
            if sequence <= self.skip_through:
                return ALREADY_READ
            self.skip_through = None
        self.last_read = sequence
        self.last_read_at = created_at
        if self.skip_before is not None and created_at < self.skip_before:
            return self.skip_reason
        return None
