"""What a worker says of itself in its row, for people: peers take no decision by it."""

from __future__ import annotations

from msgspec import Struct


class WorkerReport(Struct, frozen=True):
    """`state` is a word of `core.reports.condition`, or of a newer version. Times: epoch seconds.

    `reason` says in a line what is wrong, `since` from when on. Up to `settled_at` every shard that
    the worker runs is known to be settled; None if it runs none. `failing` names shards whose calls
    fail, as `<stream key>/<shard id>`, or the first of them.
    """

    state: str
    reason: str | None = None
    since: float | None = None
    settled_at: float | None = None
    failing: tuple[str, ...] = ()
