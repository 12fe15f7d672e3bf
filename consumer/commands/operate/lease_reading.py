"""Opens the lease table for the operator's commands."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from consumer.adapters.aws.aws import Aws
from consumer.adapters.lease_table.lease_table import LeaseTable
from consumer.credentials import fallback_region
from consumer.errors import Retryable, StreamUnreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from consumer.settings.settings import Settings

CONNECTIONS = 2
REQUEST_SECONDS = 10.0
"""Longest request. No heartbeat depends on it, so it may take longer than in the service."""


@asynccontextmanager
async def open_lease_table(settings: Settings, aws: Aws | None = None) -> AsyncIterator[LeaseTable]:
    """Open the lease table of the settings; `aws` is used if given, and stays open.

    Raise LeaseTableAbsent, Misconfigured, or StreamUnreachable in place of a Retryable, which the
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
    except Retryable as error:
        raise StreamUnreachable(f"lease table {settings.lease_table}: {error}") from error


def none_found(settings: Settings, words: str) -> str:
    """Return the line for an empty result, with the table and application that were read."""
    where = f"lease table {settings.lease_table!r}, application {settings.application!r}"
    return f"{words} ({where})\n"
