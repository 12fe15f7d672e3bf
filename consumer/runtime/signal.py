"""A loop's alarm clock: somebody rings, or the time is over.

Rule: it belongs to the loop that waits; anybody may ring. Rings before the wait count, too.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Wake:
    """Owned by the loop that waits; anybody may ring."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """End the present or the next wait."""
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Wait for a ring, at most `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()
        self._event.clear()
