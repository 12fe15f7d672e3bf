"""Who takes what: a pure function of what was read. Nobody leads.

Share = ceil((ready or held) / eligible workers). Under its share a worker takes what is unowned or
dead-owned, all in one pass, in an order of its own. What has been free for two passes is taken by
anyone, over share or not, but not by whoever just shed it. Over its share a worker sheds as many as
others lack. Nothing is stolen from a live worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.leases.lease import Lease


@dataclass(frozen=True, slots=True)
class Held:
    """A shard that this worker runs (or takes, or is still writing the row of)."""

    retrying: int = 0  # tickets that failed at least once: shed those with none first
    shedding: bool = False
    sheddable: bool = True  # not shed a minute ago, not ending


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a plan is made of, for one stream. `leases` come from a read just answered."""

    me: str
    leases: Sequence[Lease]
    ready: frozenset[str]
    held: Mapping[str, Held]
    eligible: frozenset[str]  # peers; without me
    dead: frozenset[str]
    serving: bool = True  # able and not draining
    avoided: frozenset[str] = frozenset()
    free_twice: frozenset[str] = frozenset()  # seen free in an earlier pass, too
    shed: frozenset[str] = frozenset()  # just shed by me
    ended: frozenset[str] = frozenset()  # shards whose end I reached: their children are mine


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now, and what the next pass has to know."""

    take: tuple[Lease, ...] = ()  # in this order; rows that name me and do not run are among them
    shed: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()  # a shed that is no longer needed
    release: tuple[Lease, ...] = ()  # rows that name me, that I neither run nor want
    free: frozenset[str] = frozenset()  # ready, and unowned or dead-owned
    share: int = 0

    @property
    def left(self) -> bool:
        """Is anything left to do for the next pass?"""
        return bool(self.take or self.shed or self.release or self.free)


def rank(me: str, shard_id: str) -> bytes:
    """An order of shards that differs from worker to worker, so that they rarely collide."""
    return blake2b(f"{me}\n{shard_id}".encode(), digest_size=8).digest()


def plan(now: Situation) -> Plan:
    """Decide. Shards in `held` are never taken or released: their consumer owns their row."""
    alive = [lease for lease in now.leases if not lease.finished]
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
    """Rows that name me and that I do not run: taken again within my share, else released."""
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
    """Which held shards to hand over, and which hand-overs to call off.

    As shares are rounded up, others lack at least what this worker has too much of, less what is
    free already: nothing is shed that nobody would take.
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
