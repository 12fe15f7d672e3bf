"""The leases that `consumer leases` shows: owner, state and age, as seen from outside.

It is made from one read of the table and the wall clock, so it is for people only. A worker judges
its peers by whether their heartbeats rise; here an owner is silent if its `seenAt` is old.
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
"""An owner that was not seen for this many lease durations is silent. One would be too few, because
the clocks of two machines differ."""


@dataclass(frozen=True, slots=True)
class LeaseLine:
    """One shard of `consumer leases`. Field names and their order are the public JSON.

    `state` is finished, held, silent, unowned, waiting_for_parent or unreadable
    (`LeaseState.in_command`).
    `age_seconds` counts from the latest time up to which the row shows that the shard was read: its
    newest settled record, its last page at the tip, or the last sign of life of an owner that is
    silent; of a shard that was never read, the making of its row. It is None once finished, and
    where an unreadable row shows no time. The row of an idle shard is written every six hours only;
    `/status` of its owner shows the present age.
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
    """Return a line for each lease of a stream, by shard id. `wall` is in epoch seconds."""
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
    timeless = lease.unreadable is not None and not settled_at
    unknown = timeless or state is LeaseState.FINISHED
    age = None if unknown else max(0.0, round(wall - settled_at, 3))
    return LeaseLine(
        lease.shard_id,
        lease.parent_shard_id,
        lease.owner,
        state.in_command,
        lease.checkpoint,
        age,
        lease.paused,
    )
