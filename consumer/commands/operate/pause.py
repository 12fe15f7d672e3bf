"""`consumer pause` and `consumer resume`: stop and continue reading; shards keep their owners."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from consumer.commands.operate.lease_reading import open_lease_table
from consumer.commands.operate.operator_command import OperatorRequest, operate, prepare
from consumer.core.leases.command import Action
from consumer.errors import Misconfigured
from consumer.observability import logs
from consumer.settings.loading import APPLICATION, SOURCE, load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import TextIO

    from consumer.commands.operate.operator_command import StreamCommand
    from consumer.settings.settings import Settings


REASON_CHARACTERS = 200
"""Longest reason of a pause: it stands in the lease row of every shard."""


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Print the preview, ask before a pause, and give the command; return 0 when it is applied."""
    settings = load_settings(environ, [APPLICATION, SOURCE])
    logs.configure_command()
    action = Action(arguments.command)
    request = OperatorRequest(
        action,
        None,
        tuple(arguments.shard),
        arguments.dry_run,
        arguments.yes,
        time.time(),
        _reason(arguments.reason),
    )
    return operate(settings, request, asyncio.run(_prepare(settings, request)), out)


def _reason(text: str) -> str:
    """Return the operator's reason. Raise Misconfigured unless it is one short line."""
    reason = text.strip()
    if len(reason) > REASON_CHARACTERS:
        raise Misconfigured(
            f"--reason: found {len(reason)} characters, wanted at most {REASON_CHARACTERS}"
        )
    if not reason.isprintable():
        raise Misconfigured(
            "--reason: found a line break or another control character, wanted one line"
        )
    return reason


async def _prepare(settings: Settings, request: OperatorRequest) -> list[StreamCommand]:
    async with open_lease_table(settings) as store:
        return await prepare(store, settings, request)
