"""ByteBudget: which shard may read next, so that memory stays within the configured limit.

Rules
- A reader reserves `RESERVATION` bytes before it asks for a page, and corrects them afterwards.
- First come, first served; a member that has reached its share is passed over meanwhile.
- Share = max(reservation, limit / members). A member that holds it reserves no more. With its last
  page a member may exceed it, so that with many members one pending event does not stop its shard.
- A member that holds nothing may have one reservation even when the limit is reached, if there
  would be room without the bytes that others hold above their share: a shard that grew large while
  it was alone must not starve one that came later.
"""

from __future__ import annotations

MIB = 1 << 20
RESERVATION = 3 * MIB
"""Bytes for the body of a page (1 MB) and the events made of it."""


class ByteBudget:
    """The bytes that each member (a shard) holds, reservations included. `limit` is in bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._held: dict[str, int] = {}
        self._members: set[str] = set()
        self._line: dict[str, None] = {}  # the members that wait, in order of arrival

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
        return max(RESERVATION, self.limit // max(1, len(self._members)))

    @property
    def waiting(self) -> bool:
        """Whether a member waits for a reservation that is below its share."""
        return any(not self._over_share(member) for member in self._line)

    def held(self, member: str) -> int:
        """Return the bytes that a member holds."""
        return self._held.get(member, 0)

    def ask(self, member: str) -> bool:
        """Reserve now and return True, or join the line that `grants` serves and return False."""
        if self._excepted(member) or (not self.waiting and self._fits(member)):
            self._take(member)
            return True
        self._line[member] = None
        return False

    def ask_ahead(self, member: str) -> bool:
        """Reserve for a page of read-ahead, only if no member waits. Never join the line."""
        if self.waiting or not self._fits(member):
            return False
        self._take(member)
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
        else:
            self._held.pop(member, None)

    def grants(self) -> list[str]:
        """Reserve for the members in line that may read now, and return them."""
        granted = []
        for member in list(self._line):
            if self._fits(member) or self._excepted(member):
                del self._line[member]
                self._take(member)
                granted.append(member)
            elif not self.held(member):
                break  # then no member behind it fits either
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
