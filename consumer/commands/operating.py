"""How seek, pause and resume reach the workers: look, say what will be, ask, leave a row, wait.

The row and the stream row's counter are written in one transaction; the owners of the leases apply
it. Nothing here touches a lease row.
"""

from __future__ import annotations

import asyncio
import getpass
import socket
import sys
import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from consumer.commands.columns import columns
from consumer.core.command import Action, Command
from consumer.core.command_preview import preview, warnings
from consumer.core.lineage import chain
from consumer.core.stream import Stream
from consumer.errors import Fatal, Misconfigured, Retryable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from consumer.adapters.lease_table import LeaseTable
    from consumer.core.lease import Lease, StreamRow
    from consumer.settings import Settings

HEADER = ("shard", "owner", "checkpoint", "what will be")
LOOK_SECONDS = 0.5
ATTEMPTS = 20
"""Tries to leave the row: lost answers, and other operators at the same moment."""

RETRY_SECONDS = 0.5
SPARE_SECONDS = 15.0
"""Beyond a drain, for workers to hear of a command and write it down."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line.

    `issued_at` decides what a seek to LATEST skips, so it is the service's time there, not ours.
    """

    action: Action
    target: str | None
    shards: tuple[str, ...]  # none: all of them
    dry_run: bool
    sure: bool  # --yes
    issued_at: float


@dataclass(frozen=True, slots=True)
class Place:
    """A stream, its leases, and the command that is meant for it."""

    row: StreamRow
    leases: tuple[Lease, ...]
    command: Command


class NotObeyed(Fatal):
    """The command stands, but some owner has not applied it in time. Exit code 1."""


async def operate(store: LeaseTable, settings: Settings, wanted: Wanted, out: TextIO) -> int:
    """All of it; 0 when every owner has obeyed. Raises Misconfigured, NotObeyed, Retryable."""
    places = await find(store, settings, wanted)
    out.write("".join(told(place) for place in places))
    if wanted.dry_run:
        out.write("dry run: nothing was changed\n")
        return 0
    out.flush()
    if not wanted.sure and wanted.action is not Action.RESUME:
        await asyncio.to_thread(confirm, wanted.action)
    issued = [replace(place, command=await issue(store, place)) for place in places]
    for place in issued:
        await obeyed(store, place, settings.drain_seconds + SPARE_SECONDS, out)
    return 0


async def find(store: LeaseTable, settings: Settings, wanted: Wanted) -> list[Place]:
    """The streams of the table that have shards to command. Raises Misconfigured."""
    table = settings.table or Stream.from_arn(str(settings.stream_arn)).table
    _, streams = await store.read_peers()
    places = []
    for row in chain([row for row in streams if row.table == table]):
        leases = tuple(await store.read_leases(row.key))
        known = {lease.shard_id: lease for lease in leases}
        here = [shard for shard in wanted.shards if shard in known]
        alive = tuple(lease.shard_id for lease in leases if not lease.finished)
        if wanted.shards and any(known[shard].finished for shard in here):
            raise Misconfigured(
                f"--shard: {next(s for s in here if known[s].finished)} is finished, its children"
                " are being read; to have its changes again, run another application with"
                " CONSUMER_START"
            )
        if not here if wanted.shards else not alive:
            continue
        every = None if wanted.action is not Action.SEEK else alive
        shards = tuple(here) if wanted.shards else every
        places.append(Place(row, leases, _command(wanted, row, shards)))
    known_shards = {lease.shard_id for place in places for lease in place.leases}
    for shard in wanted.shards:
        if shard not in known_shards:
            raise Misconfigured(
                f"--shard: found {shard!r}, wanted one that `consumer leases` shows"
            )
    if not places:
        raise Misconfigured(
            f"CONSUMER_APPLICATION: {settings.application!r} has no unfinished shards of table"
            f" {table!r} in lease table {settings.lease_table!r}"
        )
    return places


def _command(wanted: Wanted, row: StreamRow, shards: tuple[str, ...] | None) -> Command:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        user = "somebody"
    return Command(
        number=row.commands + 1,
        action=wanted.action,
        shards=shards,
        target=wanted.target,
        issued_at=wanted.issued_at,
        issued_by=f"{user}@{socket.gethostname()}",
        token=str(uuid.uuid4()),
    )


def told(place: Place) -> str:
    """What the command will do, shard by shard."""
    command = place.command
    to = f" to {command.target}" if command.target else ""
    rows = [
        (line.shard_id, line.owner, line.checkpoint, line.outcome)
        for line in preview(place.leases, command)
    ]
    notes = "".join(f"{text}\n" for text in warnings(place.leases, command))
    return f"{command.action.value} {place.row.key}{to}\n{columns([HEADER, *rows])}{notes}"


def confirm(action: Action) -> None:
    """A typed yes. Raises Misconfigured without one."""
    if not sys.stdin.isatty():
        raise Misconfigured(f"--yes: found neither it nor a terminal, wanted one to {action.value}")
    sys.stderr.write(f"{action.value}? Type yes to go on: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != "yes":
        raise Misconfigured("not confirmed, nothing was changed")


async def issue(store: LeaseTable, place: Place) -> Command:
    """Leave the command in the table, once, whatever becomes of the answers. Raises Retryable."""
    command, key = place.command, place.row.key
    for attempt in range(ATTEMPTS):
        try:
            if await store.add_command(key, command):
                return command
            _, streams = await store.read_peers()
            last = next((row.commands for row in streams if row.key == key), 0)
            command = replace(command, number=last + 1, token=str(uuid.uuid4()))
        except Retryable:
            if attempt == ATTEMPTS - 1:
                raise
            await asyncio.sleep(RETRY_SECONDS)
    raise Retryable(f"{key}: other operators were faster {ATTEMPTS} times", "conflict")


async def obeyed(store: LeaseTable, place: Place, seconds: float, out: TextIO) -> None:
    """Wait until the owners have applied it. Raises NotObeyed."""
    command, deadline = place.command, time.monotonic() + seconds
    while True:
        leases = await store.read_leases(place.row.key)
        meant = [
            lease
            for lease in leases
            if not lease.finished
            and command.concerns(lease.shard_id)
            and lease.command_counter < command.number
        ]
        held = [lease.shard_id for lease in meant if lease.owner is not None]
        if not held or time.monotonic() > deadline:
            break
        await asyncio.sleep(LOOK_SECONDS)
    if held:
        raise NotObeyed(
            f"command {command.number} stands, but is not obeyed yet by the owners of"
            f" {', '.join(held[:5])}{' and others' if len(held) > 5 else ''}; they will, or the"
            " next owners before they read"
        )
    out.write(f"command {command.number} of {place.row.key}: {_summary(meant)}\n")


def _summary(unowned: Sequence[Lease]) -> str:
    if not unowned:
        return "obeyed by every shard"
    return f"obeyed; shards without an owner now: {len(unowned)}, their next one obeys first"
