"""The leases that `consumer leases` shows: owner, state and age, as seen from outside.

It is made from one read of the table and the wall clock, so it is for people only. A worker judges
its peers by whether their heartbeats rise; here an owner is silent if its `seenAt` is old.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.leases.lease import Pause
from consumer.core.leases.lease_state import LeaseState, lease_state
from consumer.core.leases.streams.lineage import gate_open
from consumer.core.reports.worker_status import is_silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.leases.lease import Lease, Worker

IDLE_SECONDS = 60.0
"""A shard is idle if nothing of it was settled for this long, and its owner says that nothing of it
is unsettled for that long."""


class LeaseLine(Struct, frozen=True):
    """One shard of `consumer leases`. Field names and their order are the public JSON.

    `state` is finished, held, failing, silent, unowned, waiting_for_parent or unreadable
    (`LeaseState.in_command`).
    `age_seconds` counts from the latest time up to which rows show that the shard was read: its
    newest settled record, its last page at the tip, what the row of its owner says of all its
    shards together, or the last sign of life of a silent owner whose row does not say; of a shard
    that was never read, the making of its row. It is None once finished, and where an unreadable
    row shows no time. So it may be more than the age in `/status` of the owner, never much less.
    `idle`: it is held, and there was nothing to read lately. The last three say who paused it.
    """

    shard_id: str
    parent_shard_id: str | None
    owner: str | None
    state: str
    checkpoint: str
    age_seconds: float | None
    paused: bool = False
    stream: str = ""
    idle: bool = False
    paused_by: str | None = None
    paused_at: float | None = None
    paused_reason: str | None = None

    @property
    def pause(self) -> Pause | None:
        """Who paused the shard; None if it is not paused, or the row does not say by whom."""
        if self.paused_by is None or self.paused_at is None:
            return None
        return Pause(self.paused_by, self.paused_at, self.paused_reason or "")


def lease_report(
    stream_key: str,
    leases: Sequence[Lease],
    workers: Sequence[Worker],
    lease_duration: float,
    wall: float,
) -> tuple[LeaseLine, ...]:
    """Return a line for each lease of a stream, by shard id. `wall` is in epoch seconds.

    `lease_duration` is for workers whose row states none.
    """
    rows = {lease.shard_id: lease for lease in leases}
    alive = {
        worker.worker_id: worker
        for worker in workers
        if not is_silent(worker, lease_duration, wall)
    }
    settled = {worker.worker_id: worker.settled_at for worker in workers}
    return tuple(
        _line(stream_key, lease, rows, settled.get(lease.owner or "", 0.0), alive, wall)
        for lease in sorted(leases, key=lambda lease: lease.shard_id)
    )


def _line(
    stream_key: str,
    lease: Lease,
    rows: Mapping[str, Lease],
    owner_settled_at: float,
    alive: Mapping[str, Worker],
    wall: float,
) -> LeaseLine:
    owner = alive.get(lease.owner or "")
    report = None if owner is None else owner.report
    state = lease_state(
        lease,
        here=False,
        owner_lives=owner is not None,
        ready=lease.owner is not None or gate_open(lease, rows),  # it was, when it was taken
        failing=report is not None and f"{stream_key}/{lease.shard_id}" in report.failing,
    )
    told_at = (report and report.settled_at) or 0.0
    by_owner = owner_settled_at if state is LeaseState.SILENT else told_at
    settled_at = max(lease.last_sign, by_owner)
    timeless = lease.unreadable is not None and not settled_at
    unknown = timeless or state is LeaseState.FINISHED
    age = None if unknown else max(0.0, round(wall - settled_at, 3))
    up_to_date = state is LeaseState.FOREIGN and told_at >= wall - IDLE_SECONDS
    quiet = (lease.record_at or 0.0) < wall - IDLE_SECONDS
    pause = lease.pause
    return LeaseLine(
        lease.shard_id,
        lease.parent_shard_id,
        lease.owner,
        state.in_command,
        lease.checkpoint,
        age,
        lease.paused,
        stream_key,
        up_to_date and quiet and not lease.paused,
        None if pause is None else pause.by,
        None if pause is None else pause.at,
        None if pause is None else pause.reason,
    )
