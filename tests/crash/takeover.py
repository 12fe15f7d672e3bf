"""Kills a worker and takes the time until others read what it had."""

import signal
import time
from dataclasses import dataclass

from tests.crash.installation import alive, read_by
from tests.integration.cluster import Cluster, WorkerProcess


@dataclass(frozen=True, slots=True)
class Takeover:
    """`seconds` from the kill until the last of its `shards` was read by another worker."""

    shards: int
    seconds: float


def kill(cluster: Cluster, victim: WorkerProcess) -> Takeover:
    """Kill -9; wait until every open shard it held was seen read by another (/status of those)."""
    missing = set(victim.shards()).intersection(cluster.open_shards())
    shards = len(missing)
    started = time.monotonic()
    victim.stop(signal.SIGKILL)

    def taken_over() -> bool:
        missing.difference_update(read_by(alive(cluster)))
        return not missing

    cluster.until(taken_over, f"takeover of {shards} shards")
    return Takeover(shards, time.monotonic() - started)


def percentile(seconds: list[float], percent: int) -> float:
    """The smallest that `percent` of them do not exceed (nearest rank)."""
    ordered = sorted(seconds)
    return ordered[-(-len(ordered) * percent // 100) - 1]
