"""The memory that is reserved for pages of one shard: at most one in the intake and one ahead.

Ownership: the shard's reader and its intake share it. The reader reserves before it asks for a
page; the intake turns the reservation into events, slice by slice; a page that does not come gives
it back. Nothing is left when the reader stops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.backlog.budget import RESERVATION

if TYPE_CHECKING:
    from consumer.runtime.publishing.backlog import Backlog


class PageReservations:
    """The reservations of one member of the budget."""

    def __init__(self, backlog: Backlog, member: str) -> None:
        self._backlog = backlog
        self._member = member
        self._bytes = 0

    async def reserve(self) -> None:
        """Wait for a page's worth of memory."""
        await self._backlog.reserve(self._member)
        self._bytes += RESERVATION

    def reserve_ahead(self) -> bool:
        """Reserve a page's worth for read-ahead, if nobody else waits."""
        if not self._backlog.reserve_ahead(self._member):
            return False
        self._bytes += RESERVATION
        return True

    def give_back(self, size: int = RESERVATION) -> None:
        """Return `size` bytes: events were made of them, or a page did not come."""
        self._bytes -= size
        self._backlog.free(self._member, size)

    def clear(self) -> None:
        """Return everything."""
        self.give_back(self._bytes)
