"""An operator's command, and what it changes in a lease.

Commands of a stream are numbered. A lease row keeps the number of the last command that its owner
has taken into account. Only the owner of a lease applies commands, in order, while nothing of the
shard is in memory: `apply_commands` returns the row to write then, and the gaps to record before.

A seek names its shards; a shard that is found later starts at its oldest record, as always. The
seek of an event type publishes to that one again and leaves the others untouched. Pause
and resume without shards are for all shards of a stream, also for those found later. A finished
shard stays finished: its children are being read, and its events must not follow theirs.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from msgspec import Struct
from msgspec.structs import replace

from consumer.core.leases.checkpoint import LATEST, TRIM_HORIZON, sequence_of
from consumer.core.leases.lease import SEEK, Gap, Pause
from consumer.core.leases.mark import Ahead, Mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.leases.lease import Lease


class Action(StrEnum):
    """What the operator wants."""

    SEEK = "seek"
    SEEK_EVENT_TYPE = "seek_event_type"  # workers of older versions pass over a word they lack
    PAUSE = "pause"
    RESUME = "resume"


class Effect(StrEnum):
    """What a seek does to one shard."""

    REPEATS = "repeats"
    SKIPS = "skips"
    EITHER = "either"  # the time of the shard's position is not known
    NOTHING = "nothing"


class Command(Struct, frozen=True):
    """One row of the lease table.

    `shards` is None for all of them. `target` of a seek is TRIM_HORIZON, LATEST, a sequence number
    (reading goes on behind it) or an ISO time with zone; that of an `event_type`, which publishes
    again, is not LATEST. `issued_at` is epoch seconds. `token` is
    unique: it tells this command from another one that was given the same number. `reason` is the
    operator's, for people.
    """

    number: int
    action: Action
    shards: tuple[str, ...] | None
    target: str | None
    issued_at: float
    issued_by: str
    token: str
    reason: str = ""
    event_type: str | None = None

    def concerns(self, shard_id: str) -> bool:
        """Return whether the command is for this shard."""
        return self.shards is None or shard_id in self.shards


class Applied(Struct, frozen=True):
    """The lease after its commands: `row` is written once `gaps` are."""

    row: Lease
    gaps: tuple[Gap, ...] = ()


def apply_commands(lease: Lease, commands: Sequence[Command], newest: int, wall: float) -> Applied:
    """Apply, in order, the commands that the row has not seen yet.

    `newest` is the number of the stream's newest command (`StreamRow.commands`), `wall` is in epoch
    seconds.
    """
    row, gaps = lease, []
    news = [command for command in commands if command.number > lease.command_counter]
    for command in sorted(news, key=lambda command: command.number):
        if not command.concerns(lease.shard_id):
            continue
        match command.action:
            case Action.PAUSE:
                row = replace(row, paused=True, pause=_pause(command))
            case Action.RESUME:
                row = replace(row, paused=False, pause=None)
            case Action.SEEK:
                gaps += _seek_gaps(row, command, wall)
                row = after_seek(row, command)
            case Action.SEEK_EVENT_TYPE:
                gaps += _seek_gaps(row, command, wall)
                row = after_event_type_seek(row, command)
            case never:
                assert_never(never)
    last = max((command.number for command in news), default=newest)
    number, ahead = max(newest, last), row.ahead
    mark = None if ahead is None else Mark(ahead, number)
    return Applied(replace(row, command_counter=number, mark=mark), tuple(gaps))


def is_target(text: str | None) -> bool:
    """Return whether a text is a seek's target: one of two words, a sequence number or a time."""
    if text is None:
        return False
    if text in (TRIM_HORIZON, LATEST) or sequence_of(text) is not None:
        return True
    try:
        return text.isascii() and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def effect(lease: Lease, command: Command) -> Effect:
    """Return whether a seek repeats what was published, or skips what was not."""
    begun = sequence_of(lease.checkpoint)
    if command.action is Action.SEEK_EVENT_TYPE:
        moved = after_event_type_seek(lease, command) != lease
        return Effect.REPEATS if moved else Effect.NOTHING
    match _target(command):
        case _ if lease.finished:
            return Effect.NOTHING
        case "LATEST":
            return Effect.SKIPS
        case "TRIM_HORIZON":
            return Effect.NOTHING if lease.checkpoint == TRIM_HORIZON else Effect.REPEATS
        case int(sequence):
            if begun is None or sequence > begun:
                return Effect.SKIPS
            return Effect.NOTHING if sequence == begun else Effect.REPEATS
        case _ if _time_unknown(lease):
            return Effect.EITHER
        case time:
            return Effect.SKIPS if _is_later(lease, float(time)) else Effect.REPEATS


def seek_gap(lease: Lease, command: Command, wall: float) -> Gap | None:
    """Return the gap that a seek makes, None if it makes none.

    Its end is known when the first record after it is read. If the time of the shard's position is
    not known, every target but a sequence number makes a gap: nothing else could tell whether
    unsettled records are trimmed before they are read again.
    """
    blind = _time_unknown(lease) and not isinstance(_target(command), int)
    if command.action is Action.SEEK_EVENT_TYPE:
        blind = blind and after_event_type_seek(lease, command).checkpoint != lease.checkpoint
    if effect(lease, command) is not Effect.SKIPS and not blind:
        return None
    since = lease.unsettled_since(lease.record_at)
    return Gap(lease.shard_id, lease.checkpoint, None, SEEK, wall, lease.ahead, since)


def _seek_gaps(lease: Lease, command: Command, wall: float) -> list[Gap]:
    gap = seek_gap(lease, command, wall)
    return [] if gap is None else [gap]


def after_seek(lease: Lease, command: Command) -> Lease:
    """Return the lease after a seek, which is for all event types: there is no mark any more.

    A seek forward in time keeps the checkpoint, and records older than the target are skipped. A
    seek back in time starts again at the oldest record, skips in the same way, and keeps
    `record_at`. A shard that had begun has passed the gate of its parent, so the gate stays open.
    """
    target, begun = _target(command), sequence_of(lease.checkpoint) is not None
    if lease.finished:
        return lease
    lease = replace(lease, mark=None)
    if isinstance(target, int):
        return replace(lease, checkpoint=str(target), record_at=None, skip_before=0.0)
    if target == LATEST:
        return replace(lease, skip_before=command.issued_at)
    oldest = replace(lease, checkpoint=TRIM_HORIZON, parent_gone=lease.parent_gone or begun)
    if target == TRIM_HORIZON:
        return replace(oldest, skip_before=0.0)
    stays = begun and _is_later(lease, float(target))
    return replace(lease if stays else oldest, skip_before=float(target))


def after_event_type_seek(lease: Lease, command: Command) -> Lease:
    """Return the lease after a seek of one event type: to it alone is published again.

    The shard is read again from the target, and a mark says that only this event type, and those
    that were behind before, lack anything up to where the others are. The position never moves
    forward: event types that are behind need what lies there; nor does what an earlier seek skips
    reach beyond the target. If the time of the position is not known, everything that the stream
    holds is read.

    Without a mark no sequence number is known up to which the others have what an earlier seek
    skips, so that nothing is repeated before the shard has been read on from there.
    """
    ahead, begun, target = lease.ahead, sequence_of(lease.checkpoint), _target(command)
    if lease.finished or target == LATEST or (ahead is None and begun is None):
        return lease
    names = {command.event_type or "", *(() if ahead is None else ahead.behind)}
    to = (begun or 0) if ahead is None else ahead.to
    known = None if ahead is None else ahead.event_types
    mark = Mark(Ahead(to, tuple(sorted(names)), known), lease.command_counter)
    marked = replace(lease, mark=mark)
    if begun is None or _is_behind(lease, begun, target):
        settled = ahead is None or (isinstance(target, int) and target >= ahead.to)
        return lease if settled else replace(marked, skip_before=_no_later(lease, target))
    if isinstance(target, int):
        return replace(marked, checkpoint=str(target), record_at=None, skip_before=0.0)
    everything = target == TRIM_HORIZON or lease.record_at is None
    skip_before = 0.0 if everything else float(target)
    oldest = replace(marked, checkpoint=TRIM_HORIZON, parent_gone=True)
    return replace(oldest, skip_before=skip_before)


def _no_later(lease: Lease, target: float | str) -> float | None:
    """Return before which time records are skipped, if those from a target on must not be."""
    if not lease.skip_before:  # a mark covers nothing older than the start
        return lease.skip_before
    return min(lease.skip_before, target) if isinstance(target, float) else 0.0


def _is_behind(lease: Lease, begun: int, target: float | str) -> bool:
    """Return whether a target is at the position of a shard or behind it."""
    if isinstance(target, int):
        return target >= begun
    return target != TRIM_HORIZON and _is_later(lease, float(target))


def _pause(command: Command) -> Pause:
    return Pause(command.issued_by, command.issued_at, command.reason)


def _time_unknown(lease: Lease) -> bool:
    """Return whether a seek went to a sequence number and nothing was settled since."""
    return sequence_of(lease.checkpoint) is not None and lease.record_at is None


def _is_later(lease: Lease, time: float) -> bool:
    """Return whether a time is later than what is settled.

    A shard that has not begun counts as settled up to the making of its row if it is at LATEST, and
    not at all if it is at TRIM_HORIZON.
    """
    if sequence_of(lease.checkpoint) is not None:
        return lease.record_at is not None and time > lease.record_at
    return lease.checkpoint == TRIM_HORIZON or time > lease.created_at


def _target(command: Command) -> int | float | str:
    """Return where a seek goes: a sequence number, a time in epoch seconds, or one of two words."""
    target = command.target or TRIM_HORIZON
    if target in (TRIM_HORIZON, LATEST):
        return target
    number = sequence_of(target)
    return datetime.fromisoformat(target).timestamp() if number is None else number
