"""The plan: which leases a worker takes, releases and sheds. Every worker makes its own.

It is a pure function of what was read. The share is the number of leases that are ready or owned,
divided by this worker and its eligible peers, rounded up. Below its share a worker takes leases
that have no owner or a dead one, all in one pass, in an order of its own. A lease that stays free
is taken by any worker, whatever its share, but not by one that has just shed it. Above its share a
worker sheds what exceeds it. Nothing is taken from a live worker.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.leases.lease import Lease


class Held(Struct, frozen=True):
    """A shard that this worker runs, takes, or is still writing the row of."""

    retrying: int = 0  # above 0 while its oldest event was tried before: shed last
    shedding: bool = False
    sheddable: bool = True  # not shed a minute ago, not ending


class Situation(Struct, frozen=True):
    """Everything a plan is made of, for one stream.

    `leases` come from a read that was just answered. Sets of strings are shard ids, but `eligible`
    and `dead` are worker ids.
    """

    me: str
    leases: Sequence[Lease]
    ready: frozenset[str]
    held: Mapping[str, Held]
    eligible: frozenset[str]  # without this worker
    dead: frozenset[str]
    serving: bool = True  # able and not draining
    avoided: frozenset[str] = frozenset()
    free_twice: frozenset[str] = frozenset()  # free in an earlier pass, too
    shed: frozenset[str] = frozenset()  # shed by this worker lately
    ended: frozenset[str] = frozenset()  # read to the end here: this worker takes their children


class Plan(Struct, frozen=True):
    """What to do now, and what the next pass has to know."""

    take: tuple[Lease, ...] = ()  # in this order; rows that name this worker are among them
    shed: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()  # being shed, but no longer to be
    release: tuple[Lease, ...] = ()  # rows that name this worker, which does not want them
    free: frozenset[str] = frozenset()  # ready, and unowned or dead-owned
    share: int = 0

    @property
    def left(self) -> bool:
        """Something is left to do for the next pass."""
        return bool(self.take or self.shed or self.release or self.free)


def rank(me: str, shard_id: str) -> bytes:
    """Return a sort key of shards that differs by worker, so that workers rarely collide."""
    return blake2b(f"{me}\n{shard_id}".encode(), digest_size=8).digest()


def plan(now: Situation) -> Plan:
    """Return the plan. It takes and releases no shard in `held`: its consumer owns the row.

    A row that cannot be read has no part in it, and counts for no share, unless it is in `held`.
    """
    alive = [
        lease
        for lease in now.leases
        if not lease.finished and (lease.unreadable is None or lease.shard_id in now.held)
    ]
    free = [
        lease
        for lease in alive
        if lease.shard_id in now.ready
        and lease.shard_id not in now.held
        and (lease.owner is None or lease.owner in now.dead)
    ]
    mine = [lease for lease in alive if lease.owner == now.me and lease.shard_id not in now.held]
    free_ids = frozenset(lease.shard_id for lease in free)
    if not now.serving:
        return Plan(release=tuple(mine), free=free_ids)

    wanted = sum(
        lease.shard_id in now.ready or lease.owner is not None or lease.shard_id in now.held
        for lease in alive
    )
    share = -(-wanted // (len(now.eligible) + 1))
    room = share - len(now.held)
    retake, release = _recover(now, mine, room)
    take = retake + _take(now, free, room - len(retake))
    shed, keep = _balance(now, share)
    return Plan(take, shed, keep, release, free_ids, share)


def _recover(
    now: Situation, mine: list[Lease], room: int
) -> tuple[tuple[Lease, ...], tuple[Lease, ...]]:
    """Return which rows in `mine` are taken again, within the share, and which are released."""
    wanted = [
        lease
        for lease in sorted(mine, key=lambda lease: rank(now.me, lease.shard_id))
        if lease.shard_id in now.ready and lease.shard_id not in now.avoided
    ]
    again = tuple(wanted[: max(room, 0)])
    return again, tuple(lease for lease in mine if lease not in again)


def _take(now: Situation, free: list[Lease], room: int) -> tuple[Lease, ...]:
    """Return the free leases to take, in order.

    Children of a shard that ended here, and leases that were free twice, are taken beyond the
    share.
    """
    takeable = sorted(
        (lease for lease in free if lease.shard_id not in now.avoided),
        key=lambda lease: (
            lease.parent_shard_id not in now.ended,
            rank(now.me, lease.shard_id),
        ),
    )
    taken: list[Lease] = []
    for lease in takeable:
        inherited = lease.parent_shard_id in now.ended
        abandoned = lease.shard_id in now.free_twice and lease.shard_id not in now.shed
        if inherited or abandoned or len(taken) < room:
            taken.append(lease)
    return tuple(taken)


def _balance(now: Situation, share: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the held shards to shed, and those being shed that are to be kept.

    As shares are rounded up, the others lack at least as many leases as this worker has too many,
    besides those that are free: they have room for what is shed.
    """
    over = len(now.held) - share
    shedding = [shard for shard, held in now.held.items() if held.shedding]
    if over < len(shedding):
        return (), tuple(sorted(shedding)[max(over, 0) :])
    sheddable = sorted(
        (shard for shard, held in now.held.items() if held.sheddable and not held.shedding),
        key=lambda shard: (now.held[shard].retrying > 0, rank(now.me, shard)),
    )
    return tuple(sheddable[: over - len(shedding)]), ()
