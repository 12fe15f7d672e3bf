"""The life of a table's streams: open, closing, confirmed, and in the end retired; or passed by.

A table has more than one stream after its stream was disabled and enabled again. They are read one
after the other, so that the events of a key stay in order:

- Open: a lease is not at its end, or the stream has not been listed yet.
- Closing: all leases are at their end. A listing made at once may still hide a child of the shard
  that ended last, so a listing that began well after that has to follow.
- Confirmed: that listing has added nothing. The next stream may be read.
- Retired: a later stream has begun. Listings are rare now, and the leases are read again only after
  one of them.
- Passed by: nothing of the stream can be read, and a gap row says so. The next one may be read.

Only that a stream was passed by is stored. A worker that has just started judges by the rows: a
later stream that was passed by, or of which a lease was ever taken, proves that a worker has
confirmed the streams before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.leases.lease import Lease, StreamRow

SURELY_LISTED_SECONDS = 30.0
"""A listing that begins this long after the last known shard has ended shows all of its children.

An earlier one may hide a child. When that is found after the stream was retired, its events may
follow newer ones of the next stream.
"""


class StreamSeen(Struct, frozen=True):
    """A stream as last read: its row, and its leases from a read that was sent later.

    The read that answered with `row` was sent at `asked_at`. `leases` is None before the first
    read. `listing` is the number of the last complete listing (`sweep_done`) when that read was
    sent: the leases include what this listing has found.
    """

    row: StreamRow
    asked_at: float
    leases: Sequence[Lease] | None = None
    listing: int = 0

    @property
    def at_end(self) -> bool:
        """All leases are known to be at their end."""
        return self.leases is not None and all(lease.finished for lease in self.leases)

    @property
    def begun(self) -> bool:
        """Some worker has taken a lease of the stream, or has passed it by."""
        passed_by = self.row.passed_by is not None
        return passed_by or any(lease.counter > 0 for lease in self.leases or ())


class Open(Struct, frozen=True):
    """A lease is not at its end, or the stream has not been listed yet."""


class Closing(Struct, frozen=True):
    """All leases are at their end, which was first seen at `since`.

    `sweep_n` is the number of the last listing before the one that confirms the end: at a time when
    no shard can be hidden any more it was the newest, and complete. It is None before that time.
    """

    since: float
    sweep_n: int | None = None


class Confirmed(Struct, frozen=True):
    """The stream is read to its end."""


class Retired(Struct, frozen=True):
    """The stream is read to its end, and a later one of the table has begun."""


class PassedBy(Struct, frozen=True):
    """Nothing of the stream can be read: its row and a gap row say so."""


Phase = Open | Closing | Confirmed | Retired | PassedBy


class Waiting(Struct, frozen=True):
    """A stream waits, since a time, for `stream_key`: the oldest that has to be read first."""

    stream_key: str
    since: float


class StreamLife(Struct, frozen=True):
    """`waiting` is None if all older streams are read, or this one has begun already."""

    phase: Phase
    waiting: Waiting | None = None

    @property
    def may_be_read(self) -> bool:
        """No older stream has to be read first."""
        return self.waiting is None

    @property
    def over(self) -> bool:
        """Nothing of the stream is left to be read: the next one may be."""
        return isinstance(self.phase, Confirmed | Retired | PassedBy)


class FoundLate(Struct, frozen=True):
    """Shards of a retired stream that are not read: they are read beside the newer streams."""

    stream_key: str
    shards: tuple[str, ...]


def advance(
    now: float, before: Mapping[str, StreamLife], streams: Sequence[StreamSeen]
) -> tuple[Mapping[str, StreamLife], tuple[FoundLate, ...]]:
    """Return the life of each stream by its key, and the shards found late.

    `streams` are all streams of the table as last read, oldest first. `before` is the last result;
    it is empty after a start. A stream makes one step at a time. Call it whenever rows were read.
    """
    lives: dict[str, StreamLife] = {}
    late: list[FoundLate] = []
    unread_key: str | None = None
    for index, seen in enumerate(streams):
        known = before.get(seen.row.key)
        phase = Open() if known is None else known.phase
        superseded = any(later.begun for later in streams[index + 1 :])
        following = _following(now, phase, seen, superseded=superseded)
        if isinstance(phase, Retired) and (found := _unfinished(seen)):
            late.append(FoundLate(seen.row.key, found))
        waiting = None
        if unread_key is not None and not seen.begun:
            before_that = None if known is None else known.waiting
            waiting = Waiting(unread_key, now if before_that is None else before_that.since)
        life = lives[seen.row.key] = StreamLife(following, waiting)
        if unread_key is None and not life.over:
            unread_key = seen.row.key
    return lives, tuple(late)


def row_lost(before: Mapping[str, StreamSeen], rows: Sequence[StreamRow]) -> frozenset[str]:
    """Return the keys of the streams whose row is gone, or has fewer sweeps than before.

    The number of sweeps only rises, and no worker deletes the row. So another hand has deleted it,
    or has made or restored the table, and rows of shards that are held may be gone with it.
    """
    after = {row.key: row for row in rows}
    return frozenset(
        key
        for key, seen in before.items()
        if (row := after.get(key)) is None
        or (row.unreadable is None and row.sweep_n < seen.row.sweep_n)
    )


def waiting_long(
    now: float, lives: Mapping[str, StreamLife], seconds: float
) -> tuple[tuple[str, str], ...]:
    """Return the streams that have waited longer than `seconds`, each with the one it waits for."""
    return tuple(
        (key, life.waiting.stream_key)
        for key, life in lives.items()
        if life.waiting is not None and now - life.waiting.since > seconds
    )


def _following(now: float, phase: Phase, seen: StreamSeen, *, superseded: bool) -> Phase:
    """Return the next phase of a stream. `superseded`: a later one has begun."""
    if seen.row.unreadable is not None:
        return phase  # nothing can be concluded before it is repaired
    if seen.row.passed_by is not None:
        return PassedBy()
    if not seen.at_end:
        return Open()
    if superseded:
        return Retired()
    match phase:
        case Open():
            return Closing(now) if seen.listing else phase
        case Closing(since, sweep_n):
            if sweep_n is not None:
                return Confirmed() if seen.listing > sweep_n else phase
            # A listing under way may have begun too early, and raises its number as it goes on.
            sure = seen.asked_at - since >= SURELY_LISTED_SECONDS
            idle = seen.row.sweep_done == seen.row.sweep_n
            return Closing(since, seen.row.sweep_n) if sure and idle else phase
        case Confirmed() | Retired():
            return phase
        case PassedBy():
            return Open()  # an operator has removed the mark
        case never:
            assert_never(never)


def unread(phase: Phase, seen: StreamSeen) -> bool:
    """Return whether the leases are to be read because of a listing since the last read.

    A worker that finds a shard raises its `changes`. Here even a listing that found nothing counts,
    because it confirms a stream's end, and the leases of a retired stream are not read otherwise.
    """
    match phase:
        case Open() | Confirmed() | PassedBy():
            return False
        case Closing(_, sweep_n):
            return sweep_n is not None and seen.row.sweep_done > sweep_n
        case Retired():
            return seen.row.sweep_done != seen.listing
        case never:
            assert_never(never)


def _unfinished(seen: StreamSeen) -> tuple[str, ...]:
    """Return the shards that are to be read; of a row that cannot be read this is not known."""
    return tuple(
        lease.shard_id
        for lease in seen.leases or ()
        if not lease.finished and lease.unreadable is None
    )
