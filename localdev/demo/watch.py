"""Reads the state of Nakadi's log, the workers, the queue and the workload, twice a second."""

import time
from collections import deque
from dataclasses import dataclass

from localdev.demo.evidence import Evidence
from localdev.demo.judge import Verdict
from localdev.demo.logged_process import LoggedProcess
from localdev.demo.sample import Samples
from localdev.demo.stage import EVENT_TYPE, Stage
from localdev.demo.worker import Worker, WorkerView

_RATE_LOOKS = 8  # number of readings for events/s, about four seconds


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the live frame shows; `age` is the largest iterator age in seconds.

    It is None while no worker knows it. At the end there is no rate, and no URL of Nakadi.
    """

    written: int
    accepted: int
    per_second: float | None
    age: float | None
    leases: int
    dead_letters: int
    workers: tuple[WorkerView, ...]
    nakadi: str | None


class Watch:
    """Counts events by the log of Nakadi."""

    def __init__(
        self, stage: Stage, evidence: Evidence, workload: LoggedProcess, workers: list[Worker]
    ) -> None:
        self._nakadi = stage.nakadi
        self._evidence = evidence
        self._workload = workload
        self._workers = workers
        self._samples = Samples()
        self._accepted = 0
        self._looks: deque[tuple[float, int]] = deque(maxlen=_RATE_LOOKS)
        self._new_samples: list[str] = []

    def look(self) -> Snapshot:
        """Read all states once."""
        events = self._nakadi.log(EVENT_TYPE, since=self._accepted)
        self._new_samples.extend(self._samples.pick(events))
        self._accepted += len(events)
        self._looks.append((time.monotonic(), self._accepted))
        views = tuple(worker.look() for worker in self._workers)
        return Snapshot(
            written=self._written(),
            accepted=self._accepted,
            per_second=self._per_second(),
            age=max((view.age for view in views if view.age is not None), default=None),
            leases=sum(view.leases or 0 for view in views),
            dead_letters=self._evidence.dead_letter_count(),
            workers=views,
            nakadi=self._nakadi.url,
        )

    def last(self, verdict: Verdict) -> Snapshot:
        """Return the state at the end, after all workers: the numbers of the verdict."""
        return Snapshot(
            written=verdict.changes,
            accepted=verdict.events,
            per_second=None,
            age=None,
            leases=0,
            dead_letters=verdict.dead_letters,
            workers=tuple(worker.look() for worker in self._workers),
            nakadi=None,
        )

    def new_samples(self) -> list[str]:
        """Return the texts of events that are worth showing, each once."""
        picked, self._new_samples = self._new_samples, []
        return picked

    def _per_second(self) -> float:
        (first, before), (last, now) = self._looks[0], self._looks[-1]
        return (now - before) / (last - first) if last > first else 0.0

    def _written(self) -> int:
        """Return the number in the last line that the workload printed."""
        last = self._workload.last_lines(1)
        number = last[0].split(" ")[0] if last else ""
        return int(number) if number.isdecimal() else 0
