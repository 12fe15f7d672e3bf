"""`consumer pause` and `consumer resume`: shards keep their owners and are not read meanwhile."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from consumer import logs
from consumer.commands.lease_reading import open_lease_table
from consumer.commands.operating import Wanted, find, operate
from consumer.core.command import Action
from consumer.settings import load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import TextIO

    from consumer.commands.operating import Place
    from consumer.settings import Settings


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
