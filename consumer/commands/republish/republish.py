"""`consumer republish`: publishes again what the table holds of some keys.

Each key is read twice and published as what it is now, or as gone: the state that a reader takes
for its own if it missed a change. What is refused goes to a file, and the command goes on.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from consumer.commands.publishing import stop_on_signals
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
from consumer.commands.run_progress import RunProgress
from consumer.core.republish.item_key import Key, NotAKey, read_key, read_keys
from consumer.errors import Misconfigured, Retryable
from consumer.observability import logs
from consumer.runtime.republish.publishing import RepublishEnded
from consumer.runtime.republish.repairing import BATCH_KEYS, Repairing
from consumer.runtime.republish.two_reads import BATCH_BYTES
from consumer.settings.loading import EVENT_TYPE, NAKADI, SOURCE, load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from typing import TextIO

    from msgspec import Raw

    from consumer.commands.republish.republishing import Engine
    from consumer.core.reports.republish_report import RepublishReport
    from consumer.core.republish.item_filter import ItemFilter
    from consumer.core.republish.read_item import ReadItem
    from consumer.core.republish.table_description import TableDescription

T = TypeVar("T")

KEYS_MAX = 1_000_000
"""Most keys of one run: they are all in memory. More are better served by a snapshot."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The keys of a run, each once, the partition keys that were given alone, and the filter."""

    keys: tuple[Raw, ...]
    partitions: tuple[Raw, ...] = ()
    asked: ItemFilter | None = None


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Publish; write the summary to `out`; return the report's exit code.

    Raise Misconfigured for what cannot be, before anything is published.
    """
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
    out.write("".join(f"{line}\n" for line in (*reach.lines(), _told(wanted))))
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


def wanted_keys(given: Sequence[str], path: str | None, table: TableDescription) -> Wanted:
    """Return the keys of the options. Raise Misconfigured, with one line."""
    found: dict[object, Key] = {}
    for text in given:
        try:
            key = read_key(text, table)
        except NotAKey as error:
            raise Misconfigured(f"--key: {error}") from None
        found[key.identity] = key
    if path is not None:
        for key in _of_file(path, table):
            found[key.identity] = key
            if len(found) > KEYS_MAX:
                raise Misconfigured(f"--keys-from: more than {KEYS_MAX} keys; use a snapshot")
    return Wanted(
        tuple(key.text for key in found.values() if key.is_whole),
        tuple(key.text for key in found.values() if not key.is_whole),
    )


def _of_file(path: str, table: TableDescription) -> Iterator[Key]:
    try:
        with Path(path).open("rb") as lines:
            yield from read_keys(lines, table)
    except NotAKey as error:
        raise Misconfigured(f"--keys-from: {error}") from None
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise Misconfigured(
            f"--keys-from: found {path!r} ({reason}), wanted a readable file"
        ) from None


async def _publish(
    reach: Reach, wanted: Wanted, rates: Rates, refused: RefusedKeys
) -> RepublishReport:
    async with opened(reach, rates) as engine:
        progress = RunProgress(sys.stderr, engine.clock, "republish")
        total = None if wanted.partitions or wanted.asked else len(wanted.keys)

        def show(report: RepublishReport) -> None:
            progress.show(report.read, total, f"{report.stored} events stored")

        repairing = Repairing(engine.reads, engine.republisher, refused.write, show)
        stop_on_signals(repairing.stop)
        report = repairing.report
        try:
            for keys in _batches(wanted.keys):
                await repairing.publish_keys(keys)
            async for page in _found(engine, reach, wanted):
                for items in _batches(page):
                    await repairing.publish_items(items)
        except RepublishEnded as error:
            report.ended = str(error)
        except Retryable as error:
            report.ended = f"the table could not be read: {error}"
        progress.close(report.read, total, f"{report.stored} events stored")
        return report


async def _count(reach: Reach, wanted: Wanted, rates: Rates, out: TextIO) -> None:
    """Read once, and say what would be published. Raise Misconfigured if it cannot be read."""
    counts: Counter[tuple[str, str]] = Counter()
    async with opened(reach, rates) as engine:
        async for items in _read_once(engine, reach, wanted):
            for item in items:
                made = engine.events.made_of(item)
                operation = "D" if item.item is None else "S"
                counts.update((event.event_type, operation) for event in made.events)
                counts.update((each.event_type, each.reason) for each in made.refusals)
    told = [f"{name}: {count} {what}" for (name, what), count in sorted(counts.items())]
    out.write("".join(f"{line}\n" for line in (*told, "dry run: nothing was published")))


async def _read_once(
    engine: Engine, reach: Reach, wanted: Wanted
) -> AsyncIterator[Sequence[ReadItem]]:
    for keys in _batches(wanted.keys):
        yield await engine.reader.get(keys)
    async for page in _found(engine, reach, wanted):
        yield page


async def _found(engine: Engine, reach: Reach, wanted: Wanted) -> AsyncIterator[Sequence[ReadItem]]:
    """Yield the items of the partition keys, and those that the filter takes, page by page."""
    for partition in wanted.partitions:
        async for page in engine.reader.query(partition):
            yield page
    if wanted.asked is not None:
        taken: list[ReadItem] = []
        size = 0
        async for page in engine.reader.scan(engine.scan, reach.table.item_bytes):
            for item in filter(wanted.asked.takes, page):
                taken.append(item)
                size += len(bytes(item.item or b""))
            if len(taken) >= BATCH_KEYS or size >= BATCH_BYTES:
                yield taken
                taken, size = [], 0
        if taken:
            yield taken


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for first in range(0, len(items), BATCH_KEYS):
        yield items[first : first + BATCH_KEYS]


def _told(wanted: Wanted) -> str:
    told = f"{len(wanted.keys)} keys"
    if wanted.partitions:
        told += f", all items of {len(wanted.partitions)} partition keys"
    if wanted.asked is not None:
        told += ", all items that the filter takes: the whole table is read"
    return told
