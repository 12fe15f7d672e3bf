"""When trimmed data means that records were lost unread.

DynamoDB Streams keeps records for 24 hours; older ones may be trimmed at any moment. A position
that is refused as trimmed is a gap, unless the shard was at its tip with everything settled within
the last `SURE_SECONDS` and the record at the position is older than that: then all that was trimmed
had been read. (A younger record cannot have been trimmed because of its age: whatever removed it
may have removed unread ones, too.)

Where the row's mark stands, what lies before it is lost only for the event types that are behind.
The gap says so.

When the changes of a gap were made is told by the records around it, so that they can be looked up
in the table's backup: those before it are as old as what is settled, or as the shard's row.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from consumer.core.leases.checkpoint import SHARD_END, TRIM_HORIZON, sequence_of
from consumer.core.leases.lease import ALL_SHARDS, SEEK, Gap
from consumer.core.leases.mark import lost_for_both

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.leases.lease import Lease
    from consumer.core.leases.mark import Ahead
    from consumer.core.leases.progress import Progress

TRIMMED: Final = "trimmed"
POSSIBLY_TRIMMED: Final = "possibly_trimmed"
SHARD_GONE: Final = "shard_gone"
STREAM_GONE: Final = "stream_gone"
VIEW_TYPE: Final = "view_type"
"""Reason of the gap of a stream that was passed by because its records lack images."""

BETWEEN_STREAMS: Final = "between_streams"
"""Reason of the gap that a stream leaves when it is disabled, until the table's next one begins."""

GAP_REASONS: Final = (
    TRIMMED,
    POSSIBLY_TRIMMED,
    SHARD_GONE,
    STREAM_GONE,
    VIEW_TYPE,
    BETWEEN_STREAMS,
    SEEK,
)
"""All reasons that a gap row can have. All but the last say that changes were lost unread."""

SURE_SECONDS = 23 * 3600.0
"""An hour less than the retention: clocks differ, and a page spans some time."""


def trimmed_gap(
    lease: Lease,
    last_read: int | None,
    last_read_at: float | None,
    progress: Progress,
    wall: float,
) -> Gap | None:
    """Return the gap that TrimmedDataAccess at `last_read` proves, None if it proves none.

    `progress` is how far the shard is settled now, `lease` its row when reading began.

    `last_read_at` is the creation time of that record. If it is too young to have been trimmed by
    age, the stream has lost more than its retention explains, so unread records may be lost, too.
    `last_read` is None if the position was TRIM_HORIZON, which moved while it was read; then only
    the shard's age tells whether its oldest records may be lost. All times are epoch seconds.
    """
    caught_up_at = progress.caught_up_at
    if last_read is None:
        return possibly_trimmed_gap(lease, caught_up_at, wall)
    caught_up = caught_up_at is not None and wall - caught_up_at < SURE_SECONDS
    by_age = last_read_at is None or wall - last_read_at >= SURE_SECONDS
    if caught_up and by_age:
        return None
    ahead, since = _ahead(lease, last_read), lease.unsettled_since(progress.record_at)
    return Gap(lease.shard_id, str(last_read), None, TRIMMED, wall, ahead, since)


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
    ahead, changed = lease.ahead, lease.unsettled_since(lease.record_at)
    return Gap(lease.shard_id, TRIM_HORIZON, None, POSSIBLY_TRIMMED, wall, ahead, changed)


def shard_gone_gap(lease: Lease, last_read: int | None, progress: Progress, wall: float) -> Gap:
    """Return the gap of a shard that left the listing before it was read to its end."""
    from_ = TRIM_HORIZON if last_read is None else str(last_read)
    ahead, since = _ahead(lease, last_read), lease.unsettled_since(progress.record_at)
    return Gap(lease.shard_id, from_, None, SHARD_GONE, wall, ahead, since)


def met_again(found: Gap, gap: Gap) -> Gap:
    """Return what the row `found` of a gap says once the gap is met again.

    More may have been trimmed since: its end is open until it is known again, and a repair of
    before is no repair of that.
    """
    times = [time for time in (found.from_time, gap.from_time) if time is not None]
    return replace(
        found,
        detected_at=gap.detected_at,
        to=gap.to,
        ahead=lost_for_both(found.ahead, gap.ahead),
        from_time=min(times, default=None),
        to_time=gap.to_time,
        repaired_at=None,
    )


def together(known: Gap, gap: Gap) -> Gap:
    """Return what one row says of two gaps that begin at the same place.

    A loss outweighs what a seek skips. What either lacks for all event types, both do.
    """
    reason = gap.reason if known.reason == SEEK else known.reason
    return replace(met_again(known, gap), reason=reason)


def _ahead(lease: Lease, last_read: int | None) -> Ahead | None:
    """Return what was settled beyond the record from which a gap begins, as the row shows it."""
    ahead = lease.ahead
    return None if ahead is None or ahead.to <= (last_read or 0) else ahead


def ends_before(gap: Gap, sequence: int, found: Ahead | None) -> bool:
    """Return whether the record `sequence`, just read, is behind the gap.

    A record before the gap, read after a seek back, is not. Up to the mark `found`, from which
    reading goes on, records are read for the event types that are behind only: these do not end
    what others lack, such as the gap of an earlier seek, which is of all event types behind the
    mark that it found.
    """
    if sequence <= (sequence_of(gap.from_) or 0):
        return False
    if found is None or sequence > found.to:
        return True
    told = gap.ahead
    return told is not None and found.to <= told.to and {*told.behind} <= {*found.behind}


def unseen_shard_gap(shard_id: str, swept_at: float | None, wall: float) -> Gap:
    """Return the gap of a parent shard that was gone before any listing showed it.

    The last complete listing, which began at `swept_at`, did not show it: it is younger than that.
    """
    return Gap(shard_id, TRIM_HORIZON, None, SHARD_GONE, wall, from_time=swept_at)


def unfit_stream_gap(label: str, wall: float) -> Gap:
    """Return the gap of a stream that is passed by: its records lack images."""
    return Gap(ALL_SHARDS, TRIM_HORIZON, None, VIEW_TYPE, wall, from_time=made_at(label))


def between_streams_gap(older: str, leases: Sequence[Lease], newer: str, wall: float) -> Gap:
    """Return the gap between a stream that was disabled and the next one of its table.

    `leases` are those of the older stream; `older` and `newer` are the streams' labels. The older
    one was disabled after each of its records was made, and after it was made itself.
    """
    times = [
        lease.record_at
        for lease in leases
        if lease.record_at is not None and lease.unreadable is None
    ]
    return Gap(
        ALL_SHARDS,
        SHARD_END,
        None,
        BETWEEN_STREAMS,
        wall,
        from_time=max(times, default=made_at(older)),
        to_time=made_at(newer),
    )


def unlisted_stream_gap(label: str, wall: float) -> Gap | None:
    """Return the gap of a stream that is said to be gone, and that was never listed.

    Return None if this one is so young that it cannot have been forgotten: then it does not show
    yet.
    """
    since = made_at(label)
    if since is None or wall - since < SURE_SECONDS:
        return None
    return Gap(ALL_SHARDS, TRIM_HORIZON, None, STREAM_GONE, wall, from_time=since)


def made_at(label: str) -> float | None:
    """Return when a stream was made (epoch seconds), which its label says; None if it does not."""
    try:
        return datetime.fromisoformat(label).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
