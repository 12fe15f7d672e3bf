"""`consumer republish --touch`: has items published again by a write of our own attribute.

The change comes by the stream, in its exact place among those of its key: also for readers that
keep the last event by arrival. Nothing is written before it is known that all workers that live
leave the attribute out.
"""

from __future__ import annotations

import asyncio
import random
import sys
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.item_touches import DynamoDbTouches
from consumer.adapters.aws.table_scan import DynamoDbScan
from consumer.adapters.aws.tables import DynamoDbTable
from consumer.commands import confirmation
from consumer.commands.operate.lease_reading import open_lease_table
from consumer.commands.publishing import stop_on_signals
from consumer.commands.republish.refused_keys import RefusedKeys
from consumer.commands.republish.republishing import (
    CONNECTIONS,
    Reach,
    filter_of,
    look_at_touch,
    number,
    run_id,
)
from consumer.commands.republish.wanted_items import (
    Wanted,
    found,
    read_once,
    wanted_keys,
)
from consumer.commands.run_progress import RunProgress
from consumer.core.republish.rate_limit import RateLimit, usual_rate
from consumer.core.republish.touch_terms import UNIT_BYTES, hindrance, said
from consumer.credentials import fallback_region
from consumer.errors import Misconfigured, Retryable, TableNotFound, Unreachable
from consumer.observability import logs
from consumer.runtime.republish.table_reader import TableReader
from consumer.runtime.republish.touch_guard import TouchGuard
from consumer.runtime.republish.touching import TouchEnded, Touching
from consumer.settings.loading import EVENT_TYPE, NAKADI, SOURCE, load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Mapping
    from typing import TextIO

    from consumer.core.reports.runs.touch_report import TouchReport
    from consumer.ports import LeaseStore

_OF_READERS = ("route", "max_rate")
"""Options that choose what is published, and how fast: a touch is published by the service."""


class Desk(Struct, frozen=True):
    """What a run works with, opened."""

    aws: Aws
    reader: TableReader
    scan: DynamoDbScan
    touches: DynamoDbTouches
    chance: random.Random


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Touch; write the summary to `out`; return the report's exit code.

    Raise Misconfigured for what cannot be, before anything is written.
    """
    settings = load_settings(environ, [EVENT_TYPE, NAKADI, SOURCE])
    asked = filter_of(arguments.filter)
    if not (arguments.key or arguments.keys_from or asked):
        raise Misconfigured("--key, --keys-from or --filter: found none of them, wanted items")
    for option in _OF_READERS:
        if getattr(arguments, option):
            raise Misconfigured(
                f"--{option.replace('_', '-')}: found it beside --touch, by which the service"
                " publishes as ever"
            )
    rcu, wcu = number("--rcu", arguments.rcu), number("--wcu", arguments.wcu)
    logs.configure_command()
    reach = look_at_touch(settings, run_id("touch"))
    why = hindrance(reach.table, settings.touch_attribute, only_writer=arguments.only_writer_region)
    if why is not None:
        raise Misconfigured(f"--touch: {why}")
    wanted = wanted_keys(arguments.key, arguments.keys_from, reach.table)
    if asked is not None:
        wanted = replace(wanted, asked=reach.item_filter(asked))
    asyncio.run(check_workers(reach))
    read = rcu or usual_rate(reach.table.read_capacity)
    written = wcu or usual_rate(reach.table.write_capacity)
    lines = (*reach.lines(), *said(settings.touch_attribute, written), wanted.told())
    out.write("".join(f"{line}\n" for line in lines))
    out.flush()
    if arguments.dry_run:
        asyncio.run(_count(reach, wanted, read, out))
        return 0
    with RefusedKeys(arguments.refused) as refused:
        if not arguments.yes:
            confirmation.confirm("Touch these items? ", to="touch", done="touched")
        report = asyncio.run(_touch(reach, wanted, (read, written), refused))
    out.write("".join(f"{line}\n" for line in report.lines()))
    return report.exit_code


async def check_workers(reach: Reach) -> None:
    """Raise Misconfigured unless all workers that live leave the attribute out.

    Raise Unreachable if the lease table does not answer.
    """
    async with (
        Aws(fallback_region(reach.settings), reach.clock) as aws,
        open_lease_table(reach.settings, aws) as store,
    ):
        why = await _guard(reach, store).first()
    if why is not None:
        raise Misconfigured(f"application {reach.settings.application}: {why}")


def _guard(reach: Reach, store: LeaseStore) -> TouchGuard:
    settings = reach.settings
    attribute, table = settings.touch_attribute, reach.table.name
    return TouchGuard(store, reach.clock, settings.lease_timing(), attribute, table)


async def _touch(
    reach: Reach, wanted: Wanted, units: tuple[float, float], refused: RefusedKeys
) -> TouchReport:
    read, written = units
    async with (
        _opened(reach, read) as desk,
        open_lease_table(reach.settings, desk.aws) as store,
    ):
        progress = RunProgress(sys.stderr, reach.clock, "touch")

        def show(report: TouchReport) -> None:
            progress.show(report.done, wanted.total, f"{report.touched} items touched")

        touching = Touching(
            desk.touches,
            reach.run.id,
            _guard(reach, store),
            RateLimit(written),
            reach.clock,
            desk.chance,
            refused.write,
            show,
        )
        stop_on_signals(touching.stop)
        report = touching.report
        try:
            await touching.touch(wanted.keys)
            pages = found(desk.reader, desk.scan, reach.table, wanted)
            while (page := await touching.read(partial(anext, pages, None))) is not None:
                await touching.touch([item.keys for item in page])
        except TouchEnded as ended:
            report.ended = str(ended)
        except (Retryable, TableNotFound) as error:
            report.ended = f"the table, or the lease table, did not answer as it should: {error}"
        progress.close(report.done, wanted.total, f"{report.touched} items touched")
        return report


async def _count(reach: Reach, wanted: Wanted, read: float, out: TextIO) -> None:
    """Read once, and say how many items would be touched, and about what that costs."""
    items = gone = units = 0
    async with _opened(reach, read) as desk:
        async for page in read_once(desk.reader, desk.scan, reach.table, wanted):
            for each in page:
                items += each.item is not None
                gone += each.item is None
                units += 0 if each.item is None else -(-len(bytes(each.item)) // UNIT_BYTES)
    told = f"{items} items, {gone} keys without one; about {units} write units, without indexes"
    out.write(f"{told}\ndry run: nothing was touched\n")


@asynccontextmanager
async def _opened(reach: Reach, read: float) -> AsyncIterator[Desk]:
    """Open what is needed to read and to touch; `read` is in read units a second."""
    chance = random.Random()  # noqa: S311 - spreads retries, guards no secret
    async with Aws(fallback_region(reach.settings), reach.clock) as aws:
        dynamodb = await aws.dynamodb(CONNECTIONS)
        table = DynamoDbTable(dynamodb, reach.clock, reach.table.name, reach.table.keys)
        try:
            yield Desk(
                aws,
                TableReader(table, RateLimit(read), reach.clock, chance),
                DynamoDbScan(table, dynamodb),
                DynamoDbTouches(table, dynamodb, reach.settings.touch_attribute),
                chance,
            )
        except TableNotFound as error:
            raise Misconfigured(f"CONSUMER_TABLE: {error}") from error
        except Retryable as error:
            raise Unreachable(f"table {reach.table.name}: {error}") from error
