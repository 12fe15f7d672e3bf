"""A signal: it ends the wait of one loop early.

Rule: a signal belongs to the one loop that waits for it; any code may notify it. A notification
before the wait begins ends that wait, too.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Signal:
    """An event with one waiting loop; a wait consumes the notification that ends it."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        """End the present or the next wait."""
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Wait for a notification, at most `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()
        self._event.clear()
