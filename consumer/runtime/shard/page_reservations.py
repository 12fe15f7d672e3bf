"""The memory reserved for pages of one shard: at most one page in the intake and one ahead.

Ownership: the shard's reader and its intake share it. The reader reserves memory before it asks for
a page, and gives it back if no page comes. The intake counts the page's body against it and then
each event that it makes; what it queues belongs to the backlog from then on. When the reader stops,
it gives back the rest.

Rules
- Nobody waits for memory while a page is in hand. Where the budget has no more to give, the rest of
  the page is dropped, and read again after a new reservation. So a reader that waits holds nothing
  but queued events, which are settled without it.
- A page is taken in only if `EVENTS_ROOM` is reserved beside its body, so each gives 1 MB of events
  at least, or all that it has. If that is refused, or its first record needs even more, as much as
  the page needs is reserved before it is read again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.backlog.budget import MIB, RESERVATION

if TYPE_CHECKING:
    from consumer.runtime.publishing.backlog import Backlog

EVENTS_ROOM = 2 * MIB
"""Bytes for the events of a page: 1 MB of them, and the largest that Nakadi takes."""


class PageReservations:
    """The reservations of one shard, which is the member `member` of the budget."""

    def __init__(self, backlog: Backlog, member: str) -> None:
        self._backlog = backlog
        self._member = member
        self._need = RESERVATION  # bytes to reserve for the next page
        self._ahead = 0  # reserved for the page that is requested or waits for the intake
        self._page = 0  # reserved for the page in the intake
        self._body = 0  # bytes of its body
        self._free = 0  # of `_page`, what neither its body nor its events need yet
        self._made = False  # an event of it was admitted

    async def reserve(self) -> None:
        """Wait for a page's worth of memory."""
        need = self._need
        await self._backlog.reserve(self._member, need)
        self._ahead = need

    def reserve_ahead(self) -> bool:
        """Reserve a page's worth for reading ahead; return False if the budget has none to give."""
        if self._backlog.reserve_more(self._member, self._need):
            self._ahead = self._need
        return self._ahead > 0

    def no_page(self) -> None:
        """Give back what was reserved for a page that did not come."""
        self._ahead, size = 0, self._ahead
        self.give_back(size)

    def begin(self, body: int) -> bool:
        """Count a page with a body of `body` bytes; return False if there is no memory for it."""
        self._page, self._ahead = self._ahead, 0
        self._body, self._free, self._made = body, self._page, False
        self._need = max(RESERVATION, body + EVENTS_ROOM)
        if not self._ensure(body + EVENTS_ROOM):
            return False
        self._free -= body
        return True

    def admit(self, cost: int, *, must: bool = False) -> bool:
        """Reserve for the events of a record; return False if the budget has no more to give.

        With `must` it is never False.
        """
        if not self._ensure(cost):
            if not must:
                self._need = max(self._need, 0 if self._made else self._body + cost)
                return False
            missing = cost - self._free
            self._backlog.exceed(self._member, missing)
            self._page += missing
            self._free += missing
        self._free -= cost
        self._made = True
        return True

    def queued(self, cost: int) -> None:
        """Give back what was reserved for events that the backlog now counts itself."""
        self._page -= cost
        self.give_back(cost)

    def end(self) -> None:
        """Give back what is left of the page that the intake has ended with."""
        self._page, size = 0, self._page
        self.give_back(size)

    def give_back(self, size: int) -> None:
        """Give `size` bytes back to the budget."""
        self._backlog.free(self._member, size)

    def clear(self) -> None:
        """Give back everything."""
        self.no_page()
        self.end()

    def _ensure(self, size: int) -> bool:
        """Have `size` bytes free for the page; return False if the budget has no more to give."""
        missing = size - self._free
        if missing <= 0:
            return True
        if not self._backlog.reserve_more(self._member, missing):
            return False
        self._page += missing
        self._free += missing
        return True
