"""Whether a worker begins a roll: the first of its version in an application that has others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.core.leases.lease import Worker


def begins_roll(version: str, workers: Iterable[Worker]) -> bool:
    """Return whether there are rows of workers, and none is of this version.

    Rows stay for a while, so it is one question for a restart, and another for an upgrade: a worker
    that finds the row of one of its own version, also its own of before, begins nothing.
    """
    versions = {worker.version for worker in workers if worker.unreadable is None}
    return bool(versions) and version not in versions
