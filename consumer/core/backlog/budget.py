"""ByteBudget: which shard may read next, so that memory stays within the configured limit.

Rules
- A reader reserves `RESERVATION` bytes before it asks for a page. If the page and its events take
  more, it may reserve more only while no member waits, and otherwise reads the rest again later.
- `RESERVATION` bytes of the limit are the spare page, the others are the common part.
- The common part is served first come, first served; a member that has reached its share is passed
  over meanwhile. Nobody else is: whoever waits is served before all that came later.
- Share = max(reservation, common part / members). A member that holds it reserves no more. With its
  last page a member may exceed it, so that with many members one pending event does not stop its
  shard.
- The spare page is lent to one member at a time, the first in line that holds nothing, until it
  holds nothing again: a shard that grew large while it was alone, or whose events cannot be
  published, must not starve one that came later.
"""

from __future__ import annotations

MIB = 1 << 20
RESERVATION = 3 * MIB
"""Bytes for the body of a page (1 MB) and the events made of it."""


class ByteBudget:
    """The bytes that each member (a shard) holds, reservations included.

    `limit` is in bytes, and at least a reservation.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._common = limit - RESERVATION
        self._held: dict[str, int] = {}
        self._members: set[str] = set()
        self._line: dict[str, None] = {}  # the members that wait, in order of arrival
        self._borrower: str | None = None  # the member that has the spare page

    def join(self, member: str) -> None:
        """Add a member: its shard is read from now on."""
        self._members.add(member)

    def leave(self, member: str) -> None:
        """Remove a member. The bytes of its events in flight are given back later."""
        self._members.discard(member)
        self._line.pop(member, None)

    @property
    def share(self) -> int:
        """The bytes from which on a member may not reserve more."""
        return max(RESERVATION, self._common // max(1, len(self._members)))

    @property
    def waiting(self) -> bool:
        """Whether a member waits for a reservation that is below its share."""
        return any(not self._over_share(member) for member in self._line)

    def held(self, member: str) -> int:
        """Return the bytes that a member holds."""
        return self._held.get(member, 0)

    def ask(self, member: str) -> bool:
        """Reserve for a page and return True, or join the line that `grants` serves."""
        if (not self.waiting and self._fits(member, RESERVATION)) or self._may_borrow(member):
            self._reserve(member)
            return True
        self._line[member] = None
        return False

    def ask_more(self, member: str, size: int) -> bool:
        """Reserve `size` bytes beyond a page, only if no member waits. Never join the line."""
        if self.waiting or not self._fits(member, size):
            return False
        self.adjust(member, size)
        return True

    def withdraw(self, member: str) -> None:
        """Leave the line."""
        self._line.pop(member, None)

    def adjust(self, member: str, difference: int) -> None:
        """Add `difference` to the bytes that a member holds.

        It is positive if a page was larger than reserved; negative if it was smaller, and when
        events are settled or revoked. Raises ValueError if the member does not hold that much.
        """
        held = self._held.get(member, 0) + difference
        if held < 0:
            msg = f"{member} gives back {-held} bytes that it does not hold"
            raise ValueError(msg)
        self.used += difference
        if held:
            self._held[member] = held
            return
        self._held.pop(member, None)
        if member == self._borrower:
            self._borrower = None

    def grants(self) -> list[str]:
        """Reserve for the members in line that may read now, and return them."""
        granted = []
        for member in list(self._line):
            if self._fits(member, RESERVATION) or self._may_borrow(member):
                del self._line[member]
                self._reserve(member)
                granted.append(member)
            elif self._borrower is not None and not self._over_share(member):
                break  # then nothing is left for a member behind it either
        return granted

    def _reserve(self, member: str) -> None:
        """Reserve for a page: from the common part if it fits there, else it is the spare page."""
        if not self._fits(member, RESERVATION):
            self._borrower = member
        self.adjust(member, RESERVATION)

    def _over_share(self, member: str) -> bool:
        return self.held(member) >= self.share

    def _fits(self, member: str, size: int) -> bool:
        lent = 0 if self._borrower is None else min(RESERVATION, self.held(self._borrower))
        return self.used - lent + size <= self._common and not self._over_share(member)

    def _may_borrow(self, member: str) -> bool:
        return self._borrower is None and not self.held(member)
