"""The clock of this machine."""

from __future__ import annotations

import asyncio
import time

_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """Clock port: CLOCK_BOOTTIME where the system has it, CLOCK_MONOTONIC elsewhere.

    CLOCK_BOOTTIME goes on while the machine is suspended, so a worker that wakes up sees that its
    fence has passed. macOS has only the monotonic clock, which is good enough for development.
    """

    def now(self) -> float:
        """Return the seconds since the machine started."""
        return time.clock_gettime(_SINCE_BOOT)

    def wall(self) -> float:
        """Return the time of day in epoch seconds."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait for a number of seconds."""
        await asyncio.sleep(seconds)
