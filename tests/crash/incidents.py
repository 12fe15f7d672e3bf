"""What goes wrong in a soak, drawn at random.

An incident begins at once, and may leave an end that falls due some seconds later.
"""

import random
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from localdev.streams.http.fault import FaultKind
from tests.crash.fronts import DEPENDENCIES, Fronts
from tests.crash.installation import alive
from tests.crash.trouble import Kind, Trouble
from tests.integration.cluster import Cluster, WorkerProcess

OPEN_SHARDS = 24  # no more splits beyond
UNREAD = ("trim", "trimmed", "not-found")  # faults of which records are lost, and rightly
STREAMS_FAULTS = [kind for kind in FaultKind if kind not in UNREAD]
LIES = ("hidden", "open")
ANYWHERE = ("throttle", "server-error", "reset", "slow", "truncate")  # not only of GetRecords
NAKADI_FAULTS: tuple[Mapping[str, object], ...] = (
    # No 413, 422, 400: what ends as a dead letter would look lost.
    *[{"kind": "status", "status": status} for status in (429, 500, 502, 503, 504)],
    {"kind": "status", "status": 500, "when": "after"},
    {"kind": "status", "status": 401},
    {"kind": "reset", "when": "before"},
    {"kind": "reset", "when": "after"},
    {"kind": "truncate"},
    {"kind": "delay", "delay": 2.0},
    {"kind": "delay", "delay": 7.0, "when": "before"},  # lands after the client has given up
    {"kind": "partial", "mode": "all"},
    {"kind": "partial", "mode": "all", "written": True},
    {"kind": "partial", "mode": "nth", "nth": 3},
    {"kind": "partial", "mode": "aborted"},
    {"kind": "partial", "mode": "partition", "partitions": ["3"], "delay": 1.0},
)


@dataclass(frozen=True, slots=True)
class Incident:
    """`end` falls due after `seconds`; None if nothing is left to be ended."""

    text: str
    seconds: float = 0.0
    end: Callable[[], None] | None = None


class Incidents:
    """Draws them. Workers are started behind one of `fronts`."""

    def __init__(self, cluster: Cluster, fronts: list[Fronts], chance: random.Random) -> None:
        self._cluster = cluster
        self._fronts = fronts
        self._chance = chance
        self._absent: set[int] = set()  # process ids of those that are stopped or told to end
        self.told_to_end: list[WorkerProcess] = []
        self.killed: list[WorkerProcess] = []
        self.begun: Counter[str] = Counter()
        self._kinds: dict[Callable[[], Incident], int] = {
            self._kill: 3,
            self._terminate: 3,
            self._stop: 2,
            self._trouble: 6,
            self._reshard: 4,
            self._streams_fault: 3,
            self._nakadi_fault: 3,
            self._lie: 1,
            self._expire_iterators: 1,
            self._burst: 1,
        }

    def begin(self) -> Incident:
        """Let one begin. Of the workers one at least goes on."""
        kinds = dict(self._kinds)
        if len(self._going_on()) < 2:
            for kind in (self._kill, self._terminate, self._stop):
                del kinds[kind]
        (kind,) = self._chance.choices(list(kinds), list(kinds.values()))
        incident = kind()
        self.begun[incident.text.split()[0]] += 1
        return incident

    def start_worker(self) -> None:
        """Start a worker behind one of the fronts."""
        self._cluster.start(**self._chance.choice(self._fronts).settings)

    def _going_on(self) -> list[WorkerProcess]:
        here = [w for w in alive(self._cluster) if w.process.pid not in self._absent]
        return [worker for worker in here if worker.events("starting")]

    def _kill(self) -> Incident:
        worker = self._chance.choice(self._going_on())
        worker.process.kill()
        self.killed.append(worker)
        self._absent.add(worker.process.pid)
        return Incident(f"kill {worker.log.stem}", self._chance.uniform(0, 15), self.start_worker)

    def _terminate(self) -> Incident:
        worker = self._chance.choice(self._going_on())
        worker.process.terminate()
        self._absent.add(worker.process.pid)
        self.told_to_end.append(worker)
        return Incident(f"end {worker.log.stem}", self._chance.uniform(0, 5), self.start_worker)

    def _stop(self) -> Incident:
        worker = self._chance.choice(self._going_on())
        worker.process.send_signal(signal.SIGSTOP)
        self._absent.add(worker.process.pid)

        def wake() -> None:
            worker.process.send_signal(signal.SIGCONT)
            self._absent.discard(worker.process.pid)

        return Incident(f"stop {worker.log.stem}", self._chance.uniform(1, 20), wake)

    def _trouble(self) -> Incident:
        name = self._chance.choice(DEPENDENCIES)
        some = self._chance.sample(self._fronts, self._chance.randint(1, len(self._fronts)))
        proxies = [front.before(name) for front in some]
        trouble = Trouble(
            self._chance.choice(list(Kind)),
            probability=self._chance.choice((0.1, 0.5, 1.0)),
            seconds=self._chance.choice((0.1, 1.0, 8.0)),
        )

        def end() -> None:
            for proxy in proxies:
                proxy.set(None)

        for proxy in proxies:
            proxy.set(trouble)
        where = f"{name} for {len(some)} of {len(self._fronts)}"
        what = f"{trouble.kind} p={trouble.probability:g} {trouble.seconds:g} s"
        return Incident(f"proxy {where}: {what}", self._chance.uniform(1, 15), end)

    def _reshard(self) -> Incident:
        many = len(self._cluster.open_shards()) >= OPEN_SHARDS
        if many or self._chance.random() < 0.5:
            done = self._cluster.streams.control("rotate", shard="random")
        else:
            done = self._cluster.streams.control("split", shard="random", children=2)
        return Incident(f"reshard: {done['opened']}")

    def _streams_fault(self) -> Incident:
        kind, operation = self._chance.choice(STREAMS_FAULTS), "GetRecords"
        if kind in ANYWHERE and self._chance.random() < 0.5:
            operation = "*"
        count = self._chance.randint(1, 20)
        fault = {"kind": kind, "operation": operation, "count": count, "probability": 0.5}
        self._cluster.streams.control("faults", add=[fault])
        return Incident(f"streams: {kind} {operation} {count}")

    def _lie(self) -> Incident:
        kind, seconds = self._chance.choice(LIES), self._chance.uniform(1, 10)
        self._cluster.streams.control("lie", kind=kind, shard="random", seconds=seconds)
        return Incident(f"listings lie: {kind} {seconds:.1f} s")

    def _nakadi_fault(self) -> Incident:
        fault = {**self._chance.choice(NAKADI_FAULTS), "count": self._chance.randint(1, 20)}
        self._cluster.nakadi.add_fault(**fault)
        return Incident(f"nakadi: {fault}")

    def _expire_iterators(self) -> Incident:
        self._cluster.streams.control("iterators", expire=True)
        return Incident("iterators expire")

    def _burst(self) -> Incident:
        self._cluster.fill(1000, keys=self._chance.choice((5, 100)), padding=500)
        return Incident("burst of 1000")
