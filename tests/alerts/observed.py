"""An installation that a real Prometheus scrapes, with the chart's rules."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.alerts.prometheus import Prometheus, prometheus
from tests.integration.cluster import Cluster, WorkerProcess, cluster


@dataclass
class Observed:
    """`cluster` and who looks at it; `others` are more targets, address by name."""

    cluster: Cluster
    prometheus: Prometheus
    others: dict[str, str] = field(default_factory=dict)

    def start(self, **settings: str) -> WorkerProcess:
        """One more worker, scraped as soon as it serves."""
        worker = self.cluster.start(**settings)
        self.cluster.until(lambda: serves(worker), "a worker that serves")
        self.prometheus.watch(
            self.others
            | {
                f"worker-{number}": each.url.removeprefix("http://")
                for number, each in enumerate(self.cluster.workers)
                if each.process.poll() is None and serves(each)
            }
        )
        return worker


def serves(worker: WorkerProcess) -> bool:
    """Whether its first log line is there."""
    try:
        return bool(worker.url)
    except LookupError:
        return False


@contextmanager
def observed(folder: Path, rules: str, *arguments: str, shards: int = 4) -> Iterator[Observed]:
    """Everything but workers; all of it is gone at the end."""
    with (
        cluster(folder, *arguments, shards=shards) as made,
        prometheus(folder / "prometheus", rules) as server,
    ):
        yield Observed(made, server)
