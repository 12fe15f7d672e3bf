"""What commands that publish have in common: clients for event types, and how they are ended."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from consumer.credentials import open_token, tls_of
from consumer.nakadi_clients import open_nakadis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AsyncExitStack

    from consumer.adapters.aws.aws import Aws
    from consumer.adapters.nakadi import Nakadi
    from consumer.core.routes.route import Route
    from consumer.ports import Clock
    from consumer.settings.settings import Settings


async def nakadis(
    stack: AsyncExitStack, settings: Settings, routes: Iterable[Route], clock: Clock, aws: Aws
) -> dict[str, Nakadi]:
    """Open a client for each event type, which sends one request at a time beside its lanes.

    Raise TokenUnreachable or Misconfigured if the secret with the token cannot be read.
    """
    token = await open_token(stack, settings, aws, clock.now)
    one_each = {route.event_type: 1 for route in routes}
    return await open_nakadis(stack, settings, one_each, token, tls_of(settings), clock)


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Have `stop` called at SIGTERM and SIGINT, by the loop that runs."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
