"""What the lease table is asked by workers that share shards in which nothing happens."""

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass

from tests.benchmarks.relay_process import consumer_process, new_application
from tests.benchmarks.stubs.server_process import ServerProcess, server_process

WORKERS = 2
SHARDS = 200
START_SECONDS = 90.0
QUIET_SECONDS = 10.0
"""The workers have shared the shards when no lease row was written for this long."""

_LEASE_WRITE = "UpdateItem"
_WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")
_READS = ("GetItem", "BatchGetItem", "TransactGetItems", "Query", "Scan")


@dataclass(frozen=True, slots=True)
class LeaseTraffic:
    writes_per_minute: float
    reads_per_minute: float
    operations: dict[str, int]  # calls in the sample


def measure_lease_traffic(dynamodb_url: str, seconds: float) -> LeaseTraffic:
    """Calls a minute, from a sample of `seconds`; start and sharing are left out."""
    application = new_application()
    with ExitStack() as stack:
        proxy = stack.enter_context(server_process("counting_proxy", dynamodb_url))
        streams = stack.enter_context(server_process("streams_stub", SHARDS, 0))
        sink = stack.enter_context(server_process("sink"))
        workers = [
            stack.enter_context(consumer_process(streams.url, proxy.url, sink.url, application))
            for _ in range(WORKERS)
        ]
        workers[0].until(lambda: streams.ask("readers") == SHARDS, START_SECONDS)
        quiet = _Quiet(proxy)
        workers[0].until(quiet.reached, START_SECONDS)
        before = Counter(proxy.ask("counts"))
        usage = workers[0].rest(seconds)
        operations = Counter(proxy.ask("counts")) - before
    minutes = usage.wall_seconds / 60
    return LeaseTraffic(
        sum(operations[name] for name in _WRITES) / minutes,
        sum(operations[name] for name in _READS) / minutes,
        dict(operations),
    )


class _Quiet:
    """Whether the lease rows have come to rest."""

    def __init__(self, proxy: ServerProcess) -> None:
        self._proxy = proxy
        self._writes = -1
        self._since = 0.0

    def reached(self) -> bool:
        writes = self._proxy.ask("counts").get(_LEASE_WRITE, 0)
        now = time.monotonic()
        if writes != self._writes:
            self._writes, self._since = writes, now
        return now - self._since >= QUIET_SECONDS
