"""Figure (m): how soon two workers read 1,000 shards, how evenly, and how soon they let go."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from botocore.session import Session

from localdev.aws.process import REGION
from tests.benchmarks.relay_process import RelayProcess, consumer_process, new_application
from tests.benchmarks.stubs.server_process import server_process

SHARDS = 1_000
WORKERS = 2
LONGEST = 300.0
LEASE_TABLE = "many-shards"
SETTLE_SECONDS = 10.0
"""After the first look at every shard: until the workers have shared what is uneven."""


@dataclass(frozen=True, slots=True)
class ManyShards:
    """Seconds from the start of the first worker, leases, and CPU seconds of each worker."""

    begun: float  # every shard was asked for records
    shares: tuple[int, ...]  # leases of each worker, a while after that
    begun_cpu: tuple[float, ...]
    released: float  # seconds from SIGTERM to the end of the last worker
    release_cpu: tuple[float, ...]
    left: int  # leases that still name an owner then
    exit_codes: tuple[int, ...]


def measure_many_shards(
    dynamodb_url: str, shards: int = SHARDS, *, join_after: float = 0.0
) -> ManyShards:
    """The second worker starts `join_after` seconds after the first."""
    application = new_application()
    leases = _Leases(dynamodb_url, application)
    with ExitStack() as stack:
        streams = stack.enter_context(server_process("streams_stub", shards, 0))
        sink = stack.enter_context(server_process("sink"))

        @contextmanager
        def worker() -> Iterator[RelayProcess]:
            with consumer_process(
                streams.url,
                dynamodb_url,
                sink.url,
                application,
                lease_table=LEASE_TABLE,
                lease_table_create="true",
            ) as process:
                yield process

        workers = [stack.enter_context(worker())]
        if join_after:
            workers[0].rest(join_after)
        workers += [stack.enter_context(worker()) for _ in range(WORKERS - 1)]
        workers[0].until(lambda: streams.ask("readers") == shards, LONGEST)
        begun = time.monotonic() - workers[0].started_at
        begun_cpu = tuple(worker.cpu_seconds for worker in workers)
        workers[0].rest(SETTLE_SECONDS)
        shares = tuple(sorted(leases.by_owner().values()))
        before = tuple(worker.cpu_seconds for worker in workers)
        sent_at = time.monotonic()
        for each in workers:
            each.terminate()
        ends = [each.ended() for each in workers]
        released = time.monotonic() - sent_at
    cpu = tuple(end.cpu_seconds - used for end, used in zip(ends, before, strict=True))
    codes = tuple(end.exit_code for end in ends)
    left = sum(leases.by_owner().values())
    return ManyShards(begun, shares, begun_cpu, released, cpu, left, codes)


class _Leases:
    """The lease rows of an application."""

    def __init__(self, dynamodb_url: str, application: str) -> None:
        self._client = Session().create_client(
            "dynamodb",
            region_name=REGION,
            endpoint_url=dynamodb_url,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - the local AWS accepts any
        )
        self._application = application

    def by_owner(self) -> Counter[str]:
        """Leases of each owner."""
        pages = self._client.get_paginator("query").paginate(
            TableName=LEASE_TABLE,
            KeyConditionExpression="application = :application AND begins_with(#key, :lease)",
            ExpressionAttributeNames={"#key": "key"},
            ExpressionAttributeValues={
                ":application": {"S": self._application},
                ":lease": {"S": "lease/"},
            },
            ConsistentRead=True,
        )
        rows = [row for page in pages for row in page["Items"]]
        return Counter(row["leaseOwner"]["S"] for row in rows if "leaseOwner" in row)
