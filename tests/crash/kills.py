"""Kills a worker of three under load, again and again, and prints how long takeovers take.

python -m tests.crash.kills --kills 20 [--lease-table dynamodb-local] [--seed 1]

All timings are the defaults. Exit code 1 if anything was lost or out of order, or if the 99th
percentile exceeds 15 s.
"""

import argparse
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.crash.installation import LEASE_TABLES, alive, installation, settled, until_shared
from tests.crash.takeover import kill, percentile
from tests.integration.load import Load

WORKERS = 3
PER_SECOND = 200
SETTLING_SECONDS = 300.0  # a verdict on all these records takes seconds itself
PROMISED_SECONDS = 15.0


def main(kills: int, lease_table: str, seed: int) -> int:
    """Kill, measure, judge."""
    chance = random.Random(seed)
    times: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        installation(Path(folder), lease_table=lease_table) as cluster,
    ):
        for _ in range(WORKERS):
            cluster.start()
        with Load(cluster, per_second=PER_SECOND):
            for number in range(1, kills + 1):
                until_shared(cluster)
                time.sleep(chance.uniform(0, 2))  # anywhere between two heartbeats
                takeover = kill(cluster, chance.choice(alive(cluster)))
                cluster.start()
                times.append(takeover.seconds)
                print(
                    f"kill {number}: {takeover.shards} shards, {takeover.seconds:.2f} s", flush=True
                )
        verdict = settled(cluster, SETTLING_SECONDS)
    p50, p99 = percentile(times, 50), percentile(times, 99)
    print(f"takeover of {len(times)} kills on {lease_table}: p50 {p50:.2f} s, p99 {p99:.2f} s")
    print(verdict)
    return int(verdict.lost > 0 or verdict.out_of_order > 0 or p99 > PROMISED_SECONDS)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # or what it has started would live on
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--kills", type=int, default=20)
    asked.add_argument("--lease-table", choices=LEASE_TABLES, default="ministack")
    asked.add_argument("--seed", type=int, default=1)
    sys.exit(main(**vars(asked.parse_args())))
