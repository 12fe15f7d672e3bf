"""`consumer gaps`: prints where records were lost unread or skipped, and why."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import orjson

from consumer.adapters.aws.aws import Aws
from consumer.commands.columns import columns
from consumer.commands.operate.lease_reading import none_found, open_lease_table
from consumer.core.leases.streams.lineage import oldest_first
from consumer.core.reports.gap_report import GapLine, gap_report
from consumer.credentials import fallback_region
from consumer.errors import LeaseTableAbsent
from consumer.observability import logs
from consumer.settings.loading import APPLICATION, load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence
    from typing import TextIO

    from consumer.core.leases.lease import Gap
    from consumer.ports import LeaseStore
    from consumer.settings.settings import Settings

HEADER = ("shard", "from", "to", "reason", "time", "repair")


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Print all gap rows of this application, in the order they were found; return 0."""
    settings = load_settings(environ, [APPLICATION])
    logs.configure_command()
    absent = False
    try:
        streams, lines = asyncio.run(_read(settings))
    except LeaseTableAbsent:
        absent, streams, lines = True, 0, ()
    if arguments.json:
        out.write(_json(lines) + "\n")
    elif lines:
        out.write(table(lines))
    if not lines:
        word = "nothing was lost unread" if streams else "nothing has run yet"
        sys.stderr.write(none_found(settings, f"no gaps: {word}", absent=absent))
    return 0


async def _read(settings: Settings) -> tuple[int, tuple[GapLine, ...]]:
    """Return the number of streams that were ever read, and their gaps."""
    async with (
        Aws(fallback_region(settings)) as aws,
        open_lease_table(settings, aws) as store,
    ):
        gaps = await read_gaps(store)
        return len(gaps), gap_report(gaps, aws.clock.wall())  # AWS's time by now


async def read_gaps(store: LeaseStore) -> dict[str, Sequence[Gap]]:
    """Return the gaps of all streams that were ever read, by stream key, older streams first."""
    _, streams = await store.read_peers()
    return {row.key: await store.read_gaps(row.key) for row in oldest_first(streams)}


def _json(lines: Sequence[GapLine]) -> str:
    rows = [line.as_json() for line in lines]
    return orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode()


def table(lines: Sequence[GapLine]) -> str:
    """Return the lines as text; event types have a column if a line names any."""
    if not any(line.behind for line in lines):
        return columns([HEADER, *map(_cells, lines)])
    rows = [(*_cells(line), line.lost_for or "all") for line in lines]
    return columns([(*HEADER, "lost for"), *rows])


def _cells(line: GapLine) -> tuple[str, ...]:
    to = line.to or "-"
    return (line.shard_id, line.from_, to, line.reason, line.detected_at, line.repair)
