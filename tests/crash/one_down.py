"""Refuses one event type of three with 403 for minutes, and shows what that costs the others.

python -m tests.crash.one_down [--minutes 10] [--rate 25]

Orders, lines and customers are 30 % each of a table's changes, locks the rest. Eight shards split,
the memory is the least (16 MiB), and all workers but the defaults. While orders are refused, all
workers are replaced, as a deployment does, and one is killed. At the end orders are accepted again.

Printed are, for each event type, what is missing or out of order at the end, how many events came
twice, how many of these by the deployment, and by the kill though a lease row said before it that
all is stored up to there. Further how long an event took from its change until it was stored: in
shards that were there from the start, and in children of shards that ended, which wait until all of
their parent is settled. Exit code 1 if anything is missing or out of order, or if one of the others
was repeated by the deployment, or against a lease row.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from localdev.workload.aws_client import aws_client
from tests.crash.installation import alive
from tests.crash.takeover import kill, percentile
from tests.integration.cluster import Cluster, WorkerProcess
from tests.integration.routed import Shop, routed
from tests.integration.shop_model import EVENT_TYPES

DOWN = "shop.order"
SHARDS = 8
WORKERS = 2
KEYS = 200
AT_A_TIME = 3
SETTINGS = {"CONSUMER_QUEUE_BYTES": str(16 * 1024 * 1024)}
HELD_SECONDS = 60.0
SETTLING_SECONDS = 300.0
SPLIT_EVERY_SECONDS = 120.0
LEASE_TABLE = "consumer-leases"

Known = Mapping[str, int]
"""By shard: the sequence number up to which its lease row says that all others are settled."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """How many events came again: in all, by the deployment, and against a lease row."""

    all: int
    by_deployment: int
    against_row: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What became of one event type. `seconds` and `in_children` are how long events took."""

    event_type: str
    missing: int
    overtaken: int
    repeats: Repeats
    seconds: list[float]
    in_children: list[float]

    @property
    def good(self) -> bool:
        """Whether it paid nothing that the others must not pay."""
        repeated = self.repeats.by_deployment or self.repeats.against_row
        return not (self.missing or self.overtaken or (repeated and self.event_type != DOWN))

    def __str__(self) -> str:
        return (
            f"{self.event_type:<14} events {len(self.seconds) + len(self.in_children):>6}"
            f"  missing {self.missing}  out of order {self.overtaken}"
            f"  repeated {self.repeats.all} (by the deployment {self.repeats.by_deployment},"
            f" against a lease row {self.repeats.against_row})"
            f"  {_quantiles(self.seconds)}  in children: {_quantiles(self.in_children)}"
        )


def _quantiles(seconds: list[float]) -> str:
    if not seconds:
        return "none"
    p50, p99 = percentile(seconds, 50), percentile(seconds, 99)
    return f"p50 {p50:.2f} s, p99 {p99:.2f} s, longest {max(seconds):.2f} s"


def main(minutes: float, rate: float) -> int:
    """Play it; 0 if the others paid nothing that they must not."""
    with tempfile.TemporaryDirectory() as folder:
        return int(not all(cost.good for cost in play(Path(folder), minutes * 60, rate)))


def play(folder: Path, seconds: float, rate: float) -> list[Cost]:
    """Return what each event type paid."""
    with routed(folder, shards=SHARDS) as made:
        cluster = made.cluster
        cluster.settings.update(SETTINGS)
        pause = AT_A_TIME * (3 + 1 / 3) / rate
        shop = Shop(cluster, keys=KEYS, at_a_time=AT_A_TIME, pause=pause)
        for _ in range(WORKERS):
            cluster.start()
        with shop:
            until_held(cluster)
            cluster.until(lambda: bool(shop.log(DOWN).told), "orders are published")
            fault = cluster.nakadi.add_fault(kind="status", status=403, event_type=DOWN)
            say(f"{DOWN} is refused")
            end = time.monotonic() + seconds
            wait_and_split(cluster, seconds / 4)
            deploy(cluster)
            wait_and_split(cluster, seconds / 4)
            known = known_of(cluster)
            before = {name: len(shop.log(name).repeated) for name in EVENT_TYPES}
            takeover = kill(cluster, max(alive(cluster), key=shards_held))
            say(f"one was killed: {takeover.shards} shards taken over in {takeover.seconds:.1f} s")
            cluster.start()
            wait_and_split(cluster, end - time.monotonic())
            cluster.nakadi.remove_faults(fault)
            say(f"{DOWN} is accepted again")
        cluster.until(lambda: shop.missing() == 0, "all is stored", SETTLING_SECONDS)
        costs = [cost_of(shop, name, known, before[name]) for name in EVENT_TYPES]
        shop.judge()
    for cost in costs:
        say(str(cost))
    return costs


def wait_and_split(cluster: Cluster, seconds: float) -> None:
    """Let a shard end now and then."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, SPLIT_EVERY_SECONDS))
        cluster.streams.control("split", shard="random", children=2)


def deploy(cluster: Cluster) -> None:
    """Replace one worker after the other; the new one comes first."""
    for worker in alive(cluster):
        cluster.start()
        until_held(cluster)
        code, seconds = worker.stop(signal.SIGTERM)
        say(f"a worker was replaced; it ended with {code} in {seconds:.1f} s")
        until_held(cluster)


def until_held(cluster: Cluster) -> None:
    cluster.until(lambda: len(held(cluster)) >= SHARDS, "the shards are held", HELD_SECONDS)


def held(cluster: Cluster) -> set[str]:
    return {shard for worker in alive(cluster) for shard in worker.shards()}


def shards_held(worker: WorkerProcess) -> int:
    return len(worker.shards())


def known_of(cluster: Cluster) -> Known:
    """Read from the lease rows what the others need not get again."""
    client = aws_client("dynamodb", cluster.environment())
    rows: list[dict[str, Any]] = []
    page: dict[str, Any] = {}
    while True:
        answer = client.scan(TableName=LEASE_TABLE, ConsistentRead=True, **page)
        rows += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            break
        page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    client.close()
    leases = [row for row in rows if row["key"]["S"].startswith("lease/")]
    return {row["key"]["S"].rsplit("/", 1)[1]: _furthest(row) for row in leases}


def _furthest(row: Mapping[str, Any]) -> int:
    texts = [row[name].get("S", "") for name in ("checkpoint", "aheadTo") if name in row]
    return max((int(text) for text in texts if text.isdecimal()), default=0)


def cost_of(shop: Shop, event_type: str, known: Known, by_deployment: int) -> Cost:
    """Compare an event type's log with the stream, and with what was known before the kill."""
    log, wanted = shop.log(event_type), shop.model.of(event_type)
    shards, written = shop.places(), shop.times()
    children = shop.children()
    seconds: list[float] = []
    in_children: list[float] = []
    for place, event in shop.first(event_type).items():
        took = datetime.fromisoformat(str(event["received_at"])).timestamp() - written[place]
        (in_children if shards[place] in children else seconds).append(took)
    by_kill = log.repeated[by_deployment:]
    against = [place for place in by_kill if place[1] <= known.get(shards[place], 0)]
    return Cost(
        event_type,
        missing=sum(map(len, wanted.values())) - sum(map(len, log.told.values())),
        overtaken=len(log.overtaken),
        repeats=Repeats(len(log.repeated), by_deployment, len(against)),
        seconds=seconds,
        in_children=in_children,
    )


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # or what it has started would live on
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--minutes", type=float, default=10.0)
    asked.add_argument("--rate", type=float, default=25.0, help="changes a second (default 25)")
    sys.exit(main(**vars(asked.parse_args())))
