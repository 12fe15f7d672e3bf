"""How a lease looks from here: for status pages, gauges and the age of shards nobody reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from consumer.core.leases.lease import Lease


class LeaseState(StrEnum):
    """Whose a lease is."""

    HELD = "held"  # run by this worker
    FOREIGN = "foreign"  # owned by a worker that is not known to be dead
    FREE = "free"  # could be read by somebody, and is not
    WAITING = "waiting"  # for its parent, for an older stream, for the bootstrap
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class LeaseView:
    """`since` (epoch seconds) is the latest sign of a shard being read, if nobody is known to.

    That is so while it is FREE or WAITING (what it waits for may stand still and not show it),
    and while it is FOREIGN and its owner was not seen to move.
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
    moving: Collection[str],
    seen_at: Callable[[str], float | None],
) -> tuple[LeaseView, ...]:
    """All leases of a stream. `seen_at` is a worker's last sign of life."""

    def one(lease: Lease) -> LeaseView:
        state = _state(lease, held, ready, dead)
        since = None
        still = state is LeaseState.FOREIGN and lease.owner not in moving
        if still or state in (LeaseState.FREE, LeaseState.WAITING):
            owner_seen = None if lease.owner is None else seen_at(lease.owner)
            since = max(lease.last_sign, owner_seen or 0.0)
        return LeaseView(stream_key, lease, state, since)

    return tuple(one(lease) for lease in leases)


def _state(
    lease: Lease, held: Collection[str], ready: Collection[str], dead: Collection[str]
) -> LeaseState:
    if lease.finished:
        return LeaseState.FINISHED
    if lease.shard_id in held:
        return LeaseState.HELD
    if lease.owner is not None and lease.owner not in dead:
        return LeaseState.FOREIGN
    return LeaseState.FREE if lease.shard_id in ready else LeaseState.WAITING
