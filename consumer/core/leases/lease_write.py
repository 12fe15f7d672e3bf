"""Writes of a lease row, and what a refused condition means.

Every write is conditional on owner and counter, every one but a take on the checkpoint, too. At
most one write per shard is unresolved; it is sent again unchanged until there is a definite answer.
A condition that failed is resolved by the row that the table returned with the refusal:

    the row is as the write wanted it          it was written; the answer was lost
    else: my owner, the counter expected       expect that row instead and send again
    anything else                              the lease is lost
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from consumer.core.leases.lease import LeaseWrite
from consumer.core.leases.mark import Mark

if TYPE_CHECKING:
    from consumer.core.leases.lease import Lease
    from consumer.core.leases.progress import Progress


class AlreadyWritten(Struct, frozen=True):
    """The write had taken effect; `row` is the row in the table."""

    row: Lease


class Resend(Struct, frozen=True):
    """The row still belongs to this worker but is not as expected: send `write` instead."""

    write: LeaseWrite


class Lost(Struct, frozen=True):
    """The lease is lost: the row is another's, nobody's, absent, or it cannot be read."""


Resolution = AlreadyWritten | Resend | Lost


def take(lease: Lease, me: str) -> LeaseWrite:
    """Return the write by which `me` becomes the owner of a lease as it was read.

    Reading starts from the checkpoint in the row that the table returns.
    """
    row = replace(
        lease,
        owner=me,
        counter=lease.counter + 1,
        released_at=None,
        owner_switches=lease.owner_switches + (lease.owner != me),
    )
    return LeaseWrite(lease, row, keeps_checkpoint=True)


def checkpoint(lease: Lease, progress: Progress) -> LeaseWrite:
    """Return the write of how far the shard is settled. A time that is None stays as it was."""
    ahead = progress.ahead
    row = replace(
        lease,
        checkpoint=progress.checkpoint,
        record_at=lease.record_at if progress.record_at is None else progress.record_at,
        caught_up_at=lease.caught_up_at if progress.caught_up_at is None else progress.caught_up_at,
        mark=None if ahead is None else Mark(ahead, lease.command_counter),
    )
    return LeaseWrite(lease, row)


def release(lease: Lease, progress: Progress, wall: float) -> LeaseWrite:
    """Return the one write of the final progress (SHARD_END is one) and the end of ownership."""
    settled = checkpoint(lease, progress).row
    row = replace(settled, owner=None, counter=lease.counter + 1, released_at=wall)
    return LeaseWrite(lease, row)


def rewrite(lease: Lease, row: Lease) -> LeaseWrite:
    """Return the write of a row that an operator's commands have changed.

    The counter rises with it, so that no earlier copy of a write can undo or repeat a seek.
    """
    return LeaseWrite(lease, replace(row, counter=lease.counter + 1))


def resolve_conflict(write: LeaseWrite, me: str, current: Lease | None) -> Resolution:
    """Return what a refused condition means; `current` is the row as it is, if any."""
    if current is None or current.unreadable is not None:
        return Lost()
    meant = write.row
    same_checkpoint = write.keeps_checkpoint or current.checkpoint == meant.checkpoint
    if (current.owner, current.counter) == (meant.owner, meant.counter) and same_checkpoint:
        return AlreadyWritten(current)
    if (current.owner, current.counter) == (me, write.expected.counter):
        return Resend(LeaseWrite(current, meant, write.keeps_checkpoint))
    return Lost()
