"""The rows of figure (t): the pace of before and that of now, given the same changes.

Both are the code of now but for the pace.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.benchmarks.figures.latency import Latency, measure_latency
from tests.benchmarks.relay_process import RUN
from tests.benchmarks.table import Row, at_most

EARLIER = (sys.executable, "-m", "tests.benchmarks.earlier_pace", "run")

SHARDS = 8
MANY = 100
"""From this rate of changes on the two are measured in turn: they would share the CPU."""

LATENCIES = (("5 changes/s", 5.0, 350.0), ("1,500 changes/s", 1_500.0, 200.0))
"""Changes a second of all shards, and the goal for half of the changes, in milliseconds."""

SINGLE = {
    "an idle shard": 0.0,
    "a change every 10 s": 0.1,
    "a change every 2 s": 0.5,
    "10 changes/s": 10.0,
}
"""Changes a second of single shards."""


def latency_rows(
    dynamodb_url: str, few_seconds: float, many_seconds: float, say: Callable[[str], None]
) -> Iterator[Row]:
    """Measure with few changes for `few_seconds`, with many for `many_seconds`."""
    for name, rate, goal in LATENCIES:
        seconds = few_seconds if rate < MANY else many_seconds
        say(f"latency, {name}, both for {seconds:g} s")
        before, now = _both(dynamodb_url, [rate / SHARDS] * SHARDS, seconds)
        yield Row(f"(t) {name}, before, p50/p90/p99 ms", before.told())
        yield at_most(f"    {name}, now, p50/p90/p99 ms", now.p50, goal, now.told())
        yield _asked(f"    {name}, {SHARDS} shards", before, now, most=1.5)
    say(f"latency, single shards, both for {few_seconds:g} s")
    before, now = _both(dynamodb_url, [*SINGLE.values()], few_seconds)
    for shard, (name, rate) in enumerate(SINGLE.items()):
        most = None if rate else 1.05
        yield _asked(f"    {name}", before.of(shard), now.of(shard), most=most)


def _both(dynamodb_url: str, rates: list[float], seconds: float) -> tuple[Latency, Latency]:
    """Few changes at the same time, so that both meet the same machine."""

    def run(command: Sequence[str]) -> Latency:
        return measure_latency(dynamodb_url, rates, seconds, command)

    with ThreadPoolExecutor(2 if sum(rates) < MANY else 1) as pool:
        before, now = pool.map(run, (EARLIER, RUN))
    return before, now


def _asked(name: str, before: Latency, now: Latency, *, most: float | None) -> Row:
    """GetRecords requests of both, and what a month of them costs."""
    first, second = sum(before.requests), sum(now.requests)
    told = f"{first:.2f} -> {second:.2f} (x {second / first:.2f})"
    price = f"${before.dollars:.2f} -> ${now.dollars:.2f} a month beyond what is free"
    if most is None:
        return Row(f"{name}, GetRecords/s", told, comparison=price)
    return at_most(f"{name}, GetRecords/s", second / first, most, told, price)
