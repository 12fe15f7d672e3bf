"""The clock of a process that stands still between two invocations, as in Lambda.

Rule: what waits for a time (a back-off, a limit per minute) goes by the time that has passed, and
so do connections, which the other end closes meanwhile. No clock of the machine need have counted
while it was frozen, so the wall clock tells how long that was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.ports import Clock


class ResumedClock:
    """Clock port: that of a machine, and the time in which the process stood still."""

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self._stood_still = 0.0
        self._paused_at = (machine.now(), machine.wall())

    def now(self) -> float:
        """Return the seconds since the machine started, as far as this process knows."""
        return self._machine.now() + self._stood_still

    def wall(self) -> float:
        """Return the time of day in epoch seconds."""
        return self._machine.wall()

    async def sleep(self, seconds: float) -> None:
        """Wait for a number of seconds."""
        await self._machine.sleep(seconds)

    def pause(self) -> None:
        """Take note that the process may stand still from now on."""
        self._paused_at = (self._machine.now(), self._machine.wall())

    def resume(self) -> float:
        """Count the time since `pause`; return it, in seconds."""
        now, wall = self._machine.now(), self._machine.wall()
        counted, passed = now - self._paused_at[0], wall - self._paused_at[1]
        self._stood_still += max(0.0, passed - counted)
        self._paused_at = (now, wall)
        return max(counted, passed)
