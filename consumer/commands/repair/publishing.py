"""The second half of a repair: the keys that were found are published, and that is noted.

A later run of the same repair goes on behind the last key that is settled.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from msgspec.structs import replace

from consumer.commands.publishing import stop_on_signals
from consumer.commands.repair.parts import opened_parts
from consumer.commands.republish.republishing import opened
from consumer.commands.republish.service_look import check_prefix
from consumer.commands.run_progress import RunProgress
from consumer.core.repair.repair_run import RepairCounts, RepairRun
from consumer.core.republish.item_key import identity_of
from consumer.errors import Retryable, TableNotFound
from consumer.find_stream import patiently
from consumer.runtime.republish.publishing import RepublishEnded
from consumer.runtime.republish.repairing import BATCH_KEYS, Repairing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec import Raw

    from consumer.adapters.exports.changed_keys import ChangedKeys
    from consumer.commands.repair.parts import Parts
    from consumer.commands.repair.spans import Span
    from consumer.commands.republish.refused_keys import RefusedKeys
    from consumer.commands.republish.republishing import Rates, Reach
    from consumer.core.repair.exported_change import ExportedChange
    from consumer.core.reports.runs.republish_report import RepublishReport
    from consumer.core.republish.item_key import KeyIdentity
    from consumer.settings.settings import Settings

LEASE_TABLE = "the lease table"


async def run_of(
    settings: Settings, reach: Reach, begin: int, end: int, *, anew: bool
) -> RepairRun:
    """Return how far the repair of this time has come, of the same routes; else a new one.

    Raise Unreachable, Misconfigured.
    """
    routes = tuple(route.event_type for route in reach.participation.taking)
    async with opened_parts(settings, reach.table) as parts:
        _, streams = await patiently(LEASE_TABLE, parts.gaps.read_peers, parts.clock, parts.chance)
        check_prefix(settings, reach.run.stream.key, streams)
        found = await _of_rows(parts, reach.table.name, begin, end)
        if found is not None and found.routes == routes and not anew:
            return found
        return RepairRun(reach.table.name, begin, end, routes, parts.clock.wall())


async def publish(
    reach: Reach, rates: Rates, run: RepairRun, keys: ChangedKeys, refused: RefusedKeys
) -> tuple[RepairRun, RepublishReport]:
    """Publish the keys behind those that are settled; return how far the repair has come."""
    async with (
        opened(reach, rates) as engine,
        opened_parts(reach.settings, reach.table) as parts,
    ):
        progress, total = RunProgress(sys.stderr, engine.clock, "repair"), keys.count()
        before = run.counts

        def show(report: RepublishReport) -> None:
            progress.show(before.keys + report.read, total, f"{report.stored} events stored")

        repairing = Repairing(engine.reads, engine.republisher, refused.write, show)
        stop_on_signals(repairing.stop)
        report = repairing.report
        settled = (run.settled or "").encode()
        try:
            while changes := keys.following(settled, BATCH_KEYS):
                await repairing.publish_keys([each.keys for each in changes], _images(changes))
                settled = changes[-1].key
                counts = _counts(before, report)
                run = replace(run, settled=settled.decode(), counts=counts)
                await _write(parts, run)
        except RepublishEnded as error:
            report.ended = str(error)
        except (Retryable, TableNotFound) as error:
            report.ended = f"the table could not be read: {error}"
        progress.close(before.keys + report.read, total, f"{report.stored} events stored")
        if report.ended is None:
            run = await _note_end(parts, run)
        return run, report


async def mark_repaired(settings: Settings, reach: Reach, span: Span, run: RepairRun) -> bool:
    """Note in the gap's row that it is repaired; return False if it was met again meanwhile."""
    if span.gap is None:
        return True
    stream_key, gap = span.gap
    repaired = replace(gap, repaired_at=run.done_at)
    async with opened_parts(settings, reach.table) as parts:
        return await patiently(
            LEASE_TABLE,
            lambda: parts.gaps.mark_repaired(stream_key, repaired),
            parts.clock,
            parts.chance,
        )


def _images(changes: Sequence[ExportedChange]) -> dict[KeyIdentity, Raw]:
    """Return the newest images of the changes, by key."""
    return {identity_of(each.keys): each.image for each in changes if each.image is not None}


def _counts(before: RepairCounts, report: RepublishReport) -> RepairCounts:
    return RepairCounts(
        before.keys + report.read,
        before.gone + report.gone,
        before.untaken + report.untaken,
        before.refused + sum(report.refusals.values()),
    )


async def _note_end(parts: Parts, run: RepairRun) -> RepairRun:
    """Write that all keys are settled. If some were refused, another run begins anew."""
    if run.counts.refused:
        ended = replace(run, settled=None, counts=RepairCounts())
    else:
        ended = replace(run, done_at=parts.clock.wall())
    await _write(parts, ended)
    return replace(run, done_at=ended.done_at)


async def _write(parts: Parts, run: RepairRun) -> None:
    await patiently(LEASE_TABLE, lambda: parts.rows.write_run(run), parts.clock, parts.chance)


async def _of_rows(parts: Parts, table: str, begin: int, end: int) -> RepairRun | None:
    return await patiently(
        LEASE_TABLE,
        lambda: parts.rows.read_run(table, begin, end),
        parts.clock,
        parts.chance,
    )
