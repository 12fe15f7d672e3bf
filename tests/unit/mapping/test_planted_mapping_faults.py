"""The promise of the function, and the faults that would break it: each is found by a checker.

A mapping, processes that are killed, and a Nakadi in trouble, all drawn from a seed, in virtual
time: nothing is lost, the events of a key stay in order, and nothing is sent outside of the
invocation that it belongs to.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from consumer.core.invocation.batch_answer import BatchUnsettled, Unsettled, answer_of
from consumer.core.publishing.answer import Answer
from consumer.runtime.invocation import relay as relay_module
from consumer.runtime.invocation.batch import Batch
from localdev.event_source_mapping.lane import MappingOptions
from localdev.event_source_mapping.mapping import EventSourceMapping, Outcome, ShardRecords
from tests.twins.invocations import LIMITS, Process, event_of, some_records
from tests.twins.line import DeadLetterTwin
from tests.twins.nakadi import NakadiTwin, Reply, Request, key_of, refusal, sequence_of
from tests.twins.shard import FIRST
from tests.twins.virtual_time import VirtualClock, run

RECORDS, KEYS = 40, 6
SEEDS = range(8)

Answering = Callable[[Unsettled | None], object]


@dataclass
class Front(NakadiTwin):
    """Nakadi as one process sees it: what that process has sent since `sent` was emptied."""

    nakadi: NakadiTwin = field(default_factory=NakadiTwin)
    sent: list[Request] = field(default_factory=list)

    async def publish(self, bodies: Sequence[bytes]) -> Answer:
        request = Request([*bodies], 0.0, [])
        self.sent.append(request)
        answer = await self.nakadi.publish(bodies)
        request.ended = 1.0
        return answer


@dataclass
class World:
    """Nakadi, the queue, and a function in several processes; `answer` is what it answers."""

    seed: int
    options: MappingOptions = field(default_factory=lambda: MappingOptions(10, reports=True))
    partial: bool = True
    answer: Answering | None = None
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.clock = VirtualClock()
        self.nakadi = NakadiTwin(script=self._reply)
        self.queue = DeadLetterTwin()
        self.poison = {FIRST + self.random.randrange(RECORDS) for _ in range(2)}
        self.trouble_ends = self.random.uniform(0, 300)
        self.processes: list[Process] = []
        self.busy: list[Process] = []

    def _reply(self, bodies: list[bytes]) -> Reply:
        bad = [i for i, body in enumerate(bodies) if sequence_of(body) in self.poison]
        if bad:
            return refusal(len(bodies), bad[0])
        if self.clock.now() > self.trouble_ends or self.random.random() < 0.3:
            return Reply(delay=self.random.uniform(0.01, 2))
        kind = self.random.randrange(4)
        if kind == 0:
            items = [(self.random.choice(["submitted", "failed"]), "publishing") for _ in bodies]
            return Reply(207, items, delay=1.0)
        if kind == 1:
            return Reply(0, reason="timeout", delay=40.0, stores=range(len(bodies)))
        return Reply(self.random.choice([503, 429, 500]), delay=self.random.uniform(0.01, 3))

    async def invoke(self, event: Mapping[str, Any]) -> Outcome:
        """Run one invocation in any process; it may be killed in the middle."""
        free = [each for each in self.processes if each not in self.busy]
        if not free or self.random.random() < 0.2:
            limits = replace(LIMITS, patience=self.random.choice([5.0, 20.0]))
            front = Front(nakadi=self.nakadi)
            free = [Process(front, self.queue, limits=limits, clock=self.clock)]
            self.processes += free
        process = self.random.choice(free)
        lasts = self.random.uniform(1, 60) if self.random.random() < 0.1 else 1_000.0
        records = [json.dumps(each).encode() for each in event["Records"]]
        self.busy.append(process)
        try:
            async with asyncio.timeout(lasts):
                unsettled = await process.invoke(records, self.random.choice([60.0, 120.0]))
        except TimeoutError:
            self.processes.remove(process)
            return Outcome(error="killed")
        finally:
            self.busy.remove(process)
        self._look_at_requests(event, process.nakadi)
        if self.answer is not None:
            return Outcome(self.answer(unsettled))
        try:
            return Outcome(answer_of(unsettled, partial=self.partial))
        except BatchUnsettled as error:
            return Outcome(error=str(error))

    def _look_at_requests(self, event: Mapping[str, Any], front: NakadiTwin) -> None:
        assert isinstance(front, Front)
        ours = {int(each["dynamodb"]["SequenceNumber"]) for each in event["Records"]}
        for request in front.sent:
            if not ours.issuperset(map(sequence_of, request.bodies)):
                self.wrong.append("sent: an event of another batch")
            if request.ended is None:
                self.wrong.append("sent: a request is left behind")
        front.sent.clear()

    async def run(self) -> list[str]:
        given = event_of(some_records(RECORDS, KEYS))["Records"]
        mapping = EventSourceMapping(
            self, self.options, self.random, wall=self.clock.wall, sleep=self.clock.sleep
        )
        await mapping.run([ShardRecords("shard", None, given)])
        if len(asyncio.all_tasks()) > 1:
            self.wrong.append("left: a task is left")
        settled = {sequence_of(body) for body in self.nakadi.stored}
        settled |= {letter.sequence or 0 for letter in self.queue.letters}
        if len(settled) < RECORDS:
            self.wrong.append("lost: a record is neither stored nor a letter")
        for key in {key_of(body) for body in self.nakadi.stored}:
            firsts = list(dict.fromkeys(self.nakadi.sequences(key)))
            if any(a > b for a, b in pairwise(firsts)):
                self.wrong.append("order: an event came behind a later one of its key")
        return sorted(set(self.wrong))


def outcomes(make: Callable[[int], World]) -> set[str]:
    """The checkers that found something in one of the seeds."""
    found: set[str] = set()
    for seed in SEEDS:
        found |= {each.split(":")[0] for each in run(make(seed).run)}
    return found


@pytest.mark.parametrize(
    ("options", "partial"),
    [
        (MappingOptions(10, reports=True), True),
        (MappingOptions(10, reports=True, bisect=True), True),
        (MappingOptions(10, reports=True, parallelization=3), True),
        (MappingOptions(10), False),
        (MappingOptions(10, reports=True), False),
    ],
)
def test_nothing_is_lost_or_out_of_order(options: MappingOptions, *, partial: bool) -> None:
    assert outcomes(lambda seed: World(seed, options, partial)) == set()


def test_null_for_failed_is_found() -> None:
    assert "lost" in outcomes(lambda seed: World(seed, answer=lambda _: None))


def test_a_null_identifier_is_only_a_repeat() -> None:
    def answer(unsettled: Unsettled | None) -> object:
        failed = [] if unsettled is None else [{"itemIdentifier": None}]
        return {"batchItemFailures": failed}

    assert outcomes(lambda seed: World(seed, answer=answer)) == set()


def test_last_for_first_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def last(self: Batch) -> Unsettled | None:
        return Unsettled(self._batch.numbers[-1], 1) if self.left else None

    monkeypatch.setattr(Batch, "unsettled", property(last))
    assert "lost" in outcomes(World)


def test_trust_in_a_mapping_that_does_not_report_is_found() -> None:
    assert "lost" in outcomes(lambda seed: World(seed, MappingOptions(10), partial=True))


def test_a_task_that_is_left_behind_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stray:
        def __init__(self) -> None:
            self.tasks: set[asyncio.Task[Any]] = set()

        def create_task(self, main: Any) -> None:
            self.tasks.add(asyncio.get_running_loop().create_task(main))

    kept: list[Stray] = []

    @asynccontextmanager
    async def never_ending() -> AsyncIterator[Stray]:
        kept.append(Stray())
        yield kept[-1]

    monkeypatch.setattr(relay_module, "ending_group", never_ending)
    assert outcomes(World) & {"sent", "left"}
