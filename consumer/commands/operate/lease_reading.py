"""Opens the lease table for the operator's commands, and reads the leases for people."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from consumer.adapters.aws.aws import Aws
from consumer.adapters.lease_table.lease_table import LeaseTable
from consumer.core.leases.streams.lineage import oldest_first
from consumer.core.reports.lease_report import lease_report
from consumer.credentials import fallback_region
from consumer.errors import LeaseTableAbsent, Retryable, Unreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from consumer.core.leases.lease import StreamRow, Worker
    from consumer.core.reports.lease_report import LeaseLine
    from consumer.ports import Clock, LeaseStore
    from consumer.settings.settings import Settings

CONNECTIONS = 2
REQUEST_SECONDS = 10.0
"""Longest request. No heartbeat depends on it, so it may take longer than in the service."""


@asynccontextmanager
async def open_lease_table(settings: Settings, aws: Aws | None = None) -> AsyncIterator[LeaseTable]:
    """Open the lease table of the settings; `aws` is used if given, and stays open.

    Raise LeaseTableAbsent, Misconfigured, or Unreachable in place of a Retryable, which the
    block may raise too.
    """
    if aws is None:
        async with (
            Aws(fallback_region(settings)) as opened,
            open_lease_table(settings, opened) as store,
        ):
            yield store
        return
    try:
        store = LeaseTable(
            await aws.dynamodb(CONNECTIONS),
            aws.clock,
            table=settings.lease_table,
            application=settings.application,
            request_seconds=REQUEST_SECONDS,
        )
        await store.ensure_table(create=False)
        yield store
    except LeaseTableAbsent as error:
        raise absent_by(settings, aws) from error
    except Retryable as error:
        raise Unreachable(f"lease table {settings.lease_table}: {error}") from error


def absent_by(settings: Settings, aws: Aws) -> LeaseTableAbsent:
    """Return the error of a command that finds no lease table: only `run` creates it."""
    return LeaseTableAbsent(
        f"CONSUMER_LEASE_TABLE: no table {settings.lease_table!r} in {aws.region}, wanted that of"
        " the service: nothing has run yet, or the name or the region is wrong"
    )


async def lease_lines(
    store: LeaseStore,
    workers: Sequence[Worker],
    streams: Sequence[StreamRow],
    lease_duration: float,
    clock: Clock,
) -> list[LeaseLine]:
    """Read the leases and return a line for each, older streams first.

    `lease_duration` is for workers whose row states none.
    """
    leases = [(row.key, await store.read_leases(row.key)) for row in oldest_first(streams)]
    wall = clock.wall()  # AWS's time by now: several answers have come
    return [
        line
        for key, rows in leases
        for line in lease_report(key, rows, workers, lease_duration, wall)
    ]


def none_found(settings: Settings, words: str, *, absent: bool = False) -> str:
    """Return the line for an empty result, with the table and application that were read.

    `absent` says that there is no such table.
    """
    where = f"lease table {settings.lease_table!r}, application {settings.application!r}"
    doubt = "; there is no such table: if the service runs, the name or the region is wrong"
    return f"{words} ({where}{doubt if absent else ''})\n"
