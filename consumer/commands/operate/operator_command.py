"""Gives a command to the workers for seek, pause and resume: preview, confirm, issue, wait.

A command is a row, written in one transaction with the counter in the stream row. The owners of the
leases apply it. Nothing here writes a lease row.
"""

from __future__ import annotations

import asyncio
import getpass
import socket
import time
import uuid
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from consumer.commands import confirmation
from consumer.commands.columns import columns
from consumer.commands.operate.lease_reading import open_lease_table
from consumer.commands.source_table import table_of
from consumer.core.leases.command import Action, Command
from consumer.core.leases.streams.lineage import oldest_first
from consumer.core.reports.command_preview import preview, warnings
from consumer.errors import Fatal, Misconfigured, Retryable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from consumer.core.leases.lease import Lease, StreamRow
    from consumer.ports import LeaseStore
    from consumer.settings.settings import Settings

HEADER = ("shard", "owner", "checkpoint", "effect")
READ_SECONDS = 0.5
ATTEMPTS = 20
"""Tries to write the row, against lost answers and other operators at the same time."""

RETRY_SECONDS = 0.5
SPARE_SECONDS = 15.0
"""Time beyond a drain in which workers notice a command and write that they have applied it."""


class OperatorRequest(Struct, frozen=True):
    """What the operator asks for on the command line.

    `issued_at`, in epoch seconds, decides what a seek to LATEST skips. For a seek it is the time of
    DynamoDB Streams, not of this machine.
    """

    action: Action
    target: str | None
    shards: tuple[str, ...]  # empty for all of them
    dry_run: bool
    confirmed: bool  # --yes
    issued_at: float
    reason: str = ""
    event_type: str | None = None

    @property
    def seeks(self) -> bool:
        """Whether it moves shards, for all event types or for one."""
        return self.action in (Action.SEEK, Action.SEEK_EVENT_TYPE)


class StreamCommand(Struct, frozen=True):
    """A stream, its leases, and the command for it."""

    row: StreamRow
    leases: tuple[Lease, ...]
    command: Command


class NotApplied(Fatal):
    """The command was given, or may be, but not every owner applied it in time. Exit code 1."""


def operate(
    settings: Settings, request: OperatorRequest, commands: Sequence[StreamCommand], out: TextIO
) -> int:
    """Print the preview, ask for confirmation, issue the commands, and wait; return 0.

    The question is asked outside of any event loop, so that Ctrl-C ends it at once. Raise
    Misconfigured, NotApplied or Unreachable.
    """
    out.write("".join(preview_text(each) for each in commands))
    out.flush()
    if request.dry_run:
        out.write("dry run: nothing was changed\n")
        return 0
    if not request.confirmed and request.action is not Action.RESUME:
        confirm(request.action)
    asyncio.run(_issue_all(settings, commands, out))
    return 0


async def _issue_all(settings: Settings, commands: Sequence[StreamCommand], out: TextIO) -> None:
    async with open_lease_table(settings) as store:
        await issue_all(store, commands, settings.drain_seconds + SPARE_SECONDS, out)


async def issue_all(
    store: LeaseStore, commands: Sequence[StreamCommand], seconds: float, out: TextIO
) -> None:
    """Issue the commands, and wait until they are applied. Raise NotApplied."""
    issued = [replace(each, command=await issue(store, each)) for each in commands]
    for each in issued:
        await wait_until_applied(store, each, seconds, out)


async def prepare(
    store: LeaseStore, settings: Settings, request: OperatorRequest
) -> list[StreamCommand]:
    """Return a command for each stream of the table that has shards to which it applies.

    Raise Misconfigured if there are none, or if a shard of `--shard` is unknown or finished.
    """
    table = table_of(settings)
    _, streams = await store.read_peers()
    commands = []
    for row in oldest_first(row for row in streams if row.table == table):
        if row.unreadable is not None:
            continue  # it waits; the lease table has named the row
        read = await store.read_leases(row.key)
        damaged = [lease.shard_id for lease in read if lease.unreadable is not None]
        if meant := [shard for shard in request.shards if shard in damaged]:
            raise Misconfigured(f"--shard: the row of {meant[0]} cannot be read; repair it first")
        leases = tuple(lease for lease in read if lease.unreadable is None)
        known = {lease.shard_id: lease for lease in leases}
        here = [shard for shard in request.shards if shard in known]
        alive = tuple(lease.shard_id for lease in leases if not lease.finished)
        finished = next((shard for shard in here if known[shard].finished), None)
        if finished is not None:
            again = "; to have its changes again, run another application with CONSUMER_START"
            remedy = again if request.seeks else ""
            raise Misconfigured(
                f"--shard: {finished} is finished, its children are being read{remedy}"
            )
        if not here if request.shards else not alive:
            continue
        every = alive if request.seeks else None
        shards = tuple(here) if request.shards else every
        commands.append(StreamCommand(row, leases, _command(request, row, shards)))
    known_shards = {lease.shard_id for each in commands for lease in each.leases}
    for shard in request.shards:
        if shard not in known_shards:
            raise Misconfigured(
                f"--shard: found {shard!r}, wanted one that `consumer leases` shows"
            )
    if not commands:
        raise Misconfigured(
            f"CONSUMER_APPLICATION: {settings.application!r} has no unfinished shards of table"
            f" {table!r} in lease table {settings.lease_table!r}"
        )
    return commands


def _command(request: OperatorRequest, row: StreamRow, shards: tuple[str, ...] | None) -> Command:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        user = "unknown"
    return Command(
        number=row.commands + 1,
        action=request.action,
        shards=shards,
        target=request.target,
        issued_at=request.issued_at,
        issued_by=f"{user}@{socket.gethostname()}",
        token=str(uuid.uuid4()),
        reason=request.reason,
        event_type=request.event_type,
    )


def preview_text(given: StreamCommand) -> str:
    """Return the preview of a command: what it does to each shard, and warnings."""
    command = given.command
    to = f" to {command.target}" if command.target else ""
    alone = f", only for {command.event_type}" if command.event_type else ""
    rows = [
        (line.shard_id, line.owner, line.checkpoint, line.outcome)
        for line in preview(given.leases, command)
    ]
    notes = "".join(f"{text}\n" for text in warnings(given.leases, command))
    return f"{_word(command.action)} {given.row.key}{to}{alone}\n{columns([HEADER, *rows])}{notes}"


def _word(action: Action) -> str:
    """Return the command's name on the command line."""
    return Action.SEEK.value if action is Action.SEEK_EVENT_TYPE else action.value


def confirm(action: Action) -> None:
    """Ask before a command is given. Raise Misconfigured without a yes."""
    word = _word(action)
    confirmation.confirm(f"{word}? ", to=word, done="changed")


async def issue(store: LeaseStore, given: StreamCommand) -> Command:
    """Write the command to the table, once, even if answers are lost; return it.

    It gets another number if another operator has taken its own. Raise NotApplied.
    """
    command, key = given.command, given.row.key
    for attempt in range(ATTEMPTS):
        try:
            if await store.add_command(key, command):
                return command
            _, streams = await store.read_peers()
            last = next((row.commands for row in streams if row.key == key), 0)
            command = replace(command, number=last + 1, token=str(uuid.uuid4()))
        except Retryable as error:
            if attempt == ATTEMPTS - 1:
                raise NotApplied(
                    f"it is not known whether command {command.number} of {key} was given: {error};"
                    " before you give it again, look at `consumer leases` or the owners' log"
                ) from error
            await asyncio.sleep(RETRY_SECONDS)
    raise NotApplied(f"{key}: other operators were faster {ATTEMPTS} times; nothing was changed")


async def wait_until_applied(
    store: LeaseStore, given: StreamCommand, seconds: float, out: TextIO
) -> None:
    """Wait until all owners have applied a command. Raise NotApplied after `seconds`."""
    command, deadline = given.command, time.monotonic() + seconds
    while True:
        try:
            leases = await store.read_leases(given.row.key)
        except Retryable as error:
            trouble = f"the lease table does not answer ({error})"
        else:
            meant = [
                lease
                for lease in leases
                if not lease.finished
                and lease.unreadable is None
                and command.concerns(lease.shard_id)
            ]
            late = [lease for lease in meant if lease.command_counter < command.number]
            held = [lease.shard_id for lease in late if lease.owner is not None]
            if not held:
                break
            more = " and others" if len(held) > 5 else ""
            trouble = f"the owners of {', '.join(held[:5])}{more} have not applied it yet"
        if time.monotonic() > deadline:
            raise NotApplied(
                f"command {command.number} is given; {trouble}; the owners, or the next ones before"
                " they read, will apply it"
            )
        await asyncio.sleep(READ_SECONDS)
    out.write(f"command {command.number} of {given.row.key}: {_summary(len(meant), len(late))}\n")


def _summary(meant: int, unowned: int) -> str:
    if not unowned:
        return f"applied to every shard ({meant})"
    return (
        f"applied to {meant - unowned} of {meant} shards; {unowned} without an owner:"
        " the next owner applies it before it reads"
    )
