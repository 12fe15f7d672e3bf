"""Leases as an operator looks at them from outside: whose, in which state, how old.

It is made from one read of the table and the wall clock, so it is for people only. A worker on the
inside judges peers by heartbeats it saw move; here a silent owner is one whose `seenAt` is old.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.core.leases.lease_state import LeaseState, lease_state
from consumer.core.leases.lineage import gate_open

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.leases.lease import Lease, Worker

SILENT_AFTER_LEASES = 2
"""An owner unseen for this many lease durations is called silent, clocks of two machines allowed
to differ by the second."""


@dataclass(frozen=True, slots=True)
class LeaseLine:
    """One shard of `consumer leases`. Field names and their order are the public JSON.

    `state` is finished, held, silent, unowned or waiting_for_parent (`LeaseState.in_command`).
    `age_seconds` is how long ago the shard was last known to be settled up to its checkpoint: the
    newest of its last record's time, its last rest at the tip, its release, and the last sign of
    life of an owner that fell silent; of a shard never read, its row's age. None once finished. The
    row of an idle shard is refreshed every six hours; `/status` of its owner knows better.
    """

    shard_id: str
    parent_shard_id: str | None
    owner: str | None
    state: str
    checkpoint: str
    age_seconds: float | None
    paused: bool = False


def lease_report(
    leases: Sequence[Lease], workers: Sequence[Worker], lease_duration: float, wall: float
) -> tuple[LeaseLine, ...]:
    """All leases of a stream, by shard id."""
    rows = {lease.shard_id: lease for lease in leases}
    seen = {worker.worker_id: worker.seen_at for worker in workers}
    silent_before = wall - SILENT_AFTER_LEASES * lease_duration
    return tuple(
        _line(lease, rows, seen, silent_before, wall)
        for lease in sorted(leases, key=lambda lease: lease.shard_id)
    )


def _line(
    lease: Lease,
    rows: Mapping[str, Lease],
    seen: Mapping[str, float],
    silent_before: float,
    wall: float,
) -> LeaseLine:
    seen_at = seen.get(lease.owner or "", 0.0)
    state = lease_state(
        lease,
        here=False,
        owner_lives=seen_at >= silent_before,
        ready=lease.owner is not None or gate_open(lease, rows),  # it was, when it was taken
    )
    settled_at = max(lease.last_sign, seen_at if state is LeaseState.SILENT else 0.0)
    age = None if state is LeaseState.FINISHED else max(0.0, round(wall - settled_at, 3))
    return LeaseLine(
        lease.shard_id,
        lease.parent_shard_id,
        lease.owner,
        state.in_command,
        lease.checkpoint,
        age,
        lease.paused,
    )
