"""`consumer seek`: moves the position of shards."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.streams import DynamoDbStreams
from consumer.commands.operate.lease_reading import CONNECTIONS, open_lease_table
from consumer.commands.operate.operator_command import OperatorRequest, operate, prepare
from consumer.core.leases.checkpoint import LATEST, TRIM_HORIZON, sequence_of
from consumer.core.leases.command import Action
from consumer.core.leases.streams.purpose import event_types_of
from consumer.core.reports.times import zoned_time
from consumer.core.stream.stream import AfterSequence, AtTrimHorizon
from consumer.credentials import fallback_region
from consumer.errors import (
    Misconfigured,
    Retryable,
    ShardNotFound,
    TrimmedData,
    Unreachable,
)
from consumer.observability import logs
from consumer.settings.loading import APPLICATION, SOURCE, load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence
    from typing import TextIO

    from consumer.commands.operate.operator_command import StreamCommand
    from consumer.ports import StreamClient
    from consumer.settings.settings import Settings


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Print the preview, ask, and give the command; return 0 when it is applied."""
    settings = load_settings(environ, [APPLICATION, SOURCE])
    logs.configure_command()
    target = parse_target(arguments.to)
    if sequence_of(target) is not None and len(arguments.shard) != 1:
        raise Misconfigured(
            "--to: a sequence number belongs to one shard, wanted exactly one --shard with it"
        )
    event_type: str | None = arguments.event_type
    if event_type is not None:
        event_type = _event_type(event_type, target, settings)
    request = OperatorRequest(
        Action.SEEK if event_type is None else Action.SEEK_EVENT_TYPE,
        target,
        tuple(arguments.shard),
        arguments.dry_run,
        arguments.yes,
        time.time(),
        event_type=event_type,
    )
    return operate(settings, request, asyncio.run(_prepare(settings, request)), out)


def _event_type(given: str, target: str, settings: Settings) -> str:
    """Return the event type that was meant; a route may be named, too.

    Raise Misconfigured if it is not this service's, or the target skips changes.
    """
    if target == LATEST:
        raise Misconfigured(
            "--to: found latest, wanted an earlier position: --event-type publishes again, and"
            " skips nothing"
        )
    named = {route.called: route.event_type for route in settings.routes}
    event_type, ours = named.get(given, given), settings.event_types
    if not event_type or (ours and event_type not in ours):
        raise Misconfigured(f"--event-type: found {given!r}, wanted {_any_of(ours)}")
    return event_type


def _check_published(event_type: str, commands: Sequence[StreamCommand]) -> None:
    """Raise Misconfigured if the streams' rows say that the service has no such event type."""
    rows = [each.row for each in commands]
    known = {name for row in rows for name in (*event_types_of(row), *(row.published or ()))}
    if known and event_type not in known:
        raise Misconfigured(
            f"--event-type: found {event_type!r}, wanted {_any_of(sorted(known))}: those that the"
            " application has published, by its lease table"
        )


def _any_of(names: Sequence[str]) -> str:
    match names:
        case []:
            return "an event type"
        case [name]:
            return repr(name)
        case _:
            return f"one of {', '.join(names)}"


async def _prepare(settings: Settings, request: OperatorRequest) -> list[StreamCommand]:
    async with (
        Aws(fallback_region(settings)) as aws,
        open_lease_table(settings, aws) as store,
    ):
        commands = await prepare(store, settings, request)
        if request.event_type is not None and not settings.event_types:
            _check_published(request.event_type, commands)
        if request.target == TRIM_HORIZON:
            return commands
        client = DynamoDbStreams(
            await aws.streams(CONNECTIONS), await aws.dynamodb(CONNECTIONS), aws.clock
        )
        return await prepare(store, settings, await checked(client, request, commands))


async def checked(
    client: StreamClient, request: OperatorRequest, commands: Sequence[StreamCommand]
) -> OperatorRequest:
    """Check the target against the stream; return the request, with the service's time if needed.

    A shard that is moved to a number of another shard could not be read, and a target by a clock
    that is ahead would skip what is written until then. Raise Misconfigured, or Unreachable
    if the stream does not answer.
    """
    target = request.target or TRIM_HORIZON
    number = sequence_of(target)
    if number is not None:
        await _check_number(client, commands[0], number)
        return request
    now = await _service_time(client, commands)
    if target != LATEST and datetime.fromisoformat(target).timestamp() > now:
        raise Misconfigured(f"--to: {target} is in the future by the service's clock")
    return replace(request, issued_at=now)


async def _service_time(client: StreamClient, commands: Sequence[StreamCommand]) -> float:
    """Return the Date, in epoch seconds, of an answer about any of the shards."""
    for given in commands:
        for shard in given.command.shards or ():
            try:
                _, date = await client.shard_iterator(given.row.stream, shard, AtTrimHorizon())
            except (TrimmedData, ShardNotFound):
                continue
            except Retryable as error:
                raise _unreachable(given, error) from error
            return date
    raise Misconfigured("--to: the stream no longer has any of the shards")


async def _check_number(client: StreamClient, given: StreamCommand, number: int) -> None:
    (shard,) = given.command.shards or ("",)
    try:
        await client.shard_iterator(given.row.stream, shard, AfterSequence(number))
    except TrimmedData:
        raise Misconfigured(
            f"--to: the stream no longer holds {number}, wanted trim_horizon"
        ) from None
    except ShardNotFound:
        raise Misconfigured(f"--shard: the stream no longer has {shard}") from None
    except Retryable as error:
        if error.reason != "validation":
            raise _unreachable(given, error) from error
        raise Misconfigured(
            f"--to: found {number}, wanted a sequence number of {shard} ({error})"
        ) from None


def _unreachable(given: StreamCommand, error: Retryable) -> Unreachable:
    return Unreachable(f"stream {given.row.key}: {error}")


def parse_target(text: str) -> str:
    """Return the target of a seek: TRIM_HORIZON, LATEST, digits, or an ISO time with its zone.

    Raise Misconfigured if the text is none of these.
    """
    word = text.strip().upper()
    if word in (TRIM_HORIZON, LATEST):
        return word
    number = sequence_of(text)
    if number is not None:
        return str(number)
    if zoned_time(text) is None:
        raise Misconfigured(
            f"--to: found {text!r}, wanted trim_horizon, latest, a sequence number (with one"
            " --shard), or a past time with its zone like 2026-11-01T09:30:00Z"
        )
    return text
