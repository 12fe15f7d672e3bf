"""`consumer leases`: who reads which shard, and how far it is."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import orjson

from consumer import logs
from consumer.access import fallback_region
from consumer.adapters.aws import Aws
from consumer.adapters.clock import SystemClock
from consumer.adapters.lease_table import LeaseTable
from consumer.commands.columns import columns
from consumer.core.lease_report import LeaseLine, lease_report
from consumer.core.lineage import chain
from consumer.errors import LeaseTableAbsent, Retryable, StreamUnreachable
from consumer.settings import load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import TextIO

    from consumer.settings import Settings

CONNECTIONS = 2
REQUEST_SECONDS = 10.0
"""Nobody's heartbeat waits for this read: it may take longer than the service's own."""

HEADER = ("shard", "state", "owner", "checkpoint", "age", "parent")


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Print all leases of this application, its older streams first."""
    settings = load_settings(environ)
    logs.configure_command()
    try:
        lines = asyncio.run(_read(settings))
    except LeaseTableAbsent:
        lines = []
    if not lines:
        where = f"lease table {settings.lease_table!r}, application {settings.application!r}"
        sys.stderr.write(f"no leases: nothing has run yet ({where})\n")
    if arguments.json:
        out.write(orjson.dumps(lines, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        out.write(columns([HEADER, *map(_cells, lines)]))
    return 0


async def _read(settings: Settings) -> list[LeaseLine]:
    clock = SystemClock()
    async with Aws(fallback_region(settings)) as aws:
        store = LeaseTable(
            await aws.dynamodb(CONNECTIONS),
            clock,
            table=settings.lease_table,
            application=settings.application,
            request_seconds=REQUEST_SECONDS,
        )
        try:
            await store.ensure_table(create=False)
            workers, streams = await store.read_peers()
            leases = [(await store.read_leases(row.key)) for row in chain(streams)]
        except Retryable as error:
            raise StreamUnreachable(f"lease table {settings.lease_table}: {error}") from error
    duration = settings.lease_duration_seconds
    return [line for each in leases for line in lease_report(each, workers, duration, clock.wall())]


def _cells(line: LeaseLine) -> tuple[str, ...]:
    age = "" if line.age_seconds is None else f"{line.age_seconds:.0f} s"
    owner, parent = line.owner or "-", line.parent_shard_id or "-"
    return (line.shard_id, line.state.value, owner, line.checkpoint, age, parent)
