"""Calling a run off: what it reads is interrupted at once.

Rule: it interrupts reads only. What sends asks between requests whether the run was called off.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


class CalledOff(Exception):
    """The run was called off before, or while it read."""


class CallingOff:
    """Whether a run was called off. One read at a time may be under way."""

    def __init__(self) -> None:
        self.called = False
        self._reading: asyncio.Timeout | None = None

    def call_off(self) -> None:
        """Interrupt the read that is under way, and refuse all others."""
        self.called = True
        if self._reading is not None:
            self._reading.reschedule(asyncio.get_running_loop().time())

    async def read(self, read: Callable[[], Awaitable[T]]) -> T:
        """Return what is read. Raise CalledOff, and what the read raises."""
        if self.called:
            raise CalledOff
        try:
            async with asyncio.timeout(None) as self._reading:
                return await read()
        except TimeoutError:
            if not self.called:
                raise  # it is the read's own
            raise CalledOff from None
        finally:
            self._reading = None
