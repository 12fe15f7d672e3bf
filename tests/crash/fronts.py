"""One proxy before each dependency, for the workers that are started with `settings`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.crash.proxy import Proxy, proxy
from tests.integration.cluster import Cluster

DEPENDENCIES = ("streams", "leases", "nakadi")
"""Those that every change needs."""


@dataclass(frozen=True, slots=True)
class Fronts:
    """Start a worker with `cluster.start(**fronts.settings)` to have it behind them."""

    streams: Proxy
    leases: Proxy
    nakadi: Proxy
    queue: Proxy

    @property
    def settings(self) -> dict[str, str]:
        """What sends a worker through the proxies."""
        return {
            "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": self.streams.url,
            "AWS_ENDPOINT_URL_DYNAMODB": self.leases.url,
            "AWS_ENDPOINT_URL_SQS": self.queue.url,
            "CONSUMER_NAKADI_URL": self.nakadi.url,
        }

    def before(self, dependency: str) -> Proxy:
        """The one of that name."""
        proxy: Proxy = getattr(self, dependency)
        return proxy


@contextmanager
def fronts(cluster: Cluster, seed: int = 0) -> Iterator[Fronts]:
    """Run the proxies until the block ends."""
    with (
        proxy(cluster.streams.url, seed) as streams,
        proxy(cluster.leases_url, seed) as leases,
        proxy(cluster.nakadi.url, seed) as nakadi,
        proxy(cluster.aws.endpoint_url, seed) as queue,
    ):
        yield Fronts(streams, leases, nakadi, queue)
