"""Looks whether the service reads the table's stream, and what its events say of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from consumer.adapters.aws.aws import Aws
from consumer.commands.operate.lease_reading import lease_lines, open_lease_table
from consumer.core.reports.service_state import OLD_SECONDS, age_of, beating, hindrances
from consumer.credentials import fallback_region
from consumer.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.commands.republish.republishing import Reach
    from consumer.core.leases.lease import StreamRow, Worker
    from consumer.ports import Clock, LeaseStore
    from consumer.settings.settings import Settings

LOOK_SECONDS = 0.5
"""Pause between two reads of the heartbeats."""


def check_service(reach: Reach, *, anyway: bool) -> float | None:
    """Return by how many seconds the service is behind, None if no shard says it.

    Raise Misconfigured unless it reads the stream, and is not far behind, or that is wanted
    `anyway`. Raise Unreachable if the lease table does not answer.
    """
    application = f"application {reach.settings.application}"
    found, age = asyncio.run(_look(reach))
    if found:
        raise Misconfigured(
            f"{application}: {'; '.join(found)}; readers would miss what changes meanwhile"
            " (--without-service publishes all the same)"
        )
    if age is not None and age > OLD_SECONDS and not anyway:
        raise Misconfigured(
            f"{application}: it is {age:.0f} s behind; readers go back in time until it has caught"
            " up, unless they can be repaired (--anyway publishes all the same)"
        )
    return age


def check_prefix(settings: Settings, stream_key: str, rows: Iterable[StreamRow]) -> None:
    """Raise Misconfigured if events of the service say something else of the stream.

    `rows` are the stream rows of the application. Readers order by what is said of the stream: with
    another prefix an item that was read would stand above, or below, all of its changes.
    """
    for row in rows:
        if row.key == stream_key and not row.may_say(settings.stream_prefix):
            raise Misconfigured(
                f"CONSUMER_STREAM_PREFIX: found {settings.stream_prefix!r}, but the events of"
                f" stream {row.key} have {row.stream_prefix!r}; set that"
            )


async def _look(reach: Reach) -> tuple[list[str], float | None]:
    settings, clock, key = reach.settings, reach.clock, reach.run.stream.key
    async with (
        Aws(fallback_region(settings), clock) as aws,
        open_lease_table(settings, aws) as store,
    ):
        before, _ = await store.read_peers()
        alive = await _alive(store, before, key, settings.lease_duration_seconds, clock)
        workers, streams = await store.read_peers()
        check_prefix(settings, key, streams)
        row = next((row for row in streams if row.key == key), None)
        leases = await store.read_leases(key)
        commands = await store.read_commands(key, 0)
        lines = await lease_lines(store, workers, streams, settings.lease_duration_seconds, clock)
        return hindrances(row, leases, commands, alive=alive, wall=clock.wall()), age_of(lines)


async def _alive(
    store: LeaseStore, before: Sequence[Worker], key: str, seconds: float, clock: Clock
) -> bool:
    """Return whether a heartbeat rises within these seconds; later its worker would be dead."""
    until = clock.now() + seconds
    while before and clock.now() < until:
        await clock.sleep(LOOK_SECONDS)
        workers, _ = await store.read_peers()
        if beating(before, workers, key):
            return True
    return False
