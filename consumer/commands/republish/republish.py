"""`consumer republish`: publishes again what the table holds of some keys.

Each key is read twice and published as what it is now, or as gone: the state that a reader takes
for its own if it missed a change. What is refused goes to a file, and the command goes on.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from consumer.commands.publishing import stop_on_signals
from consumer.commands.republish import touch
from consumer.commands.republish.refused_keys import RefusedKeys
from consumer.commands.republish.republishing import (
    Rates,
    Reach,
    confirm,
    filter_of,
    look,
    opened,
    run_id,
)
from consumer.commands.republish.wanted_items import (
    Wanted,
    batches,
    found,
    read_once,
    wanted_keys,
)
from consumer.commands.run_progress import RunProgress
from consumer.errors import Misconfigured, Retryable, TableNotFound
from consumer.observability import logs
from consumer.runtime.republish.publishing import RepublishEnded
from consumer.runtime.republish.repairing import Repairing
from consumer.settings.loading import EVENT_TYPE, NAKADI, SOURCE, load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import TextIO

    from consumer.core.reports.runs.republish_report import RepublishReport


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Publish; write the summary to `out`; return the report's exit code.

    Raise Misconfigured for what cannot be, before anything is published.
    """
    if arguments.touch:
        return touch.run(arguments, environ, out)
    for option in ("wcu", "only_writer_region"):
        if getattr(arguments, option):
            raise Misconfigured(f"--{option.replace('_', '-')}: found it without --touch")
    settings = load_settings(environ, [EVENT_TYPE, NAKADI, SOURCE])
    asked = filter_of(arguments.filter)
    if not (arguments.key or arguments.keys_from or asked):
        raise Misconfigured(
            "--key, --keys-from or --filter: found none of them, wanted what to publish"
        )
    rates = Rates.of(arguments)
    logs.configure_command()
    names = arguments.route
    # A deletion of which the key alone is known goes to routes that are named: none is asked.
    reach = look(settings, names, run_id("republish"), removes=bool(names))
    wanted = wanted_keys(arguments.key, arguments.keys_from, reach.table)
    if asked is not None:
        wanted = replace(wanted, asked=reach.item_filter(asked))
    out.write("".join(f"{line}\n" for line in (*reach.lines(), wanted.told())))
    out.flush()
    if arguments.dry_run:
        asyncio.run(_count(reach, wanted, rates, out))
        return 0
    with RefusedKeys(arguments.refused) as refused:
        if not arguments.yes:
            confirm("Publish what the table holds of them?")
        report = asyncio.run(_publish(reach, wanted, rates, refused))
    out.write("".join(f"{line}\n" for line in report.lines()))
    return report.exit_code


async def _publish(
    reach: Reach, wanted: Wanted, rates: Rates, refused: RefusedKeys
) -> RepublishReport:
    async with opened(reach, rates) as engine:
        progress = RunProgress(sys.stderr, engine.clock, "republish")
        total = wanted.total

        def show(report: RepublishReport) -> None:
            progress.show(report.read, total, f"{report.stored} events stored")

        repairing = Repairing(engine.reads, engine.republisher, refused.write, show)
        stop_on_signals(repairing.stop)
        report = repairing.report
        try:
            for keys in batches(wanted.keys):
                await repairing.publish_keys(keys)
            pages = found(engine.reader, engine.scan, reach.table, wanted)
            while (page := await repairing.read(partial(anext, pages, None))) is not None:
                for items in batches(page):
                    await repairing.publish_items(items)
        except RepublishEnded as error:
            report.ended = str(error)
        except (Retryable, TableNotFound) as error:
            report.ended = f"the table could not be read: {error}"
        progress.close(report.read, total, f"{report.stored} events stored")
        return report


async def _count(reach: Reach, wanted: Wanted, rates: Rates, out: TextIO) -> None:
    """Read once, and say what would be published. Raise Unreachable, Misconfigured."""
    counts: Counter[tuple[str, str]] = Counter()
    async with opened(reach, rates) as engine:
        async for items in read_once(engine.reader, engine.scan, reach.table, wanted):
            for item in items:
                made = engine.events.made_of(item)
                operation = "D" if item.item is None else "S"
                counts.update((event.event_type, operation) for event in made.events)
                counts.update((each.event_type, each.reason) for each in made.refusals)
    told = [f"{name}: {count} {what}" for (name, what), count in sorted(counts.items())]
    out.write("".join(f"{line}\n" for line in (*told, "dry run: nothing was published")))
