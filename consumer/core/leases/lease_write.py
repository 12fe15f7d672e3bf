"""Writes of a lease row, and what a refused condition means.

Every write is conditional on owner and counter, a checkpoint also on the previous checkpoint. At
most one write per shard is unresolved; it is resent unchanged until a definite answer. A condition
that failed is resolved from the row the table returned with the refusal:

    already what I meant to write      it was written; the answer was lost
    else my owner and my counter       adopt that row as the previous one and send again
    anything else                      the lease is lost
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from consumer.core.leases.lease import LeaseWrite

if TYPE_CHECKING:
    from consumer.core.leases.lease import Lease
    from consumer.core.leases.progress import Progress


@dataclass(frozen=True, slots=True)
class AlreadyWritten:
    """The write had taken effect; `row` stands in the table."""

    row: Lease


@dataclass(frozen=True, slots=True)
class Resend:
    """The row is still ours but not as expected: send `write` instead."""

    write: LeaseWrite


@dataclass(frozen=True, slots=True)
class Lost:
    """The row belongs to somebody else, to nobody, or is gone."""


Resolution = AlreadyWritten | Resend | Lost


def take(lease: Lease, me: str) -> LeaseWrite:
    """Become the owner of a lease as observed; reading starts from the returned checkpoint."""
    row = replace(
        lease,
        owner=me,
        counter=lease.counter + 1,
        released_at=None,
        owner_switches=lease.owner_switches + (lease.owner != me),
    )
    return LeaseWrite(lease, row, keeps_checkpoint=True)


def checkpoint(lease: Lease, progress: Progress) -> LeaseWrite:
    """Write how far the shard is settled. A time that is None stays as it was."""
    row = replace(
        lease,
        checkpoint=progress.checkpoint,
        record_at=lease.record_at if progress.record_at is None else progress.record_at,
        caught_up_at=lease.caught_up_at if progress.caught_up_at is None else progress.caught_up_at,
    )
    return LeaseWrite(lease, row)


def release(lease: Lease, progress: Progress, wall: float) -> LeaseWrite:
    """Write the final progress (SHARD_END is one) and the end of ownership in one."""
    settled = checkpoint(lease, progress).row
    row = replace(settled, owner=None, counter=lease.counter + 1, released_at=wall)
    return LeaseWrite(lease, row)


def rewrite(lease: Lease, row: Lease) -> LeaseWrite:
    """Replace the row by what commands of an operator have made of it.

    The counter rises with it, so no earlier copy of any write can undo or repeat a seek.
    """
    return LeaseWrite(lease, replace(row, counter=lease.counter + 1))


def resolve_conflict(write: LeaseWrite, me: str, current: Lease | None) -> Resolution:
    """Return what a refused condition means; `current` is the row that stood there, if any."""
    if current is None:
        return Lost()
    meant = write.row
    same_checkpoint = write.keeps_checkpoint or current.checkpoint == meant.checkpoint
    if (current.owner, current.counter) == (meant.owner, meant.counter) and same_checkpoint:
        return AlreadyWritten(current)
    if (current.owner, current.counter) == (me, write.expected.counter):
        return Resend(LeaseWrite(current, meant, write.keeps_checkpoint))
    return Lost()
