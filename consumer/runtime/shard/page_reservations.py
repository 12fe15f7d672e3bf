"""The memory reserved for pages of one shard: at most one page in the intake and one ahead.

Ownership: the shard's reader and its intake share it. The reader reserves memory before it asks for
a page, and gives it back if no page comes. The intake counts the page's body against it and then
each event that it makes; what it queues belongs to the backlog from then on. When the reader stops,
it gives back the rest.

Rules
- Nobody waits for memory while a page is in hand. Where the budget has no more to give, the rest of
  the page is dropped, and read again after a new reservation. So a reader that waits holds nothing
  but queued events, which are settled without it.
- `EVENTS_AT_LEAST` bytes of events are taken from each page, and one record at the least, whatever
  the budget says: otherwise a page could be read for ever. The reservation has room for these and
  for a body of 1 MiB, to which DynamoDB Streams limits a page. So a page exceeds the budget by what
  its body is longer, and by a record of which no event can be made, because that is kept as read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.backlog.budget import MIB, RESERVATION

if TYPE_CHECKING:
    from consumer.runtime.publishing.backlog import Backlog

EVENTS_AT_LEAST = MIB
"""Bytes of events after which a page may be dropped. The event that reaches them is taken, too."""


class PageReservations:
    """The reservations of one shard, which is the member `member` of the budget."""

    def __init__(self, backlog: Backlog, member: str) -> None:
        self._backlog = backlog
        self._member = member
        self._bytes = 0  # for both pages
        self._page = 0  # of these, for the page in the intake
        self._free = 0  # of these, what neither its body nor its events need yet
        self._made = 0  # bytes of the events made of it

    async def reserve(self) -> None:
        """Wait for a page's worth of memory."""
        await self._backlog.reserve(self._member)
        self._bytes += RESERVATION

    def reserve_ahead(self) -> bool:
        """Reserve a page's worth for reading ahead; return False if the budget has none to give."""
        if not self._backlog.reserve_more(self._member, RESERVATION):
            return False
        self._bytes += RESERVATION
        return True

    def begin(self, size: int) -> None:
        """Count a page whose body has `size` bytes: the intake begins with it."""
        self._page, self._free, self._made = RESERVATION, RESERVATION, 0
        self._cover(size, must=True)

    def admit(self, cost: int, *, must: bool) -> bool:
        """Reserve for the events of a record; return False if the budget has no more to give.

        With `must` it is never False.
        """
        if not self._cover(cost, must=must or self._made < EVENTS_AT_LEAST):
            return False
        self._made += cost
        return True

    def queued(self, cost: int) -> None:
        """Give back what was reserved for events that the backlog now counts itself."""
        self._page -= cost
        self.give_back(cost)

    def end(self) -> None:
        """Give back what is left of the page that the intake has ended with."""
        self.give_back(self._page)
        self._page = self._free = 0

    def give_back(self, size: int = RESERVATION) -> None:
        """Give back `size` bytes: events were made from them, or no page came."""
        self._bytes -= size
        self._backlog.free(self._member, size)

    def clear(self) -> None:
        """Give back everything."""
        self.give_back(self._bytes)

    def _cover(self, size: int, *, must: bool) -> bool:
        missing = size - self._free
        if missing > 0:
            if not self._backlog.reserve_more(self._member, missing):
                if not must:
                    return False
                self._backlog.exceed(self._member, missing)
            self._bytes += missing
            self._page += missing
            self._free += missing
        self._free -= size
        return True
