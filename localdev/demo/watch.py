"""Reads the state of Nakadi's logs, the workers, the queue and the workload, twice a second."""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from localdev.demo.evidence import Evidence
from localdev.demo.judge import Outcome
from localdev.demo.logged_process import LoggedProcess
from localdev.demo.sample import OPERATIONS, Samples
from localdev.demo.stage import Stage
from localdev.demo.telling import SHOP_CUSTOMER, SHOP_ORDER
from localdev.demo.worker import Worker, WorkerView

_SHOWN = {SHOP_ORDER: ("C entered", "U", "D left"), SHOP_CUSTOMER: ("C",)}
"""Operations of which an event is shown; of other event types one of each."""

_RATE_LOOKS = 8  # number of readings for events/s, about four seconds


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the live frame shows; `accepted` are the events of each event type.

    `age` is the largest iterator age in seconds, None while no worker knows it. At the end there is
    no rate, and no URL of Nakadi.
    """

    written: int
    accepted: Mapping[str, int]
    per_second: float | None
    age: float | None
    leases: int
    dead_letters: int
    workers: tuple[WorkerView, ...]
    nakadi: str | None


class Watch:
    """Counts events by the logs of Nakadi."""

    def __init__(
        self, stage: Stage, evidence: Evidence, workload: LoggedProcess, workers: list[Worker]
    ) -> None:
        self._nakadi = stage.nakadi
        self._evidence = evidence
        self._workload = workload
        self._workers = workers
        self._samples = {
            event_type: Samples(_SHOWN.get(event_type, OPERATIONS))
            for event_type in stage.event_types
        }
        self._accepted = dict.fromkeys(stage.event_types, 0)
        self._looks: deque[tuple[float, int]] = deque(maxlen=_RATE_LOOKS)
        self._new_samples: list[str] = []

    def look(self) -> Snapshot:
        """Read all states once."""
        for event_type, samples in self._samples.items():
            events = self._nakadi.log(event_type, "event", self._accepted[event_type])
            self._new_samples.extend(samples.pick(events))
            self._accepted[event_type] += len(events)
        self._looks.append((time.monotonic(), sum(self._accepted.values())))
        views = tuple(worker.look() for worker in self._workers)
        return Snapshot(
            written=self._written(),
            accepted=dict(self._accepted),
            per_second=self._per_second(),
            age=max((view.age for view in views if view.age is not None), default=None),
            leases=sum(view.leases or 0 for view in views),
            dead_letters=self._evidence.dead_letter_count(),
            workers=views,
            nakadi=self._nakadi.url,
        )

    def last(self, outcome: Outcome) -> Snapshot:
        """Return the state at the end, after all workers: the numbers of the verdicts."""
        return Snapshot(
            written=outcome.changes,
            accepted={name: verdict.events for name, verdict in outcome.verdicts.items()},
            per_second=None,
            age=None,
            leases=0,
            dead_letters=sum(each.dead_letters for each in outcome.verdicts.values()),
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
