"""Everything that can go wrong, at random, for as long as you like, with a verdict now and then.

python -m tests.crash.soak --minutes 60 [--seed N] [--verdict-minutes 3] [--lease-table NAME]

Before each verdict all troubles end and the load stops; then every change must be in the Nakadi
log, in order, every repeat must have its first text, every open shard must be held exactly once,
and every worker must have ended as it was told to, without a traceback. The seed repeats what is
tried, not how it interleaves. Exit code 1 and the workers' logs after the first bad verdict.
"""

import argparse
import math
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.crash.fronts import fronts
from tests.crash.incidents import Incident, Incidents
from tests.crash.installation import LEASE_TABLES, alive, all_held, installation
from tests.crash.repeats import Repeats
from tests.integration.cluster import Cluster, WorkerProcess
from tests.integration.load import Load

SHARDS = 6
WORKERS = 3
PER_SECOND = 100
PAUSE_SECONDS = 5.0  # longest between two incidents
SETTLE_SECONDS = 180.0
EXIT_SECONDS = 28.0 + 5.0  # drain and 3 s, and what the machine takes
SETTINGS = {"CONSUMER_PUBLISH_TIMEOUT_SECONDS": "5", "CONSUMER_PROBE_SECONDS": "3"}


class BadVerdictError(Exception):
    """What is promised did not hold."""


class Soak:
    """`round` makes trouble for a while; `verdict` ends it and judges."""

    def __init__(self, cluster: Cluster, incidents: Incidents, chance: random.Random) -> None:
        self._cluster = cluster
        self._incidents = incidents
        self._chance = chance
        self._repeats = Repeats(cluster)
        self._pending: list[tuple[float, Incident]] = []
        self._started = time.monotonic()

    def round(self, seconds: float) -> None:
        """Let incidents begin and end under load."""
        end = time.monotonic() + seconds
        with Load(self._cluster, PER_SECOND):
            while time.monotonic() < end:
                self._begin()
                resume = time.monotonic() + self._chance.uniform(0, PAUSE_SECONDS)
                while time.monotonic() < resume:
                    self._end_due()
                    time.sleep(0.05)

    def verdict(self) -> None:
        """End all troubles, judge, and say so. Raises BadVerdictError."""
        for _, incident in self._pending:
            if incident.end is not None:
                incident.end()
        self._pending.clear()
        self._cluster.streams.control("faults", clear=True)
        self._cluster.nakadi.remove_faults()
        try:
            self._cluster.until(self._all_ended, "those told to end have ended", EXIT_SECONDS)
            verdict = self._cluster.until_settled(SETTLE_SECONDS)
            self._cluster.until(lambda: all_held(self._cluster), "all shards held", SETTLE_SECONDS)
        except AssertionError as error:
            raise BadVerdictError(f"{self._cluster.verdict()}: {error}") from error
        changed = self._repeats.changed()
        if verdict.out_of_order or changed:
            raise BadVerdictError(f"{verdict}, texts changed: {changed[:5]}")
        self._check_workers()
        memory = max(resident_mib(worker) for worker in alive(self._cluster))
        self.say(f"VERDICT good: {verdict}, largest worker {memory:.0f} MiB")

    def say(self, text: str) -> None:
        """Print with the time since the start."""
        print(f"{time.monotonic() - self._started:7.1f}  {text}", flush=True)

    def _begin(self) -> None:
        incident = self._incidents.begin()
        if incident.end is not None:
            self._pending.append((time.monotonic() + incident.seconds, incident))
        lasting = f", {incident.seconds:.1f} s" if incident.end is not None else ""
        self.say(incident.text + lasting)

    def _end_due(self) -> None:
        due = [entry for entry in self._pending if entry[0] <= time.monotonic()]
        for entry in due:
            self._pending.remove(entry)
            if entry[1].end is not None:
                entry[1].end()

    def _all_ended(self) -> bool:
        told = self._incidents.told_to_end
        return all(worker.process.poll() is not None for worker in told)

    def _check_workers(self) -> None:
        for worker in self._cluster.workers:
            code = worker.process.poll()
            expected: tuple[int | None, ...] = (None,)
            if worker in self._incidents.killed:
                expected = (-signal.SIGKILL,)
            elif worker in self._incidents.told_to_end:
                expected = (0, 1)  # 1: leases could not be released
            if code not in expected:
                raise BadVerdictError(f"exit code {code}, wanted {expected}: {worker.log}")
            if "Traceback" in worker.log.read_text():
                raise BadVerdictError(f"a traceback: {worker.log}")


def resident_mib(worker: WorkerProcess) -> float:
    """Its resident memory."""
    return float(psutil.Process(worker.process.pid).memory_info().rss) / 2**20


def main(minutes: float, verdict_minutes: float, seed: int, lease_table: str) -> int:
    """Run rounds until the time is up or a verdict is bad."""
    chance = random.Random(seed)
    print(f"python -m tests.crash.soak --minutes {minutes:g} --seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    with (
        installation(folder, SETTINGS, shards=SHARDS, lease_table=lease_table) as cluster,
        fronts(cluster, seed) as left,
        fronts(cluster, seed + 1) as right,
    ):
        incidents = Incidents(cluster, [left, right], chance)
        for _ in range(WORKERS):
            incidents.start_worker()
        soak = Soak(cluster, incidents, chance)
        try:
            for seconds in rounds(minutes * 60, verdict_minutes * 60):
                soak.round(seconds)
                soak.verdict()
        except BadVerdictError as error:
            print(f"BAD: {error}\nlogs: {folder}")
            return 1
        finally:
            print(dict(incidents.begun))
    shutil.rmtree(folder)
    return 0


def rounds(seconds: float, longest: float) -> list[float]:
    """Rounds of the same length, none over `longest`, that make up `seconds`."""
    count = max(1, math.ceil(seconds / longest))
    return [seconds / count] * count


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # or what it has started would live on
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--minutes", type=float, default=60.0)
    asked.add_argument("--verdict-minutes", type=float, default=3.0)
    asked.add_argument("--seed", type=int, default=int(time.time()))
    asked.add_argument("--lease-table", choices=LEASE_TABLES, default="ministack")
    sys.exit(main(**vars(asked.parse_args())))
