"""An operator's command, and what it makes of a lease.

Commands of a stream are numbered; a lease row keeps the number of the last one it has obeyed. Only
the owner of a lease applies them, in order, while nothing of the shard is in memory:
`apply_commands` returns the row that is to be written then, and the gaps to be recorded before.

A seek names its shards; one that is found later starts at its oldest record, as ever. Pause and
resume without shards are for all of a stream's shards, also for those to come. A finished shard
stays finished: its children are being read, and their events may not be overtaken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from consumer.core.leases.checkpoint import LATEST, TRIM_HORIZON, sequence_of
from consumer.core.leases.lease import SEEK, Gap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.leases.lease import Lease


class Action(StrEnum):
    """What is wanted."""

    SEEK = "seek"
    PAUSE = "pause"
    RESUME = "resume"


class Effect(StrEnum):
    """What a seek does to one shard."""

    REPEATS = "repeats"
    SKIPS = "skips"
    EITHER = "either"  # where the shard stands in time is not known
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the lease table.

    `shards` None is all of them. `target` of a seek is TRIM_HORIZON, LATEST, a sequence number
    (reading goes on behind it) or an ISO time with zone. `issued_at` is epoch seconds.
    `token` is unique: it tells a command that stands already from another with its number.
    """

    number: int
    action: Action
    shards: tuple[str, ...] | None
    target: str | None
    issued_at: float
    issued_by: str
    token: str

    def concerns(self, shard_id: str) -> bool:
        """Is this shard meant?"""
        return self.shards is None or shard_id in self.shards


@dataclass(frozen=True, slots=True)
class Applied:
    """`row` is what shall stand in the table once `gaps` do."""

    row: Lease
    gaps: tuple[Gap, ...] = ()


def apply_commands(lease: Lease, commands: Sequence[Command], newest: int, wall: float) -> Applied:
    """Apply in order what the row has not seen yet; `newest` is the stream row's counter."""
    row, gaps = lease, []
    news = [command for command in commands if command.number > lease.command_counter]
    for command in sorted(news, key=lambda command: command.number):
        if not command.concerns(lease.shard_id):
            continue
        match command.action:
            case Action.PAUSE:
                row = replace(row, paused=True)
            case Action.RESUME:
                row = replace(row, paused=False)
            case Action.SEEK:
                gap = seek_gap(row, command, wall)
                gaps += [gap] if gap is not None else []
                row = after_seek(row, command)
            case never:
                assert_never(never)
    last = max((command.number for command in news), default=newest)
    return Applied(replace(row, command_counter=max(newest, last)), tuple(gaps))


def effect(lease: Lease, command: Command) -> Effect:
    """Does a seek repeat what was published, or skip what was not?"""
    begun = sequence_of(lease.checkpoint)
    match _place(command):
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
        case _ if _timeless(lease):
            return Effect.EITHER
        case time:
            return Effect.SKIPS if _ahead(lease, float(time)) else Effect.REPEATS


def seek_gap(lease: Lease, command: Command, wall: float) -> Gap | None:
    """The gap that a seek makes. Its end is known at once only for a sequence number.

    A shard whose place in time is not known leaves one whenever it goes elsewhere by time: nothing
    else could tell whether what it had not settled is trimmed before it comes there.
    """
    place = _place(command)
    blind = _timeless(lease) and not isinstance(place, int)
    if effect(lease, command) is not Effect.SKIPS and not blind:
        return None
    to = str(place) if isinstance(place, int) else None
    return Gap(lease.shard_id, lease.checkpoint, to, SEEK, wall)


def after_seek(lease: Lease, command: Command) -> Lease:
    """The lease after a seek.

    What goes forward in time stays where it is and skips what is older; what goes back begins at
    the oldest record, and skips, too, and keeps the time up to which it was settled. A shard that
    had begun has passed the gate of its parent.
    """
    place, begun = _place(command), sequence_of(lease.checkpoint) is not None
    if lease.finished:
        return lease
    if isinstance(place, int):
        return replace(lease, checkpoint=str(place), record_at=None, skip_before=0.0)
    if place == LATEST:
        return replace(lease, skip_before=command.issued_at)
    oldest = replace(lease, checkpoint=TRIM_HORIZON, parent_gone=lease.parent_gone or begun)
    if place == TRIM_HORIZON:
        return replace(oldest, skip_before=0.0)
    stays = begun and _ahead(lease, float(place))
    return replace(lease if stays else oldest, skip_before=float(place))


def _timeless(lease: Lease) -> bool:
    """It was sent to a sequence number, and nothing was settled since: where in time is that?"""
    return sequence_of(lease.checkpoint) is not None and lease.record_at is None


def _ahead(lease: Lease, time: float) -> bool:
    """Is a time later than what is settled? A shard that has not begun is as old as its row."""
    if sequence_of(lease.checkpoint) is not None:
        return lease.record_at is not None and time > lease.record_at
    return lease.checkpoint == TRIM_HORIZON or time > lease.created_at


def _place(command: Command) -> int | float | str:
    """Where a seek goes: a sequence number (int), a time (float), or one of the two words."""
    target = command.target or TRIM_HORIZON
    if target in (TRIM_HORIZON, LATEST):
        return target
    number = sequence_of(target)
    return datetime.fromisoformat(target).timestamp() if number is None else number
