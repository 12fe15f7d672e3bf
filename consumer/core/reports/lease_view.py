"""How a lease looks from here: for status pages, gauges and the age of shards nobody reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.core.leases.lease_state import LeaseState, lease_state

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from consumer.core.leases.lease import Lease


UNREAD = frozenset({LeaseState.SILENT, LeaseState.FREE, LeaseState.WAITING})
"""Nobody reads the shard. What it waits for may stand still without showing it."""


@dataclass(frozen=True, slots=True)
class LeaseView:
    """`since` (epoch seconds) is the latest sign of a shard being read, if nobody is known to.

    That is so while it is UNREAD, and while it is FOREIGN and its owner was not seen to move.
    """

    stream_key: str
    lease: Lease
    state: LeaseState
    since: float | None

    def age(self, wall: float) -> float | None:
        """Seconds for which nobody is known to have read it, None while somebody is."""
        return None if self.since is None else max(0.0, wall - self.since)


def view(
    stream_key: str,
    leases: Sequence[Lease],
    *,
    held: Collection[str],
    ready: Collection[str],
    dead: Collection[str],
    beating: Collection[str],
    seen_at: Callable[[str], float | None],
) -> tuple[LeaseView, ...]:
    """All leases of a stream. `seen_at` is a worker's last sign of life."""

    def one(lease: Lease) -> LeaseView:
        state = lease_state(
            lease,
            here=lease.shard_id in held,
            owner_lives=lease.owner not in dead,
            ready=lease.shard_id in ready,
        )
        since = None
        still = state is LeaseState.FOREIGN and lease.owner not in beating
        if still or state in UNREAD:
            owner_seen = None if lease.owner is None else seen_at(lease.owner)
            since = max(lease.last_sign, owner_seen or 0.0)
        return LeaseView(stream_key, lease, state, since)

    return tuple(one(lease) for lease in leases)
