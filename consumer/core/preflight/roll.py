"""Whether a worker begins a roll: the first of its version in an application that has others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.core.leases.lease import Worker


def begins_roll(version: str, workers: Iterable[Worker]) -> bool:
    """Return whether there are rows of workers, and none is of this version.

    A worker that finds the row of one of its own version begins nothing, be it the row that it left
    behind itself when it was killed.
    """
    versions = {worker.version for worker in workers if worker.unreadable is None}
    return bool(versions) and version not in versions
