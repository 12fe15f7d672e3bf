"""When trimmed data means that records were lost unread.

DynamoDB Streams keeps records for 24 hours; older ones may be trimmed at any moment. A position
that is refused as trimmed is a gap, unless the shard was at its tip with everything settled within
the last `SURE_SECONDS` and the record at the position is older than that: then all that was trimmed
had been read. (A younger record cannot have been trimmed because of its age: whatever removed it
may have removed unread ones, too.)

Where the row's mark stands, what lies before it is lost only for the event types that are behind.
The gap says so.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from consumer.core.leases.checkpoint import TRIM_HORIZON, sequence_of
from consumer.core.leases.lease import ALL_SHARDS, SEEK, Gap

if TYPE_CHECKING:
    from consumer.core.leases.lease import Lease
    from consumer.core.leases.mark import Ahead

TRIMMED: Final = "trimmed"
POSSIBLY_TRIMMED: Final = "possibly_trimmed"
SHARD_GONE: Final = "shard_gone"
STREAM_GONE: Final = "stream_gone"
VIEW_TYPE: Final = "view_type"
"""Reason of the gap of a stream that was passed by because its records lack images."""

GAP_REASONS: Final = (TRIMMED, POSSIBLY_TRIMMED, SHARD_GONE, STREAM_GONE, VIEW_TYPE, SEEK)
"""All reasons that a gap row can have. All but the last say that changes were lost unread."""

SURE_SECONDS = 23 * 3600.0
"""An hour less than the retention: clocks differ, and a page spans some time."""


def trimmed_gap(
    lease: Lease,
    last_read: int | None,
    last_read_at: float | None,
    caught_up_at: float | None,
    wall: float,
) -> Gap | None:
    """Return the gap that TrimmedDataAccess at `last_read` proves, None if it proves none.

    `last_read_at` is the creation time of that record. If it is too young to have been trimmed by
    age, the stream has lost more than its retention explains, so unread records may be lost, too.
    `last_read` is None if the position was TRIM_HORIZON, which moved while it was read; then only
    the shard's age tells whether its oldest records may be lost. All times are epoch seconds.
    """
    if last_read is None:
        return possibly_trimmed_gap(lease, caught_up_at, wall)
    caught_up = caught_up_at is not None and wall - caught_up_at < SURE_SECONDS
    by_age = last_read_at is None or wall - last_read_at >= SURE_SECONDS
    if caught_up and by_age:
        return None
    return Gap(lease.shard_id, str(last_read), None, TRIMMED, wall, _ahead(lease, last_read))


def possibly_trimmed_gap(lease: Lease, caught_up_at: float | None, wall: float) -> Gap | None:
    """Return the gap of a shard opened at TRIM_HORIZON long after its row was made, if any.

    Its oldest records may have been trimmed unread. A shard that a seek has sent back there keeps
    the time up to which it was settled (`record_at`): what was not settled is younger than that.
    """
    since = lease.created_at
    if lease.checkpoint == TRIM_HORIZON and lease.record_at is not None:
        since = lease.record_at
    if wall - max(since, caught_up_at or 0.0) <= SURE_SECONDS:
        return None
    return Gap(lease.shard_id, TRIM_HORIZON, None, POSSIBLY_TRIMMED, wall, lease.ahead)


def shard_gone_gap(lease: Lease, last_read: int | None, wall: float) -> Gap:
    """Return the gap of a shard that left the listing before it was read to its end."""
    from_ = TRIM_HORIZON if last_read is None else str(last_read)
    return Gap(lease.shard_id, from_, None, SHARD_GONE, wall, _ahead(lease, last_read))


def _ahead(lease: Lease, last_read: int | None) -> Ahead | None:
    """Return what was settled beyond the record from which a gap begins, as the row shows it."""
    ahead = lease.ahead
    return None if ahead is None or ahead.to <= (last_read or 0) else ahead


def ends_before(gap: Gap, sequence: int, found: Ahead | None) -> bool:
    """Return whether the record `sequence`, just read, is behind the gap.

    A record before the gap, read after a seek back, is not. Up to the mark `found`, from which
    reading goes on, records are read for the event types that are behind only: these do not end
    what others lack, such as the gap of an earlier seek.
    """
    if sequence <= (sequence_of(gap.from_) or 0):
        return False
    if found is None or sequence > found.to:
        return True
    told = gap.ahead
    return told is not None and sequence <= told.to and {*told.behind} <= {*found.behind}


def unseen_shard_gap(shard_id: str, wall: float) -> Gap:
    """Return the gap of a parent shard that was gone before any listing showed it."""
    return Gap(shard_id, TRIM_HORIZON, None, SHARD_GONE, wall)


def unfit_stream_gap(wall: float) -> Gap:
    """Return the gap of a stream that is passed by: its records lack images."""
    return Gap(ALL_SHARDS, TRIM_HORIZON, None, VIEW_TYPE, wall)


def unlisted_stream_gap(label: str, wall: float) -> Gap | None:
    """Return the gap of a stream that is said to be gone, and that was never listed.

    Labels are the times at which streams were made. Return None if this one is so young that it
    cannot have been forgotten: then it does not show yet.
    """
    try:
        made_at = datetime.fromisoformat(label).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    if wall - made_at < SURE_SECONDS:
        return None
    return Gap(ALL_SHARDS, TRIM_HORIZON, None, STREAM_GONE, wall)
