"""What a command of an operator will do, in words, before it is given."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, assert_never

from msgspec import Struct

from consumer.core.leases.checkpoint import LATEST, TRIM_HORIZON, sequence_of
from consumer.core.leases.command import (
    Action,
    Effect,
    after_event_type_seek,
    after_seek,
    effect,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.core.leases.command import Command
    from consumer.core.leases.lease import Lease

REPEAT = (
    "Repeated events follow newer ones of the same keys until the shard has caught up. Readers that"
    " keep the highest change.stream and change.sequence ignore them; other readers see old values"
    " for a while."
)
SKIP = (
    "What is skipped is never published. A gap row with reason seek names each place (consumer"
    " gaps)."
)
FINISHED = (
    "Finished shards stay finished: their children are being read, and events of the parents would"
    " follow newer ones. To publish these again, run another application with CONSUMER_START."
)
BESIDE = (
    "Event types that are behind ({}) are published to again from the target, too: a shard can only"
    " be read again for all of them. To spare them, wait until they have caught up."
)
FORGOTTEN = (
    "Event types are behind ({}), and the others are ahead of them. A seek is for all of them and"
    " forgets that: to those that are ahead everything behind the target is published again, up to"
    " where they were. Nothing skips for one event type alone; to spare the others, wait until it"
    " has caught up."
)
UNREAD = (
    "Shards that an earlier seek has moved, and that have not been read since, stay where they are:"
    " wait until their checkpoint is a number, and give this command again."
)
PAUSED = (
    "Paused shards keep their owners and are not read; their age grows. The stream keeps records"
    " for 24 hours: resume before that, or changes are lost."
)
TO_COME = (
    "Children of these shards, and shards that are not listed yet, are paused when they appear."
)
MINUTE = "A time is rounded down to the minute: up to a minute more is published, never less."


class PreviewLine(Struct, frozen=True):
    """One shard: its checkpoint, and what the command does to it."""

    shard_id: str
    owner: str
    checkpoint: str
    outcome: str


def preview(leases: Sequence[Lease], command: Command) -> tuple[PreviewLine, ...]:
    """Return one line for each unfinished shard that the command is for, by shard id."""
    return tuple(
        PreviewLine(lease.shard_id, lease.owner or "-", lease.checkpoint, _outcome(lease, command))
        for lease in sorted(leases, key=lambda lease: lease.shard_id)
        if command.concerns(lease.shard_id) and not lease.finished
    )


def warnings(leases: Sequence[Lease], command: Command) -> tuple[str, ...]:
    """Return what the operator has to know before confirming the command."""
    meant = [lease for lease in leases if command.concerns(lease.shard_id) and not lease.finished]
    match command.action:
        case Action.PAUSE:
            return (PAUSED, TO_COME) if command.shards is None else (PAUSED,)
        case Action.RESUME:
            return ()
        case Action.SEEK:
            return _of_seek(leases, meant, command)
        case Action.SEEK_EVENT_TYPE:
            return _of_event_type_seek(leases, meant, command)
        case never:
            assert_never(never)


def _of_seek(leases: Sequence[Lease], meant: Sequence[Lease], command: Command) -> tuple[str, ...]:
    effects = {_effect(lease, command) for lease in meant}
    behind = _names(lease for lease in meant if _forgets(lease, command))
    repeats = not effects.isdisjoint((Effect.REPEATS, Effect.EITHER))
    told = (
        (REPEAT, repeats or bool(behind)),
        (FORGOTTEN.format(", ".join(behind)), bool(behind)),
        (SKIP, not effects.isdisjoint((Effect.SKIPS, Effect.EITHER))),
        (MINUTE, _is_time(command) or command.target == LATEST),
        (FINISHED, repeats and any(each.finished for each in leases)),
    )
    return tuple(text for text, applies in told if applies)


def _of_event_type_seek(
    leases: Sequence[Lease], meant: Sequence[Lease], command: Command
) -> tuple[str, ...]:
    repeats = any(_effect(lease, command) is Effect.REPEATS for lease in meant)
    others = sorted({*_names(meant)} - {command.event_type})
    told = (
        (REPEAT, repeats),
        (BESIDE.format(", ".join(others)), repeats and bool(others)),
        (UNREAD, any(_is_unread(lease, command) for lease in meant)),
        (MINUTE, repeats and _is_time(command)),
        (FINISHED, repeats and any(each.finished for each in leases)),
    )
    return tuple(text for text, applies in told if applies)


def _names(leases: Iterable[Lease]) -> list[str]:
    """Return the event types that are behind in any of the shards, sorted."""
    return sorted({name for each in leases if each.ahead is not None for name in each.ahead.behind})


def _is_time(command: Command) -> bool:
    target = command.target or TRIM_HORIZON
    return target not in (TRIM_HORIZON, LATEST) and sequence_of(target) is None


def _forgets(lease: Lease, command: Command) -> bool:
    """Return whether a seek for all may repeat to those that are ahead what they have had."""
    if lease.ahead is None or command.target == LATEST:
        return False
    number = sequence_of(command.target or TRIM_HORIZON)
    return number is None or number < lease.ahead.to


def _is_unread(lease: Lease, command: Command) -> bool:
    """Return whether an earlier seek for all skips what the seek of an event type asks for."""
    back = lease.checkpoint == TRIM_HORIZON and lease.skip_before
    return bool(back) and lease.ahead is None and effect(lease, command) is Effect.NOTHING


def _outcome(lease: Lease, command: Command) -> str:
    match command.action:
        case Action.PAUSE:
            return "is already paused" if lease.paused else "is no longer read"
        case Action.RESUME:
            return "is read again" if lease.paused else "is not paused"
        case Action.SEEK:
            return _seek(lease, command) + _forgotten(lease, command)
        case Action.SEEK_EVENT_TYPE:
            return _event_type_seek(lease, command)
        case never:
            assert_never(never)


def _seek(lease: Lease, command: Command) -> str:
    match _effect(lease, command):
        case Effect.NOTHING:
            return "stays where it is"
        case Effect.REPEATS:
            return f"repeats {_since(command)}"
        case Effect.SKIPS if sequence_of(command.target or "") is not None:
            return f"skips everything up to {after_seek(lease, command).checkpoint}"
        case Effect.EITHER:
            return f"begins at {command.target}, before or after its present position"
        case Effect.SKIPS:
            until = "now" if command.target == LATEST else command.target
            return f"skips what is unpublished and older than {until}"
        case never:
            assert_never(never)


def _forgotten(lease: Lease, command: Command) -> str:
    """Return what is repeated by a seek that does not go back, as it forgets who was ahead."""
    back = _effect(lease, command) is Effect.REPEATS
    if back or lease.ahead is None or not _forgets(lease, command):
        return ""
    return f"; repeats the rest up to {lease.ahead.to} to those that are ahead"


def _event_type_seek(lease: Lease, command: Command) -> str:
    found = effect(lease, command)
    if found is Effect.NOTHING and lease.owner is not None:
        begun = sequence_of(lease.checkpoint) is not None
        further = "is beyond that" if begun else "has settled anything"
        return f"repeats {_since(command)} if its owner {further} by then, else nothing"
    if found is Effect.NOTHING:
        return "stays where it is"
    row = after_event_type_seek(lease, command)
    if sequence_of(row.checkpoint) is not None:
        return f"repeats everything behind {row.checkpoint}"
    if not row.skip_before:
        return "repeats everything that the stream still holds"
    time = datetime.fromtimestamp(row.skip_before, UTC).isoformat(timespec="seconds")
    return f"repeats everything since {time.replace('+00:00', 'Z')}"


def _effect(lease: Lease, command: Command) -> Effect:
    """Return the effect as the row shows it. An owner is ahead by what it has not written yet."""
    found = effect(lease, command)
    ahead = found is Effect.NOTHING and lease.owner is not None and not lease.finished
    return Effect.REPEATS if ahead else found


def _since(command: Command) -> str:
    target = command.target or TRIM_HORIZON
    if target == TRIM_HORIZON:
        return "everything that the stream still holds"
    number = sequence_of(target)
    return f"everything since {target}" if number is None else f"everything behind {target}"
