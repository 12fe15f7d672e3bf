"""ByteBudget: which shard may read next, so that memory stays within the configured limit.

Rules
- A reader reserves memory before it asks for a page: `RESERVATION` bytes, or more if its last page
  needed more. If a page becomes more than was reserved, more is reserved only while no member
  waits; otherwise the rest of the page is dropped, and read again after a new reservation.
- `RESERVATION` bytes of the limit are the spare page, the others are the common part.
- The common part is served first come, first served; a member that has reached its share is passed
  over meanwhile. Nobody else is: what is given back is kept for the first in line.
- Share = max(reservation, common part / members). A member that holds it reserves no more. With its
  last page a member may exceed it, so that with many members one pending event does not stop its
  shard.
- The spare page is lent to one member at a time, the first in line that holds nothing, until it
  holds nothing again: a shard that grew large while it was alone, or whose events cannot be
  published, must not starve one that came later. The borrower gets all that it asked for. So the
  limit is exceeded by no more than what one page needs beyond `RESERVATION`.
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
        self._line: dict[str, int] = {}  # what members wait for, in order of arrival
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

    def ask(self, member: str, size: int = RESERVATION) -> bool:
        """Reserve for a page and return True, or join the line that `grants` serves."""
        in_turn = not self.waiting and self._fits(member, size)
        if in_turn or self._may_borrow(member):
            self._reserve(member, size, borrow=not in_turn)
            return True
        self._line[member] = size
        return False

    def ask_more(self, member: str, size: int) -> bool:
        """Reserve `size` bytes ahead or beyond, only if no member waits. Never join the line."""
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
        passed = False  # a member below its share waits on, so none behind it gets what is left
        for member, size in list(self._line.items()):
            in_turn = not passed and self._fits(member, size)
            if in_turn or self._may_borrow(member):
                del self._line[member]
                self._reserve(member, size, borrow=not in_turn)
                granted.append(member)
            elif not self._over_share(member):
                passed = True
                if self._borrower is not None:
                    break
        return granted

    def _reserve(self, member: str, size: int, *, borrow: bool) -> None:
        """Reserve from the common part, or lend the spare page."""
        if borrow:
            self._borrower = member
        self.adjust(member, size)

    def _over_share(self, member: str) -> bool:
        return self.held(member) >= self.share

    def _fits(self, member: str, size: int) -> bool:
        lent = 0 if self._borrower is None else min(RESERVATION, self.held(self._borrower))
        return self.used - lent + size <= self._common and not self._over_share(member)

    def _may_borrow(self, member: str) -> bool:
        return self._borrower is None and not self.held(member)
