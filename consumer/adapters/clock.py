"""The clock of this machine, and the same with the time of day by AWS.

Rule: what is compared with a record's time, or shown as an age, uses the time of AWS, which the
times in records and answers come from. The wall clock of this machine may be wrong, and be set.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from consumer.adapters.odd_answer import ODD
from consumer.core.time_of_day import TimeOfDay

if TYPE_CHECKING:
    from consumer.ports import Clock

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


class AwsClock:
    """Clock port: that of a machine, but `wall` is AWS's time of day as soon as it is known.

    Until then it is the machine's at the start. It is steady: the wall clock may be set meanwhile.
    """

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self._time = TimeOfDay(machine.wall(), machine.now())

    def now(self) -> float:
        """Return the seconds since the machine started."""
        return self._machine.now()

    def wall(self) -> float:
        """Return the time of day in epoch seconds."""
        return self._time.at(self._machine.now())

    async def sleep(self, seconds: float) -> None:
        """Wait for a number of seconds."""
        await self._machine.sleep(seconds)

    def learn(self, date: float, sent_at: float) -> None:
        """Take in the Date of an answer that has just arrived, to a request sent at `sent_at`."""
        self._time.learn(date, sent_at, self._machine.now())

    @property
    def ahead(self) -> float | None:
        """By how many seconds the machine's wall clock is ahead of AWS; None while not known."""
        return self._machine.wall() - self.wall() if self._time.known else None


def epoch_of(date: str | None) -> float | None:
    """Return the epoch seconds of a Date header, None if there is none or it cannot be read."""
    if date is None:
        return None
    try:
        at = parsedate_to_datetime(date)
        return at.timestamp() if at.tzinfo else at.replace(tzinfo=UTC).timestamp()
    except ODD:
        return None
