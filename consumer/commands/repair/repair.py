"""`consumer repair`: publishes again the keys that changed while the stream was not read.

Exports of the table's backup name these keys. Each is read now, twice, and published as what it is,
or as gone with the newest image that the exports have. An image of an export is never published as
the state of a key.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

from consumer.adapters.exports.changed_keys import ChangedKeys
from consumer.commands.repair.lost_keys import LostKeys, Wanted
from consumer.commands.repair.publishing import mark_repaired, publish, run_of
from consumer.commands.repair.spans import spans_of
from consumer.commands.republish.refused_keys import RefusedKeys
from consumer.commands.republish.republishing import Rates, confirm, look
from consumer.core.repair.export import Destination
from consumer.core.repair.window import Restorable, reach_of
from consumer.core.reports.times import iso
from consumer.observability import logs
from consumer.settings.loading import APPLICATION, EVENT_TYPE, NAKADI, SOURCE, load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import TextIO

    from consumer.commands.repair.spans import Span
    from consumer.commands.republish.republishing import Reach
    from consumer.core.repair.repair_run import RepairRun
    from consumer.core.repair.window import Reach as Windows
    from consumer.settings.settings import Settings

ALWAYS = Restorable(0.0, float("inf"))

STAYS_LOST = (
    "what a key was between two of its changes stays lost, and so does a key that was made and"
    " deleted within a window"
)


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Repair; return 0 if all was published, 1 if something was refused, or out of reach.

    Raise Misconfigured for what cannot be, before anything is published.
    """
    settings = load_settings(environ, [EVENT_TYPE, NAKADI, SOURCE, APPLICATION])
    rates = Rates.of(arguments)
    logs.configure_command()
    spans = spans_of(arguments, settings, time.time())
    reach = look(settings, arguments.route, "repair", removes=True)
    destination = Destination(
        arguments.bucket or "", arguments.bucket_owner, arguments.prefix, arguments.kms_key
    )
    wanted = Wanted(destination, arguments.export, arguments.again)
    lost = LostKeys(settings, reach.table, wanted)
    if not spans:
        spans = [asyncio.run(lost.span_of_export())]
    command = Command(settings, arguments, rates, reach, lost, out)
    return max([command.repair(span) for span in spans])


class Command:
    """One run of the command: its spans are repaired one after the other."""

    def __init__(
        self,
        settings: Settings,
        arguments: argparse.Namespace,
        rates: Rates,
        reach: Reach,
        lost: LostKeys,
        out: TextIO,
    ) -> None:
        self._settings = settings
        self._arguments = arguments
        self._rates = rates
        self._reach = reach
        self._lost = lost
        self._out = out

    def repair(self, span: Span) -> int:
        """Repair one span; return the exit code. Raise Misconfigured, Unreachable."""
        arguments, named = self._arguments, self._arguments.export is not None
        whole = reach_of(span.since, span.until, ALWAYS)
        begin, end = whole.windows[0].begin, whole.end
        run = asyncio.run(run_of(self._settings, self._reach, begin, end, anew=arguments.again))
        reach = replace(self._reach, run=replace(self._reach.run, id=run.run_id))
        self._tell(f"{span.title}: changed from {iso(span.since)} to {iso(span.until)}")
        if run.done_at is not None:
            self._tell(f"published at {iso(run.done_at)}; --again publishes it once more")
            return self._mark(span, run)
        windows = None if named else asyncio.run(self._lost.windows(span))
        if windows is not None:
            self._tell_windows(windows)
        self._tell(*reach.lines())
        if arguments.dry_run and not named:
            self._tell("dry run: nothing was exported, nothing was published")
            return 0
        with ChangedKeys() as keys, RefusedKeys(arguments.refused) as refused:
            lines = asyncio.run(self._lost.collect(span, windows, keys))
            most = keys.count() * len(reach.participation.taking)
            told = f"{lines} lines, {keys.count()} keys, at most {most} events"
            if run.settled is not None:
                told += f"; {run.counts.keys} keys are settled by an earlier run"
            self._tell(told, STAYS_LOST)
            if arguments.dry_run:
                self._tell("dry run: nothing was published")
                return 0
            if not arguments.yes:
                confirm("Publish what the table holds of these keys?")
            run, report = asyncio.run(publish(reach, self._rates, run, keys, refused))
        self._tell(*report.lines())
        if run.done_at is None:
            self._tell("not repaired: run the command again")
            return 1
        if windows is not None and windows.lost_until is not None:
            return 1
        return self._mark(span, run)

    def _mark(self, span: Span, run: RepairRun) -> int:
        """Note that a gap is repaired; return the exit code."""
        if span.gap is None:
            return 0
        if self._arguments.route:
            self._tell("the gap is not marked as repaired, as --route left others out")
            return 0
        if asyncio.run(mark_repaired(self._settings, self._reach, span, run)):
            self._tell("the gap is marked as repaired")
            return 0
        self._tell("the gap was met again meanwhile: run the command again")
        return 1

    def _tell_windows(self, windows: Windows) -> None:
        if windows.lost_until is not None:
            self._tell(
                f"out of reach: what was changed before {iso(windows.lost_until)}, which is as far"
                " as point-in-time recovery goes back"
            )
        for window in windows.windows:
            self._tell(f"export of {iso(window.begin)} to {iso(window.end)}")

    def _tell(self, *lines: str) -> None:
        self._out.write("".join(f"{line}\n" for line in lines))
        self._out.flush()
