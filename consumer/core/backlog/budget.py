"""ByteBudget: who may read next, so that memory stays within the configured limit.

Rules
- A reader reserves a page's worth (`RESERVATION`) before it asks and settles the difference after.
- First come, first served; who has reached the fair share of a shard is passed over meanwhile.
- Share = max(reservation, limit / members). It is where a member stops: with its last page it may
  hold a little more, so that with many members one pending event does not stop its shard.
- A member that holds nothing may have one reservation even when the limit is reached, if that is so
  only because others sit on more than their share (if there were room, did each hold at most its
  share): a shard that grew large while it was alone must not starve one that came later.
"""

from __future__ import annotations

MIB = 1 << 20
RESERVATION = 3 * MIB
"""A page body (1 MB) and the events made of it."""


class ByteBudget:
    """Bytes held by each member (a shard), reservations included."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._held: dict[str, int] = {}
        self._members: set[str] = set()
        self._line: dict[str, None] = {}  # who waits, in order of arrival

    def join(self, member: str) -> None:
        """A shard is held from now on."""
        self._members.add(member)

    def leave(self, member: str) -> None:
        """A shard is not held any more. What it still has in flight is given back later."""
        self._members.discard(member)
        self._line.pop(member, None)

    @property
    def share(self) -> int:
        """A member that holds so many bytes reserves no more."""
        return max(RESERVATION, self.limit // max(1, len(self._members)))

    @property
    def waiting(self) -> bool:
        """Somebody waits for a reservation, and not only for its own bytes to become fewer."""
        return any(not self._over_share(member) for member in self._line)

    def held(self, member: str) -> int:
        """Bytes a member holds."""
        return self._held.get(member, 0)

    def ask(self, member: str) -> bool:
        """Reserve now, or stand in line for `grants`."""
        if self._excepted(member) or (not self.waiting and self._fits(member)):
            self._take(member)
            return True
        self._line[member] = None
        return False

    def ask_ahead(self, member: str) -> bool:
        """Reserve for a page of read-ahead: only while nobody waits, never in line."""
        if self.waiting or not self._fits(member):
            return False
        self._take(member)
        return True

    def withdraw(self, member: str) -> None:
        """Leave the line."""
        self._line.pop(member, None)

    def adjust(self, member: str, difference: int) -> None:
        """Hold more (a page was larger than reserved) or less (settled, revoked, smaller page)."""
        held = self._held.get(member, 0) + difference
        if held < 0:
            msg = f"{member} gives back {-held} bytes that it does not hold"
            raise ValueError(msg)
        self.used += difference
        if held:
            self._held[member] = held
        else:
            self._held.pop(member, None)

    def grants(self) -> list[str]:
        """Serve the line: who may read now. Their reservations are taken."""
        granted = []
        for member in list(self._line):
            if self._fits(member) or self._excepted(member):
                del self._line[member]
                self._take(member)
                granted.append(member)
            elif not self.held(member):
                break  # then nobody behind it fits either
        return granted

    def _take(self, member: str) -> None:
        self._held[member] = self._held.get(member, 0) + RESERVATION
        self.used += RESERVATION

    def _over_share(self, member: str) -> bool:
        return self.held(member) >= self.share

    def _fits(self, member: str) -> bool:
        return self.used + RESERVATION <= self.limit and not self._over_share(member)

    def _excepted(self, member: str) -> bool:
        if self.held(member) or self.used + RESERVATION <= self.limit:
            return False
        share = self.share
        return sum(min(held, share) for held in self._held.values()) + RESERVATION <= self.limit
