"""The leases as one worker sees them: for status, gauges and the age of unread shards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.leases.lease_state import LeaseState, lease_state

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from consumer.core.leases.lease import Lease
    from consumer.core.leases.worker_report import WorkerReport


UNREAD = frozenset({LeaseState.SILENT, LeaseState.FREE, LeaseState.WAITING, LeaseState.UNREADABLE})
"""No worker reads the shard. What it waits for may stand still without any other sign."""


class LeaseView(Struct, frozen=True):
    """One lease. `since` (epoch seconds): up to then the shard is known to be settled.

    That is by its row or by the last one of its owner, which speaks for all its shards. That the
    owner lived is a sign only where its row does not say more: a worker that cannot publish lives,
    too, and what it leaves behind is no younger for that.

    It is None unless the state is one of UNREAD, or FOREIGN with an owner that is not beating: in
    all other cases a worker is known to read the shard, or it is finished. It is None, too, where
    the row cannot be read and shows no time.

    `told_since` is for a shard that a beating peer reads: up to then it is settled, by its row or
    by that of the peer, which speaks for all its shards. It may be older than the truth.
    """

    stream_key: str
    lease: Lease
    state: LeaseState
    since: float | None
    told_since: float | None = None

    def told_age(self, wall: float) -> float | None:
        """Return the age, or at least the longest that it can be; None of a shard held here."""
        since = self.told_since if self.since is None else self.since
        return None if since is None else max(0.0, wall - since)

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
    failing: Collection[str],
    settled_at: Callable[[str], float | None],
    report_of: Callable[[str], WorkerReport | None],
) -> tuple[LeaseView, ...]:
    """Return the views of all leases of a stream.

    `held`, `ready` and `failing` are shard ids, `failing` those that fail here; `dead` and
    `beating` are worker ids. `settled_at` returns up to when a worker's shards are settled by its
    last row, `report_of` what its row says, both None if there is none.
    """

    def one(lease: Lease) -> LeaseView:
        here = lease.shard_id in held
        report = None if here or lease.owner not in beating else report_of(lease.owner or "")
        told_failing = report is not None and f"{stream_key}/{lease.shard_id}" in report.failing
        state = lease_state(
            lease,
            here=here,
            owner_lives=lease.owner not in dead,
            ready=lease.shard_id in ready,
            failing=lease.shard_id in failing if here else told_failing,
        )
        since = None
        foreign = not here and state in (LeaseState.FOREIGN, LeaseState.FAILING)
        if (foreign and lease.owner not in beating) or state in UNREAD:
            owner_told = None if lease.owner is None else settled_at(lease.owner)
            latest = max(lease.last_sign, owner_told or 0.0)
            since = latest if latest or lease.unreadable is None else None
        told = None
        if foreign and since is None:
            told = max(lease.last_sign, (report and report.settled_at) or 0.0)
        return LeaseView(stream_key, lease, state, since, told)

    return tuple(one(lease) for lease in leases)
