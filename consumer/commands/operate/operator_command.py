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
from consumer.commands.operate.lease_reading import open_lease_table
from consumer.core.leases.command import Action, Command
from consumer.core.leases.lineage import chain
from consumer.core.reports.command_preview import preview, warnings
from consumer.core.stream.stream import Stream
from consumer.errors import Fatal, Misconfigured, Retryable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from consumer.core.leases.lease import Lease, StreamRow
    from consumer.ports import LeaseStore
    from consumer.settings.settings import Settings

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
    """The command stands, or may, but some owner has not applied it in time. Exit code 1."""


def operate(settings: Settings, wanted: Wanted, places: Sequence[Place], out: TextIO) -> int:
    """Tell, ask, and leave the commands; 0 when every owner has obeyed.

    A terminal is asked outside of any event loop: there Ctrl-C ends it at once. Raises
    Misconfigured, NotObeyed, StreamUnreachable.
    """
    out.write("".join(told(place) for place in places))
    out.flush()
    if wanted.dry_run:
        out.write("dry run: nothing was changed\n")
        return 0
    if not wanted.sure and wanted.action is not Action.RESUME:
        confirm(wanted.action)
    asyncio.run(_leave(settings, places, out))
    return 0


async def _leave(settings: Settings, places: Sequence[Place], out: TextIO) -> None:
    async with open_lease_table(settings) as store:
        await leave(store, places, settings.drain_seconds + SPARE_SECONDS, out)


async def leave(store: LeaseStore, places: Sequence[Place], seconds: float, out: TextIO) -> None:
    """Leave the commands, and wait until they are obeyed. Raises NotObeyed."""
    issued = [replace(place, command=await issue(store, place)) for place in places]
    for place in issued:
        await obeyed(store, place, seconds, out)


async def find(store: LeaseStore, settings: Settings, wanted: Wanted) -> list[Place]:
    """The streams of the table that have shards to command. Raises Misconfigured."""
    table = settings.table or Stream.from_arn(str(settings.stream_arn)).table
    _, streams = await store.read_peers()
    places = []
    for row in chain([row for row in streams if row.table == table]):
        leases = tuple(await store.read_leases(row.key))
        known = {lease.shard_id: lease for lease in leases}
        here = [shard for shard in wanted.shards if shard in known]
        alive = tuple(lease.shard_id for lease in leases if not lease.finished)
        finished = next((shard for shard in here if known[shard].finished), None)
        if finished is not None:
            again = "; to have its changes again, run another application with CONSUMER_START"
            remedy = again if wanted.action is Action.SEEK else ""
            raise Misconfigured(
                f"--shard: {finished} is finished, its children are being read{remedy}"
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


async def issue(store: LeaseStore, place: Place) -> Command:
    """Leave the command in the table, once, whatever becomes of the answers. Raises NotObeyed."""
    command, key = place.command, place.row.key
    for attempt in range(ATTEMPTS):
        try:
            if await store.add_command(key, command):
                return command
            _, streams = await store.read_peers()
            last = next((row.commands for row in streams if row.key == key), 0)
            command = replace(command, number=last + 1, token=str(uuid.uuid4()))
        except Retryable as error:
            if attempt == ATTEMPTS - 1:
                raise NotObeyed(
                    f"nobody knows whether command {command.number} of {key} stands: {error};"
                    " `consumer leases` or the owners' log tell before you give it again"
                ) from error
            await asyncio.sleep(RETRY_SECONDS)
    raise NotObeyed(f"{key}: other operators were faster {ATTEMPTS} times, nothing was changed")


async def obeyed(store: LeaseStore, place: Place, seconds: float, out: TextIO) -> None:
    """Wait until the owners have applied it. Raises NotObeyed."""
    command, deadline = place.command, time.monotonic() + seconds
    while True:
        try:
            leases = await store.read_leases(place.row.key)
        except Retryable as error:
            trouble = f"the lease table does not answer ({error})"
        else:
            meant = [
                lease for lease in leases if not lease.finished and command.concerns(lease.shard_id)
            ]
            late = [lease for lease in meant if lease.command_counter < command.number]
            held = [lease.shard_id for lease in late if lease.owner is not None]
            if not held:
                break
            more = " and others" if len(held) > 5 else ""
            trouble = f"the owners of {', '.join(held[:5])}{more} have not obeyed yet"
        if time.monotonic() > deadline:
            raise NotObeyed(
                f"command {command.number} stands; {trouble}; they will, or the next owners before"
                " they read"
            )
        await asyncio.sleep(LOOK_SECONDS)
    out.write(f"command {command.number} of {place.row.key}: {_summary(len(meant), len(late))}\n")


def _summary(meant: int, unowned: int) -> str:
    if not unowned:
        return f"obeyed by every shard ({meant})"
    so_far = "nobody has obeyed yet" if unowned == meant else f"obeyed by {meant - unowned}"
    nobodys = f"shards without an owner now: {unowned}, their next one obeys first"
    return f"it stands; {so_far}; {nobodys}"
