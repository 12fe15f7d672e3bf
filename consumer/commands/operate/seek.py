"""`consumer seek`: lets the owners of shards go on reading somewhere else."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.streams import DynamoDbStreams
from consumer.adapters.clock import SystemClock
from consumer.commands.operate.lease_reading import CONNECTIONS, open_lease_table
from consumer.commands.operate.operator_command import Wanted, find, operate
from consumer.core.leases.checkpoint import LATEST, TRIM_HORIZON, sequence_of
from consumer.core.leases.command import Action
from consumer.core.stream.stream import AfterSequence, AtTrimHorizon, Stream
from consumer.credentials import fallback_region
from consumer.errors import Misconfigured, Retryable, ShardNotFound, TrimmedData
from consumer.observability import logs
from consumer.settings.loading import load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence
    from typing import TextIO

    from consumer.commands.operate.operator_command import Place
    from consumer.ports import StreamClient
    from consumer.settings.settings import Settings


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Say what will be repeated or skipped, ask, and leave the command for the owners."""
    settings = load_settings(environ)
    logs.configure_command()
    target = place(arguments.to, time.time())
    if sequence_of(target) is not None and len(arguments.shard) != 1:
        raise Misconfigured("--to: a sequence number is one shard's, wanted one --shard with it")
    wanted = Wanted(
        Action.SEEK, target, tuple(arguments.shard), arguments.dry_run, arguments.yes, time.time()
    )
    return operate(settings, wanted, asyncio.run(_find(settings, wanted)), out)


async def _find(settings: Settings, wanted: Wanted) -> list[Place]:
    async with (
        Aws(fallback_region(settings)) as aws,
        open_lease_table(settings, aws) as store,
    ):
        places = await find(store, settings, wanted)
        if wanted.target == TRIM_HORIZON:
            return places
        client = DynamoDbStreams(
            await aws.streams(CONNECTIONS), await aws.dynamodb(CONNECTIONS), SystemClock()
        )
        return await find(store, settings, await checked(client, wanted, places))


async def checked(client: StreamClient, wanted: Wanted, places: Sequence[Place]) -> Wanted:
    """Hold the target against the stream and the service's clock. Raises Misconfigured, Retryable.

    A shard that is sent to a number which is not its own would stand still there, and a clock that
    is ahead would skip what is written until then.
    """
    target = wanted.target or TRIM_HORIZON
    number = sequence_of(target)
    if number is not None:
        await _check_number(client, places[0], number)
        return wanted
    now = await _service_time(client, places)
    if target != LATEST and datetime.fromisoformat(target).timestamp() > now:
        raise Misconfigured(f"--to: {target} is still to come by the service's clock")
    return replace(wanted, issued_at=now)


async def _service_time(client: StreamClient, places: Sequence[Place]) -> float:
    """The Date of an answer about any of the shards."""
    for there in places:
        for shard in there.command.shards or ():
            try:
                _, date = await client.shard_iterator(_stream(there), shard, AtTrimHorizon())
            except (TrimmedData, ShardNotFound):
                continue
            return date
    raise Misconfigured("--to: none of the shards is in the stream any more")


async def _check_number(client: StreamClient, there: Place, number: int) -> None:
    (shard,) = there.command.shards or ("",)
    try:
        await client.shard_iterator(_stream(there), shard, AfterSequence(number))
    except TrimmedData:
        raise Misconfigured(
            f"--to: the stream does not hold {number} any more, wanted trim_horizon"
        ) from None
    except ShardNotFound:
        raise Misconfigured(f"--shard: the stream has no {shard} any more") from None
    except Retryable as error:
        if error.reason != "validation":
            raise
        raise Misconfigured(
            f"--to: found {number}, wanted a sequence number of {shard} ({error})"
        ) from None


def _stream(there: Place) -> Stream:
    return Stream(there.row.arn, there.row.table, there.row.label)


def place(text: str, now: float) -> str:
    """Where to: TRIM_HORIZON, LATEST, digits, or an ISO time. Raises Misconfigured."""
    word = text.strip().upper()
    if word in (TRIM_HORIZON, LATEST):
        return word
    if text.isascii() and text.isdigit():
        return str(int(text))
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or at.timestamp() > now:
        raise Misconfigured(
            f"--to: found {text!r}, wanted trim_horizon, latest, a sequence number (with one"
            " --shard), or a past time with its zone like 2026-11-01T09:30:00Z"
        )
    return text
