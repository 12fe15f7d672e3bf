"""Prints the benchmark table: python -m tests.benchmarks [--only a,b] [--quick].

a  transcoding alone, on one core
k  transcoding, by what a table holds
b  the whole consumer, with the plain relay (c) and peak memory (d)
e  CPU while idle
l  calls to the lease table while idle
f  time to the first event
h  CPU of `consumer health`
m  1,000 shards for two workers: begun, shared, released
g  gzip of publishing requests
p  one of eight partitions down
r  filters of routes
s  routes: what they take and show
i  an invocation of the Lambda function, and of a plain handler
t  time from a write to its acceptance, and the GetRecords requests that it takes, before and now

CPU seconds are those of the measured process, user and system, all threads. Of several runs the
best counts, for every program alike: what disturbs a run only ever adds.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from localdev.aws.process import local_aws
from tests.benchmarks.figures.filters import measure_filters, measure_wildcard
from tests.benchmarks.figures.first_event import measure_first_event
from tests.benchmarks.figures.health import measure_health
from tests.benchmarks.figures.idle import measure_idle
from tests.benchmarks.figures.invocations import measure_invocations
from tests.benchmarks.figures.lease_traffic import SHARDS, WORKERS, measure_lease_traffic
from tests.benchmarks.figures.many_shards import SHARDS as MANY
from tests.benchmarks.figures.many_shards import measure_many_shards
from tests.benchmarks.figures.partition_down import measure_partitions
from tests.benchmarks.figures.request_gzip import measure_gzip
from tests.benchmarks.figures.routes import ALL, NOBODY, RATIOS, measure_routes
from tests.benchmarks.figures.shapes import measure_handler, measure_shapes
from tests.benchmarks.figures.throughput import (
    Throughput,
    measure_consumer,
    measure_full_queue,
    measure_plain_relay,
)
from tests.benchmarks.figures.transcode import measure as measure_transcoding
from tests.benchmarks.latency_rows import latency_rows
from tests.benchmarks.table import Row, at_least, at_most, table

KCL = "Kinesis Client Library"
DOLLARS_PER_WRITE = 0.625e-6
"""A write of up to 1 KB, on demand, us-east-1."""

TRANSCODING = {
    "one shape": 60_000,
    "8 entity types": 60_000,
    "200 shapes": 40_000,
    "a fifth changes its shape": 30_000,
    "maps with free keys": 16_000,
    "long lists and sets": 10_000,
    "INSERT only": 75_000,
    "items of 200 bytes": 75_000,
    "items of 10 KB": 16_000,
    "items of 300 KB": 1_000,
}
"""Records a second and core that are wanted of the workloads, on a machine that is quiet."""

MINUTES_PER_MONTH = 30 * 24 * 60


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure."""

    rounds: int
    consumer_records: int
    plain_records: int
    idle_seconds: float
    traffic_seconds: float
    starts: int
    storage_wait: float
    latency_seconds: tuple[float, float]  # of few changes, of many


FULL = Effort(3, 120_000, 8_000, 30.0, 60.0, 3, 30.0, (180.0, 30.0))
QUICK = Effort(1, 40_000, 4_000, 10.0, 20.0, 1, 5.0, (45.0, 10.0))


class Bench:
    def __init__(self, dynamodb_url: str, effort: Effort) -> None:
        self._dynamodb_url = dynamodb_url
        self._effort = effort
        self._started = time.monotonic()

    def transcoding(self) -> Iterable[Row]:
        self._say("transcoding")
        found = measure_transcoding()
        speed = found["records_per_second"]
        size = f"{found['record_bytes']:,.0f} B a record, {found['event_bytes']:,.0f} B an event"
        yield at_least("(a) transcoding, records/s", speed, 30_000, f"{speed:,.0f}", size)

    def shapes(self) -> Iterable[Row]:
        for name, least in TRANSCODING.items():
            self._say(name)
            (costs,) = measure_shapes([name])
            cost = costs[name]
            handler = measure_handler(name).per_second
            size = f"{cost.record_bytes:,.0f} B a record, {cost.megabytes:,.0f} MB/s; "
            size += f"a plain Lambda handler's loop: {handler:,.0f}"
            said = f"{cost.per_second:,.0f}"
            yield at_least(f"(k) {name}, records/s", cost.per_second, least, said, size)

    def throughput(self) -> Iterable[Row]:
        records, url = self._effort.consumer_records, self._dynamodb_url
        runs: dict[str, list[Throughput]] = {}
        cases: dict[str, Callable[[], Throughput]] = {
            "1 shard": lambda: measure_consumer(url, shards=1, records=records),
            "8 shards": lambda: measure_consumer(url, shards=8, records=records),
            "plain": lambda: measure_plain_relay(self._effort.plain_records),
        }
        for number in range(self._effort.rounds):
            for name, measure in cases.items():
                run = measure()
                runs.setdefault(name, []).append(run)
                self._say(f"round {number + 1}, {name}: {run.per_cpu_second:,.0f} per CPU-second")
        self._say("1 shard, gzip")
        runs["1 shard, gzip"] = [measure_consumer(url, shards=1, records=records, gzip=True)]
        best = {name: max(run.per_cpu_second for run in each) for name, each in runs.items()}
        for name in ("1 shard", "8 shards"):
            yield at_least(
                f"(b) consumer, {name}, records/CPU-s",
                best[name],
                20_000,
                f"{best[name]:,.0f} {_spread(runs[name])}",
                f"{KCL}: 4,500-8,000",
            )
        name = "1 shard, gzip"
        yield Row(f"    {name}, records/CPU-s", f"{best[name]:,.0f}", comparison="pages in gzip")
        plain = best["plain"]
        yield Row(
            "(c) plain relay, records/CPU-s",
            f"{plain:,.0f} {_spread(runs['plain'])}",
            comparison="measured before: 1,350",
        )
        ratio = best["1 shard"] / plain
        yield at_least("    consumer / plain relay", ratio, 12, f"{ratio:.1f}")
        for name in ("1 shard", "8 shards"):
            peak = max(run.usage.peak_rss for run in runs[name]) / 1e6
            yield Row(f"(d) peak memory, {name}", f"{peak:.0f} MB", comparison=f"{KCL}: 0.8-2.3 GB")
        self._say("Nakadi down")
        peak = measure_full_queue(url, shards=8) / 1e6
        yield Row("    Nakadi down, queue of 268 MB full", f"{peak:.0f} MB")

    def idle(self) -> Iterable[Row]:
        for shards, target, known in ((8, 2.4, 2.4), (200, 6, 15)):
            self._say(f"idle, {shards} shards")
            seconds = self._effort.idle_seconds
            cpu = measure_idle(self._dynamodb_url, shards=shards, seconds=seconds)
            yield at_most(
                f"(e) idle, {shards} shards, CPU-s a minute",
                cpu,
                target,
                f"{cpu:.1f} (in {seconds:g} s)",
                f"{KCL}: {known}",
            )

    def lease_traffic(self) -> Iterable[Row]:
        self._say(f"lease table, {WORKERS} workers, {SHARDS} shards")
        traffic = measure_lease_traffic(self._dynamodb_url, self._effort.traffic_seconds)
        dollars = traffic.writes_per_minute * MINUTES_PER_MONTH * DOLLARS_PER_WRITE
        yield Row(
            f"lease table writes a minute, {WORKERS} workers, {SHARDS} shards",
            f"{traffic.writes_per_minute:.0f} (${dollars:.2f} a month)",
            comparison=f"{KCL}: 3,600 ($97 a month)",
        )
        operations = ", ".join(f"{name} {n}" for name, n in sorted(traffic.operations.items()))
        yield Row(
            "lease table reads a minute",
            f"{traffic.reads_per_minute:.0f}",
            comparison=f"in {self._effort.traffic_seconds:g} s: {operations}",
        )

    def first_event(self) -> Iterable[Row]:
        self._say("first event")
        middle, times = measure_first_event(self._dynamodb_url, self._effort.starts)
        yield at_most(
            "start to first accepted event, s",
            middle,
            0.7,
            f"{middle:.2f} ({', '.join(f'{seconds:.2f}' for seconds in sorted(times))})",
            f"{KCL}: about 90",
        )

    def health(self) -> Iterable[Row]:
        self._say("health")
        middle, times = measure_health(self._dynamodb_url, 3 * self._effort.starts)
        spread = f"({min(times):.3f}-{max(times):.3f})"
        yield at_most("(h) consumer health, CPU-s", middle, 0.15, f"{middle:.3f} {spread}")

    def many_shards(self) -> Iterable[Row]:
        self._say(f"{MANY:,} shards, two workers")
        found = measure_many_shards(self._dynamodb_url)
        cpu = " and ".join(f"{seconds:.0f}" for seconds in found.begun_cpu)
        yield at_most(
            f"(m) {MANY:,} shards begun by two workers, s",
            found.begun,
            30,
            f"{found.begun:.0f}",
            f"{cpu} CPU-s; leases then {' and '.join(map(str, found.shares))}",
        )
        cpu = " and ".join(f"{seconds:.1f}" for seconds in found.release_cpu)
        yield Row(
            "    all released after SIGTERM, s",
            f"{found.released:.1f}",
            comparison=f"{cpu} CPU-s; {found.left} leases left, exit codes "
            + " and ".join(map(str, found.exit_codes)),
        )

    def request_gzip(self) -> Iterable[Row]:
        self._say("gzip of requests")
        cost = measure_gzip()
        yield Row(
            "(g) requests in gzip, CPU ms a MB",
            f"{cost.milliseconds_per_mb:.1f}",
            comparison=f"{cost.microseconds_per_event:.1f} µs an event; "
            f"a {cost.ratio:.1f}th of the bytes",
        )

    def partitions(self) -> Iterable[Row]:
        url, wait = self._dynamodb_url, self._effort.storage_wait
        self._say("eight partitions")
        healthy = measure_partitions(url, None)
        self._say(f"one of eight partitions down, answers held for {wait:g} s")
        down = measure_partitions(url, wait)
        ratio = down.per_second / healthy.per_second
        yield at_least(
            f"(p) 1 of 8 partitions down ({wait:g} s), other 7 against healthy",
            ratio,
            0.8,
            f"{ratio:.2f}",
            f"{down.per_second:,.0f} of {healthy.per_second:,.0f} events/s",
        )

    def filters(self) -> Iterable[Row]:
        self._say("filters")
        targets = {"one attribute, none match": 1.5, "one attribute, all match": 1.5}
        targets["both images"] = 2.5
        for case, cost in measure_filters().items():
            name = f"(r) filters, {case}, µs a record"
            if case in targets:
                yield at_most(name, cost, targets[case], f"{cost:.2f}")
            else:
                yield Row(name, f"{cost:.2f}")
        half, whole = measure_wildcard(200_000), measure_wildcard(400_000)
        ratio = whole / half
        yield at_most(
            "    wildcard, 400 KB / 200 KB", ratio, 2.5, f"{ratio:.2f}", f"{whole:.2f} ms of CPU"
        )

    def routes(self) -> Iterable[Row]:
        self._say("routes")
        costs = measure_routes()
        for case, cost in costs.items():
            told = f"{cost.microseconds:.1f} µs a record, {cost.per_second:,.0f} events/s"
            if case in RATIOS:
                base, target = RATIOS[case]
                ratio = cost.per_second / costs[base].per_second
                yield at_least(f"(s) {case} / {base}", ratio, target, f"{ratio:.2f}", told)
            else:
                yield Row(f"(s) {case}", told)
        nobody, ratio = costs[NOBODY], costs[ALL].microseconds / costs[NOBODY].microseconds
        yield at_least(f"    {NOBODY}, times as fast", ratio, 3, f"{ratio:.1f}")
        yield at_most(
            "    the same, µs a record", nobody.microseconds, 10, f"{nobody.microseconds:.1f}"
        )

    def invocations(self) -> Iterable[Row]:
        self._say("invocations")
        found = measure_invocations()
        for ours, plain in zip(found["function"], found["plain"], strict=True):
            for name, each in (("function", ours), ("plain handler", plain)):
                value = f"{each.per_cpu_second:,.0f}"
                told = f"{each.cpu:.1f} ms of CPU, {each.gb_seconds:.4f} GB-s at 512 MB"
                yield Row(f"(i) {name}, {each.batch:,} records, records/CPU-s", value, "", "", told)

    def latency(self) -> Iterable[Row]:
        return latency_rows(self._dynamodb_url, *self._effort.latency_seconds, self._say)

    def _say(self, text: str) -> None:
        print(f"{time.monotonic() - self._started:5.0f} s  {text}", file=sys.stderr, flush=True)


def _spread(runs: list[Throughput]) -> str:
    """The slowest and the fastest run."""
    speeds = [run.per_cpu_second for run in runs]
    return f"({min(speeds):,.0f}-{max(speeds):,.0f})" if len(speeds) > 1 else ""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    letters = "a,k,b,e,l,f,h,m,g,p,r,s,i,t"
    parser.add_argument("--only", default=letters, help="letters, comma separated")
    parser.add_argument("--quick", action="store_true", help="shorter samples, noisier figures")
    arguments = parser.parse_args()
    with local_aws() as aws:
        bench = Bench(aws.endpoint_url, QUICK if arguments.quick else FULL)
        figures = {
            "a": bench.transcoding,
            "k": bench.shapes,
            "b": bench.throughput,
            "e": bench.idle,
            "l": bench.lease_traffic,
            "f": bench.first_event,
            "h": bench.health,
            "m": bench.many_shards,
            "g": bench.request_gzip,
            "p": bench.partitions,
            "r": bench.filters,
            "s": bench.routes,
            "i": bench.invocations,
            "t": bench.latency,
        }
        chosen = arguments.only.split(",")
        if unknown := set(chosen) - set(figures):
            found, wanted = ", ".join(sorted(unknown)), ", ".join(figures)
            parser.error(f"--only: found {found}, wanted some of {wanted}")
        rows = [row for letter in figures if letter in chosen for row in figures[letter]()]
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {load}\n")
    print(table(rows))


if __name__ == "__main__":
    main()
