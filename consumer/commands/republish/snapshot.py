"""`consumer snapshot`: publishes what the whole table holds now, for new readers, or to repair all.

Several processes share a snapshot by its id, and one that is killed is replaced by another start
of the same command. What is refused goes to a file, and the command goes on.
"""

from __future__ import annotations

import asyncio
import random
import socket
import sys
import uuid
from typing import TYPE_CHECKING

from consumer.adapters.aws.aws import Aws
from consumer.adapters.lease_table.lease_table_setup import ensure_table
from consumer.adapters.lease_table.snapshot_table import SnapshotTable
from consumer.commands.operate.lease_reading import REQUEST_SECONDS, absent_by
from consumer.commands.publishing import stop_on_signals
from consumer.commands.republish.refused_keys import RefusedKeys
from consumer.commands.republish.republishing import confirm, look, opened
from consumer.commands.republish.service_look import check_service
from consumer.commands.republish.snapshot_preview import count_events, preview
from consumer.commands.republish.snapshot_progress import Progress
from consumer.commands.republish.snapshot_terms import SnapshotOptions
from consumer.core.event.occurred_at import occurred_at
from consumer.core.republish.snapshot import Mode
from consumer.core.republish.table.scan_page_size import ScanPageSize
from consumer.credentials import fallback_region
from consumer.errors import Fatal, LeaseTableAbsent, Retryable, Unreachable
from consumer.observability import logs
from consumer.runtime.republish.patient_store import PatientStore
from consumer.runtime.republish.segment_scan import SegmentScan
from consumer.runtime.republish.snapshot_run import SnapshotParts, SnapshotRun
from consumer.runtime.republish.snapshot_start import join_or_begin
from consumer.settings.loading import EVENT_TYPE, NAKADI, SOURCE, load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping
    from typing import TextIO

    from consumer.commands.republish.republishing import Engine, Reach
    from consumer.core.republish.snapshot import Snapshot

CONNECTIONS = 8


class NotFinished(Fatal):
    """The command ended before its snapshot; another start with the same id goes on."""


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Publish; write the summary to `out`; return 0 if all was stored, else 1.

    Raise Misconfigured for what cannot be, before anything is published.
    """
    options = SnapshotOptions.of(arguments)
    settings = load_settings(environ, [EVENT_TYPE, NAKADI, SOURCE])
    logs.configure_command()
    reach = look(settings, arguments.route, options.id, removes=False)
    options.check(reach)
    out.write("".join(f"{line}\n" for line in (*reach.lines(), *preview(reach, options))))
    out.flush()
    if arguments.dry_run:
        if arguments.count:
            asyncio.run(count_events(reach, options, out))
        out.write("dry run: nothing was published\n")
        return 0
    if not options.without_service:
        age = check_service(reach, anyway=options.anyway)
        out.write(f"the service is {0.0 if age is None else age:.0f} s behind\n")
        out.flush()
    with RefusedKeys(arguments.refused) as refused:
        if not arguments.yes:
            confirm("Publish what the table holds?")
        snapshot = asyncio.run(_publish(reach, options, environ, refused))
    out.write("".join(f"{line}\n" for line in summary(snapshot)))
    return int(snapshot.counts.refused > 0)


def summary(snapshot: Snapshot) -> Iterator[str]:
    """Yield the lines of the summary of a snapshot that has ended."""
    began, ended = occurred_at(snapshot.started_at), occurred_at(snapshot.ended_at or 0.0)
    counts = snapshot.counts
    yield f"snapshot {snapshot.id}: began {began}, ended {ended}"
    yield f"{counts.items} items read; {counts.stored} events stored, {counts.refused} refused"
    if counts.untaken:
        yield f"taken by no route, or left out by --filter: {counts.untaken} items"


async def _publish(
    reach: Reach, options: SnapshotOptions, environ: Mapping[str, str], refused: RefusedKeys
) -> Snapshot:
    """Take part until the snapshot has ended; return its row. Raise NotFinished."""
    settings, clock = reach.settings, reach.clock
    chance = random.Random()  # noqa: S311 - spreads retries, guards no secret
    async with (
        Aws(fallback_region(settings), clock) as aws,
        opened(reach, options.rates, options.apart) as engine,
    ):
        dynamodb = await aws.dynamodb(CONNECTIONS)
        try:
            await ensure_table(dynamodb, clock, settings.lease_table, create=False)
        except LeaseTableAbsent as error:
            raise absent_by(settings, aws) from error
        except Retryable as error:
            raise Unreachable(f"lease table {settings.lease_table}: {error}") from error
        table = SnapshotTable(
            dynamodb,
            clock,
            table=settings.lease_table,
            application=settings.application,
            request_seconds=REQUEST_SECONDS,
        )
        store = PatientStore(table, clock, chance)
        wanted = options.snapshot(reach, environ, clock.wall())
        any_segments = options.segments is None
        snapshot = await join_or_begin(
            store, wanted, any_segments=any_segments, again=options.again
        )
        if snapshot.ended_at is not None:
            return snapshot
        progress = Progress(sys.stderr, clock, reach.table.items)
        parts = _parts(reach, options, engine, store, chance, refused, progress)
        me = f"{socket.gethostname()}/{uuid.uuid4().hex[:12]}"
        made = SnapshotRun(snapshot, parts, me, settings.lease_duration_seconds)
        stop_on_signals(made.stop)
        ended = await made.run()
        progress.close()
        if ended is None or ended.run != snapshot.run:
            raise NotFinished(
                f"snapshot {snapshot.id} has not ended: {made.ending or 'it was begun anew'};"
                f" --id {snapshot.id} goes on"
            )
        return ended


def _parts(
    reach: Reach,
    options: SnapshotOptions,
    engine: Engine,
    store: PatientStore,
    chance: random.Random,
    refused: RefusedKeys,
    progress: Progress,
) -> SnapshotParts:
    in_a_second = int(options.rates.published / len(reach.participation.taking))
    size = ScanPageSize(engine.units, reach.table.item_bytes, most=in_a_second)
    asked = options.filter
    return SnapshotParts(
        store,
        SegmentScan(engine.scan, engine.reader, size, engine.clock),
        engine.republisher,
        engine.clock,
        chance,
        refused.write,
        progress.show,
        engine.reads if options.mode is Mode.TWICE else None,
        None if asked is None else reach.item_filter(asked),
    )
