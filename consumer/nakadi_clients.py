"""The clients for Nakadi of a process: one for each event type, with the connections of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.adapters.nakadi import Nakadi
from consumer.core.publishing.lanes import LANE_SLOTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AsyncExitStack

    from consumer.adapters.tls import Tls
    from consumer.adapters.token import Token
    from consumer.ports import Clock
    from consumer.settings.settings import Settings


async def open_nakadis(
    stack: AsyncExitStack,
    settings: Settings,
    concurrency: Mapping[str, int],
    token: Token,
    tls: Tls,
    clock: Clock,
) -> dict[str, Nakadi]:
    """Open a client for each event type, until the stack closes.

    `concurrency` says by event type how many requests it may send at a time, beside its lanes.
    """
    return {
        event_type: await stack.enter_async_context(
            Nakadi(
                settings.nakadi_url,
                event_type,
                token,
                clock,
                concurrency=requests + LANE_SLOTS,
                timeout=settings.publish_timeout_seconds,
                gzip=settings.publish_gzip,
                tls=tls,
            )
        )
        for event_type, requests in concurrency.items()
    }
