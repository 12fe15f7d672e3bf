"""`consumer leases`: prints which worker reads which shard, and how far the shard is settled."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from typing import TYPE_CHECKING

import orjson
from msgspec import Struct, to_builtins

from consumer.adapters.aws.aws import Aws
from consumer.commands.columns import columns
from consumer.commands.operate.lease_reading import lease_lines, none_found, open_lease_table
from consumer.core.reports.times import iso
from consumer.core.reports.worker_state import WorkerState
from consumer.core.reports.worker_status import UNKNOWN, WorkerStatus, worker_statuses
from consumer.credentials import fallback_region
from consumer.errors import LeaseTableAbsent, Retryable
from consumer.observability import logs
from consumer.observability.standard_streams import control
from consumer.settings.loading import APPLICATION, load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence
    from typing import NoReturn, TextIO

    from consumer.core.reports.lease_report import LeaseLine
    from consumer.ports import Clock, LeaseStore
    from consumer.settings.settings import Settings

WATCH_SECONDS = 2.0
"""Pause of `--watch` between two reads of all lease rows."""

CLEAR = "\x1b[H\x1b[2J"
NOTHING_YET = "no leases: nothing has run yet"
HEADER = ("shard", "state", "owner", "checkpoint", "age", "parent")


class LeaseReading(Struct, frozen=True):
    """What one read of the table has shown."""

    lines: list[LeaseLine]
    workers: tuple[WorkerStatus, ...]


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Print all leases of this application, older streams first; return 0."""
    settings = load_settings(environ, [APPLICATION])
    logs.configure_command()
    if arguments.watch:
        try:
            asyncio.run(_watch(settings, out, as_json=arguments.json))
        except KeyboardInterrupt:
            return 0  # Ctrl-C is how a user ends it
    absent = False
    try:
        reading = asyncio.run(_read_once(settings))
    except LeaseTableAbsent:
        absent, reading = True, LeaseReading([], ())
    if not reading.lines:
        sys.stderr.write(none_found(settings, NOTHING_YET, absent=absent))
    if arguments.json:
        out.write(_json(reading.lines, orjson.OPT_INDENT_2))
    else:
        out.write(table(reading.lines) + notes(reading))
    return 0


async def _read_once(settings: Settings) -> LeaseReading:
    async with (
        Aws(fallback_region(settings)) as aws,
        open_lease_table(settings, aws) as store,
    ):
        return await _read(store, settings, aws.clock)


async def _watch(settings: Settings, out: TextIO, *, as_json: bool) -> None:
    """Print the leases again and again; on a terminal, clear the screen before.

    If the table cannot be read, or does not exist yet, print that on stderr and go on.
    """
    async with Aws(fallback_region(settings)) as aws:
        while True:
            try:
                async with open_lease_table(settings, aws) as store:
                    await _watch_table(store, settings, aws.clock, out, as_json=as_json)
            except LeaseTableAbsent:
                told = none_found(settings, NOTHING_YET, absent=True)
                sys.stderr.write(f"{time.strftime('%H:%M:%S')}  {told}")
            await asyncio.sleep(WATCH_SECONDS)


async def _watch_table(
    store: LeaseStore, settings: Settings, clock: Clock, out: TextIO, *, as_json: bool
) -> NoReturn:
    while True:
        try:
            reading = await _read(store, settings, clock)
        except Retryable as error:
            sys.stderr.write(f"{time.strftime('%H:%M:%S')}  not read: {error}\n")
        else:
            if out.isatty() and not as_json:
                control(out, CLEAR)
            out.write(_json(reading.lines) if as_json else _screen(reading, out))
            out.flush()
        await asyncio.sleep(WATCH_SECONDS)


def _json(lines: list[LeaseLine], option: int = 0) -> str:
    return orjson.dumps(lines, default=to_builtins, option=option).decode() + "\n"


def _screen(reading: LeaseReading, out: TextIO) -> str:
    """Return the text to print: on a terminal as many shards as fit, and the number of others."""
    lines, told = reading.lines, notes(reading)
    head = f"{time.strftime('%H:%M:%S')}  {summary(lines)}\n"
    if not out.isatty():
        return head + table(lines) + told
    room = max(1, shutil.get_terminal_size().lines - 4 - told.count("\n"))
    more = f"and {len(lines) - room} more\n" if len(lines) > room else ""
    return head + table(lines[:room]) + more + told


def summary(lines: Sequence[LeaseLine]) -> str:
    """Return one line with the number of leases in each state."""
    states: dict[str, int] = {}
    for line in lines:
        states[line.state] = states.get(line.state, 0) + 1
    counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return f"{len(lines)} shards: {counts}" if counts else NOTHING_YET


async def _read(store: LeaseStore, settings: Settings, clock: Clock) -> LeaseReading:
    workers, streams = await store.read_peers()
    duration = settings.lease_duration_seconds
    lines = await lease_lines(store, workers, streams, duration, clock)
    return LeaseReading(lines, worker_statuses(workers, duration, clock.wall()))


def table(lines: Sequence[LeaseLine]) -> str:
    """Return the lines as text; the streams have a column if there are several."""
    many = len({line.stream for line in lines}) > 1
    header = ("stream", *HEADER) if many else HEADER
    rows = [(line.stream, *_cells(line)) if many else _cells(line) for line in lines]
    return columns([header, *rows])


def notes(reading: LeaseReading) -> str:
    """Return a line for each pause and for each worker with which something is wrong."""
    pauses = {line.pause for line in reading.lines if line.pause is not None}
    lines = sorted(f"paused {iso(pause.at)} {pause.words}" for pause in pauses)
    for worker in reading.workers:
        if worker.state in (WorkerState.OK, UNKNOWN):
            continue
        since = "" if worker.since is None else f" since {iso(worker.since)}"
        why = "" if worker.reason is None else f": {worker.reason}"
        lines.append(f"worker {worker.worker}: {worker.state}{since}{why}")
        if worker.action:
            lines.append(f"  → {worker.action}")
    return "".join(f"{line}\n" for line in lines)


def _cells(line: LeaseLine) -> tuple[str, ...]:
    age = "" if line.age_seconds is None else f"{line.age_seconds:.0f} s"
    owner, parent = line.owner or "-", line.parent_shard_id or "-"
    marks = [mark for mark, set_ in (("paused", line.paused), ("idle", line.idle)) if set_]
    return (
        line.shard_id,
        ", ".join((line.state, *marks)),
        owner,
        line.checkpoint,
        age,
        parent,
    )
