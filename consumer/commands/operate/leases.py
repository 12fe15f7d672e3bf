"""`consumer leases`: prints which worker reads which shard, and how far the shard is settled."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from typing import TYPE_CHECKING

import orjson

from consumer.commands.columns import columns
from consumer.commands.operate.lease_reading import none_found, open_lease_table
from consumer.core.leases.lineage import chain
from consumer.core.reports.lease_report import LeaseLine, lease_report
from consumer.errors import LeaseTableAbsent, Retryable
from consumer.observability import logs
from consumer.settings.loading import APPLICATION, load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence
    from typing import TextIO

    from consumer.adapters.lease_table.lease_table import LeaseTable
    from consumer.settings.settings import Settings

WATCH_SECONDS = 2.0
"""Pause of `--watch` between two reads of all lease rows."""

CLEAR = "\x1b[H\x1b[2J"
HEADER = ("shard", "state", "owner", "checkpoint", "age", "parent")


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Print all leases of this application, older streams first; return 0."""
    settings = load_settings(environ, [APPLICATION])
    logs.configure_command()
    if arguments.watch:
        try:
            asyncio.run(_watch(settings, out, as_json=arguments.json))
        except KeyboardInterrupt:
            return 0  # Ctrl-C is how a user ends it
    try:
        lines = asyncio.run(_read_once(settings))
    except LeaseTableAbsent:
        lines = []
    if not lines:
        sys.stderr.write(none_found(settings, "no leases: nothing has run yet"))
    if arguments.json:
        out.write(orjson.dumps(lines, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        out.write(columns([HEADER, *map(_cells, lines)]))
    return 0


async def _read_once(settings: Settings) -> list[LeaseLine]:
    async with open_lease_table(settings) as store:
        return await _read(store, settings)


async def _watch(settings: Settings, out: TextIO, *, as_json: bool) -> None:
    """Print the leases again and again; on a terminal, clear the screen before.

    If the table cannot be read, print the error on stderr and go on.
    """
    async with open_lease_table(settings) as store:
        while True:
            try:
                lines = await _read(store, settings)
            except Retryable as error:
                sys.stderr.write(f"{time.strftime('%H:%M:%S')}  not read: {error}\n")
            else:
                out.write(orjson.dumps(lines).decode() + "\n" if as_json else _screen(lines, out))
                out.flush()
            await asyncio.sleep(WATCH_SECONDS)


def _screen(lines: Sequence[LeaseLine], out: TextIO) -> str:
    """Return the text to print: on a terminal as many shards as fit, and the number of others."""
    head = f"{time.strftime('%H:%M:%S')}  {summary(lines)}\n"
    if not out.isatty():
        return head + columns([HEADER, *map(_cells, lines)])
    room = max(1, shutil.get_terminal_size().lines - 4)
    more = f"and {len(lines) - room} more\n" if len(lines) > room else ""
    return CLEAR + head + columns([HEADER, *map(_cells, lines[:room])]) + more


def summary(lines: Sequence[LeaseLine]) -> str:
    """Return one line with the number of leases in each state."""
    states: dict[str, int] = {}
    for line in lines:
        states[line.state] = states.get(line.state, 0) + 1
    counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return f"{len(lines)} shards: {counts}" if counts else "no leases: nothing has run yet"


async def _read(store: LeaseTable, settings: Settings) -> list[LeaseLine]:
    workers, streams = await store.read_peers()
    leases = [(await store.read_leases(row.key)) for row in chain(streams)]
    duration = settings.lease_duration_seconds
    return [line for each in leases for line in lease_report(each, workers, duration, time.time())]


def _cells(line: LeaseLine) -> tuple[str, ...]:
    age = "" if line.age_seconds is None else f"{line.age_seconds:.0f} s"
    owner, parent = line.owner or "-", line.parent_shard_id or "-"
    state = f"{line.state}, paused" if line.paused else line.state
    return (line.shard_id, state, owner, line.checkpoint, age, parent)
