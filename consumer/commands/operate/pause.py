"""`consumer pause` and `consumer resume`: shards keep their owners and are not read meanwhile."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from consumer.commands.operate.lease_reading import open_lease_table
from consumer.commands.operate.operator_command import Wanted, find, operate
from consumer.core.leases.command import Action
from consumer.observability import logs
from consumer.settings.loading import load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import TextIO

    from consumer.commands.operate.operator_command import Place
    from consumer.settings.settings import Settings


def run(arguments: argparse.Namespace, environ: Mapping[str, str], out: TextIO) -> int:
    """Say what will be, ask before a pause, and leave the command for the owners."""
    settings = load_settings(environ)
    logs.configure_command()
    action = Action(arguments.command)
    wanted = Wanted(
        action, None, tuple(arguments.shard), arguments.dry_run, arguments.yes, time.time()
    )
    return operate(settings, wanted, asyncio.run(_find(settings, wanted)), out)


async def _find(settings: Settings, wanted: Wanted) -> list[Place]:
    async with open_lease_table(settings) as store:
        return await find(store, settings, wanted)
