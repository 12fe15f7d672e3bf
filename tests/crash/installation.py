"""A whole installation for a crash test, and what its workers are doing."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from math import inf
from pathlib import Path

from localdev.aws.dynamodb_local import dynamodb_local
from localdev.aws.process import AwsProcess
from tests.crash.repeats import Repeats
from tests.integration.cluster import Cluster, Verdict, WorkerProcess, cluster
from tests.patience import PATIENCE

SHARDS = 12

LEASE_TABLES: dict[str, Callable[[], AbstractContextManager[AwsProcess]] | None] = {
    "ministack": None,
    "dynamodb-local": dynamodb_local,
}
"""What can have the lease table; DynamoDB Local only where Java and the jar are present."""

QUICK = {"CONSUMER_DISCOVERY_SECONDS": "0.5", "CONSUMER_CHECKPOINT_SECONDS": "1"}
"""Children are found long before their parents' ends. Leases last as usual: with shorter ones the
workers of a slow machine take each other for dead.
"""


@contextmanager
def installation(
    folder: Path,
    settings: Mapping[str, str] | None = None,
    *,
    shards: int = SHARDS,
    lease_table: str = "ministack",
) -> Iterator[Cluster]:
    """Start everything but workers; all workers will have these settings."""
    with cluster(folder, shards=shards, leases=LEASE_TABLES[lease_table]) as made:
        made.settings.update(settings or {})
        yield made


def alive(cluster: Cluster) -> list[WorkerProcess]:
    """The workers that have not ended."""
    return [worker for worker in cluster.workers if worker.process.poll() is None]


def ready(worker: WorkerProcess) -> bool:
    """What its /readyz says."""
    try:
        return worker.get("/readyz")[0] == 200
    except (LookupError, OSError):
        return False


def oldest(workers: Iterable[WorkerProcess]) -> float:
    """The largest iterator age in seconds of all shards they hold; infinite while unknown."""
    ages = [shard["age_seconds"] for worker in workers for shard in worker.status()["shards"]]
    return max((inf if age is None else age for age in ages), default=inf)


def read_by(workers: Iterable[WorkerProcess]) -> list[str]:
    """The shards that these workers hold and read, each as often as it is held."""
    found = []
    for worker in workers:
        try:
            shards = worker.status()["shards"]
        except (LookupError, OSError):
            continue
        found += [shard["shard_id"] for shard in shards if shard["state"] == "reading"]
    return found


def all_held(cluster: Cluster, most_apart: int | None = None) -> bool:
    """Whether every open shard is held by exactly one worker, and nothing else is.

    With it, no worker holds more than `most_apart` more than another, too.
    """
    held = [worker.shards() for worker in alive(cluster)]
    counts = [len(shards) for shards in held]
    if most_apart is not None and max(counts) - min(counts) > most_apart:
        return False
    return sorted(shard for shards in held for shard in shards) == sorted(cluster.open_shards())


def until_shared(cluster: Cluster) -> float:
    """Wait until all living workers have their share; the seconds it took."""
    return cluster.until(lambda: all_held(cluster, most_apart=1), "shards shared evenly")


def settled(cluster: Cluster, seconds: float = PATIENCE) -> Verdict:
    """Wait until nothing is missing; every repeat must have the text of the first."""
    verdict = cluster.until_settled(seconds)
    assert Repeats(cluster).changed() == []
    return verdict
