"""Whether the service reads the stream of a table, and how far behind it is, as its rows say.

A snapshot of the whole table needs it: what changes while items are read reaches readers by the
stream only, and a snapshot without a service leaves them with old items for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.leases.command import apply_commands

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from consumer.core.leases.command import Command
    from consumer.core.leases.lease import Lease, StreamRow, Worker
    from consumer.core.reports.lease_report import LeaseLine

OLD_SECONDS = 600.0
"""Above this age a snapshot has to be wanted anyway: readers go back in time meanwhile."""


def beating(before: Sequence[Worker], after: Sequence[Worker], stream_key: str) -> bool:
    """Return whether the heartbeat of a worker that works on the stream rose between two reads."""
    beats = {worker.worker_id: worker.heartbeat for worker in before}
    return any(
        worker.heartbeat != beats.get(worker.worker_id, worker.heartbeat)
        for worker in after
        if stream_key in worker.streams
    )


def hindrances(
    stream: StreamRow | None,
    leases: Iterable[Lease],
    commands: Sequence[Command],
    *,
    alive: bool,
    wall: float,
) -> list[str]:
    """Return why the service does not read the stream, a text each; none if it does.

    `commands` are all of the stream, `alive` says that a worker is. `wall` is in epoch seconds.
    """
    if stream is None:
        return ["the application has not begun with the table's latest stream"]
    found = [] if stream.bootstrapped else ["its shards are not known yet: the stream has no start"]
    if not alive:
        found.append("no worker of it is alive")
    paused = sum(
        apply_commands(lease, commands, stream.commands, wall).row.paused
        for lease in leases
        if not lease.finished and lease.unreadable is None
    )
    if paused:
        found.append(f"{paused} shards are paused, or will be (consumer resume)")
    return found


def age_of(lines: Collection[LeaseLine]) -> float | None:
    """Return the seconds by which the shard that is most behind is behind, None without any."""
    ages = [line.age_seconds for line in lines if line.age_seconds is not None]
    return max(ages, default=None)
