"""Every answer of Nakadi, with and without other keys flowing: what becomes of the events.

python -m tests.integration.fault_matrix        prints the table
python -m tests.integration.fault_matrix 422    only the rows whose name contains this

The publishing half of the consumer runs here on real sockets against the local Nakadi: queue,
slots, reaction, dead letters. Two events of one key meet the answer, 200 of other keys may flow
beside them, and a key's events must be stored in order whatever happens.
"""

import asyncio
import json
import random
import sys
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from consumer.adapters.clock import SystemClock
from consumer.adapters.nakadi import Nakadi
from consumer.adapters.token import NoToken
from consumer.core.backlog.tenure import Tenure
from consumer.core.backlog.watermark import AckWatermark
from consumer.core.dead_letters.dead_letter import DeadLetter
from consumer.core.event.event import Event, EventFormat
from consumer.core.leases.fence import Fence
from consumer.core.limits import LeaseTiming, PublishLimits
from consumer.core.reports.status import NOTHING_SENT
from consumer.core.routes.route import Route
from consumer.observability.conditions import Conditions
from consumer.observability.metrics import Metrics
from consumer.observability.publishing_metrics import PublishingMetrics
from consumer.runtime.instruments import Instruments
from consumer.runtime.publishing.backlog import Backlog, RecordEvents
from consumer.runtime.publishing.event_type import EventType
from consumer.runtime.publishing.publishing import Publishing
from localdev.nakadi.java import string_hash
from localdev.nakadi.process import NakadiProcess, local_nakadi
from tests.benchmarks.table import Row, at_most, table
from tests.patience import PATIENCE

TARGET = "target"
PER_KEY = 2
OTHERS = 100
PUBLISH_TIMEOUT = 30.0  # longer than a slow machine takes for an honest answer
PROBE = 0.5
LOOK = 0.05
LIMITS = PublishLimits(probe=PROBE, concurrency=4)
POISON = '"poison": true'
SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "change": {
            "type": "object",
            "properties": {"sequence": {"type": "string"}, "stream": {"type": "string"}},
        },
    },
}
Fault = dict[str, object]


@dataclass(frozen=True)
class Case:
    """One answer. `letter` is the reason of the first event's dead letter, if it becomes one.

    `twice`: something may be stored twice, because an answer was lost or lied. `state`: what the
    event type was seen in. `lifted`: how many seconds after that was seen the fault is taken away.
    `timeout`: the longest wait for an answer, short where it is to run out. `beside`: the outcome
    needs others that are stored.
    """

    name: str
    fault: Fault
    letter: str | None = None
    twice: bool = False
    state: str = "publishing"
    lifted: float | None = None
    large: bool = False
    timeout: float = PUBLISH_TIMEOUT
    beside: bool = False


def status(code: int, **members: object) -> Fault:
    return {"kind": "status", "status": code, "count": 2, **members}


def items(code: int) -> Fault:
    return {"kind": "items", "status": code, "nth": 2, "count": 2}


def refused(step: str, **members: object) -> Fault:
    return {"kind": "reject", "field": "poison", "value": True, "step": step, **members}


def partial(mode: str, **members: object) -> Fault:
    return {"kind": "partial", "mode": mode, "count": 2, **members}


DOWN = partial("partition", partitions=[str(abs(string_hash(TARGET)) % 3)], delay=0.5)
CASES = (
    Case("200", {"kind": "delay", "delay": 0.05, "count": 1}),
    Case("207 a partition is down", DOWN, state="backing_off"),
    Case("207 all failed", partial("all"), state="backing_off"),
    Case("207 all failed, but written", partial("all", written=True), None, True, "backing_off"),
    Case("207 every second failed", partial("nth", nth=2), state="*"),
    Case("207 aborted, some written", partial("aborted"), twice=True, state="*"),
    Case("422 once, an old schema", refused("validating", count=2)),
    Case("422 validating", refused("validating"), "validation"),
    Case("422 partitioning", refused("partitioning"), "partitioning"),
    Case("422 enriching", refused("enriching"), "enriching"),
    Case("400 names nothing", {"kind": "reject", "marker": "poison"}, "rejected"),
    Case("400 of a proxy, a page", status(400, body="html"), state="backing_off"),
    Case("400 of something in between, text", status(400, body="blocked"), state="backing_off"),
    Case("400 of something in between, empty", status(400, body="empty"), state="backing_off"),
    Case("400, JSON of a proxy", status(400, body='{"message":"no"}'), state="backing_off"),
    Case("403 of a firewall, a page", status(403, body="html"), state="backing_off"),
    Case("403 of a firewall for one event", status(403, count=None, body="html", contains=POISON),
         state="backing_off", lifted=1.2),
    Case("404 of a proxy, text", status(404, body="page not found"), state="backing_off"),
    Case("207 with items of every second event", items(207), twice=True, state="*"),
    Case("422 with items of every second event", items(422), state="backing_off"),
    Case("200 with items of every second event", items(200), twice=True, state="*"),
    Case("413 for many", status(413, count=None, min_bytes=6_000)),
    Case("413 alone", status(413, count=None, min_bytes=20_000), "too_large", state="*", large=True,
         beside=True),
    Case("401", status(401), state="backing_off"),
    Case("403", status(403, count=None), state="stopped", lifted=1.2),
    Case("404", status(404, count=None), state="stopped", lifted=1.2),
    Case("429 with Retry-After", status(429, retry_after=1), state="backing_off"),
    Case("503 with Retry-After", status(503, retry_after=1), state="backing_off"),
    Case("500 before the write", status(500), state="backing_off"),
    Case("500 after the write", status(500, when="after"), None, True, "backing_off"),
    Case("502, a page", status(502, body="html"), state="backing_off"),
    Case("504, empty", status(504, body="empty"), state="backing_off"),
    Case("time-out, written late", {"kind": "delay", "delay": 1.5, "count": 2}, None, True,
         "backing_off", timeout=1.0),
    Case("time-out, written", {"kind": "delay", "delay": 1.5, "count": 2, "when": "after"},
         None, True, "backing_off", timeout=1.0),
    Case("reset before the write", {"kind": "reset", "count": 2}, state="backing_off"),
    Case("reset after the write", {"kind": "reset", "when": "after", "count": 2}, None, True,
         "backing_off"),
    Case("truncated answer", {"kind": "truncate", "count": 2}, None, True, "backing_off"),
    Case("200, a page of a proxy", status(200, body="html"), state="backing_off"),
    Case("200, JSON of a proxy", status(200, body='{"message":"log in"}'), state="backing_off"),
    Case("301 of a proxy", status(301, body="html"), state="backing_off"),
    Case("422, a Problem, twice", status(422)),
    Case("422 names nothing", status(422, count=None, contains=POISON), "rejected"),
    Case("207 too many bytes a partition", partial("bytes", limit=1000, count=None), state="*"),
)  # fmt: skip


@dataclass
class Outcome:
    """What happened, in seconds from the moment that everything was handed over."""

    stored: dict[str, list[int]]  # sequences by key, the first time each was stored
    letters: list[tuple[str, str]]  # (key, reason)
    duplicates: int
    requests: int
    states: set[str]
    target_seconds: float
    others_seconds: float
    unsettled: int
    unknown: float


@dataclass
class Letters:
    """Dead letter queue."""

    sent: list[DeadLetter] = field(default_factory=list)

    async def send(self, letters: Sequence[DeadLetter]) -> Sequence[bool]:
        self.sent.extend(letters)
        return [True] * len(letters)


class _DoneError(Exception):
    """Ends the group."""


@dataclass
class Line:
    """The publishing half of a consumer on real sockets; `events` are handed over at once."""

    nakadi: NakadiProcess
    name: str
    limits: PublishLimits = LIMITS
    letters: Letters = field(default_factory=Letters)
    metrics: Metrics = field(default_factory=Metrics)
    states: set[str] = field(default_factory=set)
    state: str = "*"
    lifted: float | None = None
    fault: int = 0
    timeout: float = PUBLISH_TIMEOUT

    async def send(self, events: Sequence[Event]) -> tuple[float, int]:
        """Until all are settled; the wall time of the beginning, and how many are left over."""
        clock = SystemClock()
        fence = Fence(LeaseTiming(lease_duration=1e6))
        fence.beat(clock.now(), clock.now())
        port = Nakadi(self.nakadi.url, self.name, NoToken(), clock, concurrency=8,
                      timeout=self.timeout)  # fmt: skip
        route = Route(self.name, EventFormat("orders", ("id",)), self.limits, ("id",))
        publishing = Publishing(
            [route], {self.name: port}, self.letters, 1 << 28, fence,
            Instruments(clock, random.Random(2), self.metrics, Conditions(clock.now)), {},
        )  # fmt: skip
        backlog, outlet = publishing.backlog, publishing.backlog.outlets[self.name]
        watermark = AckWatermark(Tenure("arn", "shard", fence.epoch), None)
        backlog.join(watermark, lambda: None)
        async with port:
            began = clock.wall()
            contents = [RecordEvents(e.sequence, e.created_at, [(outlet, e)]) for e in events]
            backlog.add(watermark, contents, clock.now(), {self.name: 1e9})
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(publishing.run())
                    await self._watch(backlog, outlet.event_type)
                    raise _DoneError
            except* _DoneError:
                pass
        return began, backlog.events

    async def _watch(self, backlog: Backlog, event_type: EventType) -> None:
        loop = asyncio.get_running_loop()
        began, seen = loop.time(), 0.0
        while backlog.events and loop.time() - began < PATIENCE:
            state = event_type.status.state
            self.states.add("publishing" if state == NOTHING_SENT else str(state))
            if self.state in self.states and not seen:
                seen = loop.time()
            if self.lifted is not None and seen and loop.time() - seen > self.lifted:
                self.nakadi.remove_faults(self.fault)
                self.lifted = None
            await asyncio.sleep(LOOK)


def event(name: str, sequence: int, key: str, **members: object) -> Event:
    """A change of `key`."""
    eid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{sequence}"))
    body = {
        "metadata": {"eid": eid, "occurred_at": "2026-11-01T09:30:00Z"},
        "data_type": name,
        "data_op": "U",
        "data": {"id": key, **members, "change": {"sequence": f"{sequence:040}"}},
    }
    return Event(sequence, key, eid, json.dumps(body).encode(), 1_793_525_400.0)


def events_of(case: Case, name: str, others: int) -> list[Event]:
    """The target's first event is the culprit where there is one; others are spread around it."""
    made, sequence = [], 0
    for turn in range(PER_KEY):
        for number in range(others + 1):
            sequence += 1
            target = number == others // 2
            members: dict[str, object] = {"poison": True} if target and turn == 0 else {}
            if case.large and members:
                members["fill"] = "x" * 21_000
            made.append(event(name, sequence, TARGET if target else f"o-{number}", **members))
    return made


def create(nakadi: NakadiProcess, name: str) -> None:
    """An event type of three partitions."""
    nakadi.create_event_type(
        {
            "name": name,
            "owning_application": "order-store",
            "category": "data",
            "enrichment_strategies": ["metadata_enrichment"],
            "partition_strategy": "hash",
            "partition_key_fields": ["id"],
            "ordering_key_fields": ["data.change.stream", "data.change.sequence"],
            "ordering_instance_ids": ["data.id"],
            "compatibility_mode": "forward",
            "default_statistic": {
                "messages_per_minute": 1000, "message_size": 1000,
                "read_parallelism": 3, "write_parallelism": 3,
            },
            "schema": {"type": "json_schema", "schema": json.dumps(SCHEMA)},
        }
    )  # fmt: skip


def run_case(nakadi: NakadiProcess, case: Case, *, others: bool) -> Outcome:
    """Its own event type, its own fault."""
    name = f"matrix.t{uuid.uuid4().hex[:8]}"
    create(nakadi, name)
    count = OTHERS if others else 0
    fault = nakadi.add_fault(event_type=name, **case.fault)
    sender = Line(nakadi, name, state=case.state, lifted=case.lifted, fault=fault,
                    timeout=case.timeout)  # fmt: skip
    began, unsettled = asyncio.run(sender.send(events_of(case, name, count)))
    outcome = judge(nakadi, name, sender, began, unsettled)
    nakadi.remove_faults()
    return outcome


def judge(nakadi: NakadiProcess, name: str, sender: Line, began: float, unsettled: int) -> Outcome:
    """Read the log."""
    stored: dict[str, list[int]] = {}
    last = {True: 0.0, False: 0.0}
    log = nakadi.log(name, "key,sequence,received_at")
    seen: set[object] = set()
    for entry in log:
        key = str(entry["key"])
        if entry["sequence"] not in seen:
            seen.add(entry["sequence"])
            stored.setdefault(key, []).append(int(str(entry["sequence"])))
            at = datetime.fromisoformat(str(entry["received_at"])).timestamp() - began
            last[key == TARGET] = max(last[key == TARGET], at)
    return Outcome(
        stored=stored,
        letters=[(letter.ordering_key or "", letter.reason) for letter in sender.letters.sent],
        duplicates=len(log) - len(seen),
        requests=sum(r["event_type"] == name for r in nakadi.requests()),
        states=sender.states,
        target_seconds=last[True],
        others_seconds=last[False],
        unsettled=unsettled,
        unknown=PublishingMetrics(sender.metrics, sender.name).publish_unknown._value.get(),
    )


def faults(case: Case, outcome: Outcome, *, others: bool) -> list[str]:
    """What is not as it should be."""
    found = []
    lost = 1 if case.letter else 0
    if outcome.unsettled:
        found.append(f"{outcome.unsettled} unsettled")
    expected = [(TARGET, case.letter)] if case.letter else []
    if outcome.letters != expected:
        found.append(f"dead letters {outcome.letters}")
    keys = {TARGET, *(f"o-{n}" for n in range(OTHERS + 1) if n != OTHERS // 2)}
    for key in keys if others else {TARGET}:
        sequences = outcome.stored.get(key, [])
        if len(sequences) != PER_KEY - (lost if key == TARGET else 0):
            found.append(f"{key} has {len(sequences)} events")
        if sequences != sorted(sequences):
            found.append(f"{key} is out of order")
    if outcome.duplicates and not case.twice:
        found.append(f"{outcome.duplicates} duplicates")
    if case.state != "*" and case.state not in outcome.states:
        found.append(f"state {', '.join(sorted(outcome.states))}, expected {case.state}")
    return found


def row(case: Case, outcome: Outcome, *, others: bool) -> Row:
    wrong = faults(case, outcome, others=others)
    said = case.letter or "all stored"
    return Row(
        f"{case.name}{', others flow' if others else ''}",
        f"{said} in {outcome.target_seconds:.1f} s"
        + (f", others in {outcome.others_seconds:.1f} s" if others else ""),
        ", ".join(sorted(outcome.states - {"publishing"})) or "publishing",
        "; ".join(wrong) or "ok",
        f"{outcome.requests} requests, {outcome.duplicates} twice, {outcome.unknown:.0f} unknown",
    )


def run_culprits(nakadi: NakadiProcess, events: int = 500, culprits: int = 7) -> Outcome:
    """One batch with culprits of both kinds, far apart: 400 for every second, 422 for the others.

    In `target_seconds` is when the last dead letter was sent.
    """
    name = f"matrix.t{uuid.uuid4().hex[:8]}"
    create(nakadi, name)
    nakadi.add_fault(event_type=name, kind="reject", marker="unnamed")
    nakadi.add_fault(event_type=name, **refused("validating"))
    bad = {events * (2 * n + 1) // (2 * culprits): n for n in range(culprits)}
    made = []
    for number in range(events):
        members: dict[str, object] = {}
        if number in bad:
            members = {"unnamed": 1} if bad[number] % 2 == 0 else {"poison": True}
        made.append(event(name, number + 1, f"o-{number}", **members))
    sender = Line(nakadi, name)
    began, unsettled = asyncio.run(sender.send(made))
    outcome = judge(nakadi, name, sender, began, unsettled)
    nakadi.remove_faults()
    return outcome


def culprits_row(outcome: Outcome) -> Row:
    reasons = Counter(reason for _, reason in outcome.letters)
    said = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    return at_most(
        "500 events, 7 culprits (4 by 400, 3 by 422)",
        outcome.requests,
        120,
        f"{outcome.requests} requests",
        f"{said}; {len(outcome.stored)} stored, the last after {outcome.others_seconds:.1f} s",
    )


def drop(*_: object) -> dict[str, object]:
    """Say nothing: the table says it all."""
    raise structlog.DropEvent


def main(words: Sequence[str]) -> int:
    structlog.configure(processors=[drop])
    with local_nakadi() as nakadi:
        rows = [
            row(case, run_case(nakadi, case, others=others), others=others)
            for case in CASES
            if all(word in case.name for word in words)
            for others in ((True,) if case.beside else (False, True))
        ]
        if not words:
            rows.append(culprits_row(run_culprits(nakadi)))
    print(table(rows))
    return 0 if all(each.verdict == "ok" for each in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
