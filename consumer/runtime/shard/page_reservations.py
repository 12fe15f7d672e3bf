"""The memory reserved for pages of one shard: at most one page in the intake and one ahead.

Ownership: the shard's reader and its intake share it. The reader reserves memory before it asks for
a page, and gives it back if no page comes; the intake gives it back as events are made from the
page. When the reader stops, it gives back the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.backlog.budget import RESERVATION

if TYPE_CHECKING:
    from consumer.runtime.publishing.backlog import Backlog


class PageReservations:
    """The reservations of one shard, which is the member `member` of the budget."""

    def __init__(self, backlog: Backlog, member: str) -> None:
        self._backlog = backlog
        self._member = member
        self._bytes = 0

    async def reserve(self) -> None:
        """Wait for a page's worth of memory."""
        await self._backlog.reserve(self._member)
        self._bytes += RESERVATION

    def reserve_ahead(self) -> bool:
        """Reserve a page's worth for reading ahead; return False if the budget has none to give."""
        if not self._backlog.reserve_ahead(self._member):
            return False
        self._bytes += RESERVATION
        return True

    def give_back(self, size: int = RESERVATION) -> None:
        """Give back `size` bytes: events were made from them, or no page came."""
        self._bytes -= size
        self._backlog.free(self._member, size)

    def clear(self) -> None:
        """Give back everything."""
        self.give_back(self._bytes)
