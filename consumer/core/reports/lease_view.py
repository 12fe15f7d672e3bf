"""The leases as one worker sees them: for status, gauges and the age of unread shards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.core.leases.lease_state import LeaseState, lease_state

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from consumer.core.leases.lease import Lease


UNREAD = frozenset({LeaseState.SILENT, LeaseState.FREE, LeaseState.WAITING, LeaseState.UNREADABLE})
"""No worker reads the shard. What it waits for may stand still without any other sign."""


@dataclass(frozen=True, slots=True)
class LeaseView:
    """One lease. `since` (epoch seconds) is the latest sign that the shard was read.

    It is None unless the state is one of UNREAD, or FOREIGN with an owner that is not beating: in
    all other cases a worker is known to read the shard, or it is finished. It is None, too, where
    the row cannot be read and shows no time.
    """

    stream_key: str
    lease: Lease
    state: LeaseState
    since: float | None

    def age(self, wall: float) -> float | None:
        """Return the seconds for which no worker is known to have read it, None if one does."""
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
    """Return the views of all leases of a stream.

    `held` and `ready` are shard ids, `dead` and `beating` worker ids. `seen_at` returns a worker's
    last sign of life in epoch seconds, None if there is none.
    """

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
            latest = max(lease.last_sign, owner_seen or 0.0)
            since = latest if latest or lease.unreadable is None else None
        return LeaseView(stream_key, lease, state, since)

    return tuple(one(lease) for lease in leases)
