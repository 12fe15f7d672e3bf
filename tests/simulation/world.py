"""One run of a scenario: a time of trouble, then a time in which everything must come right."""

import asyncio
import gc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from localdev.streams.model.key_schema import KeySchema
from localdev.streams.model.streams_model import StreamsModel
from tests.simulation.checks.age_check import AgeCheck
from tests.simulation.checks.checkers import Checks, Violation
from tests.simulation.checks.honesty_check import HonestyCheck
from tests.simulation.checks.readings import Readings
from tests.simulation.checks.truth import ShardTruth, Truth, fits, wall
from tests.simulation.cluster import Cluster, route_of
from tests.simulation.faults.careless_hand import CarelessHand
from tests.simulation.faults.operator import Operator
from tests.simulation.faults.random_faults import (
    all_well,
    hide,
    lift_unprovable,
    moods,
    options,
    weathers,
)
from tests.simulation.faults.scheduled_faults import ScheduledFaults
from tests.simulation.logs import logs_to
from tests.simulation.loop import SimLoop, StuckError
from tests.simulation.scenario import Scenario
from tests.simulation.trace import Trace
from tests.simulation.twins.nakadi_twin import NakadiService
from tests.simulation.twins.stream_twin import StreamService
from tests.simulation.workload import Writer
from tests.twins.lease_table import LeaseTable

LOOK = 1.0
"""Seconds between looks at whether the run may end."""

SETTLED_WITHIN = 360.0
"""The virtual seconds within which the backlog is settled once the faults have stopped.

What no listing has shown is found by the next, at most five minutes later.
"""

STOPPED_WITHIN = 900.0
"""As much where the event type may have stopped for too many dead letters: without an operator it
goes on by probes, one event each, and four letters a minute."""

SHARED_WITHIN = 360.0
"""And the seconds more within which the leases are shared."""

FLAWS = ("shard_failed",)
"""What no worker may ever log here."""


@dataclass
class Result:
    """What a run was: `seconds` are virtual."""

    seed: int
    violations: list[Violation]
    digest: str
    seconds: float
    records: int
    steps: int
    faults: dict[str, int] = field(default_factory=dict)
    happened: dict[str, int] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()


class World:
    """Everything of one run."""

    def __init__(self, scenario: Scenario, *, keep: bool = False) -> None:
        self.scenario = scenario
        chance = scenario.streams
        self.loop = SimLoop(chance.of("order") if scenario.has("shuffle") else None)
        self.trace = Trace(keep)
        self.model = StreamsModel(f"sim-{scenario.seed}", options(scenario))
        self.table = LeaseTable()
        self.truth = Truth(self.model, self.table, (scenario.rules, scenario.later_rules))
        self.checks = Checks(
            self.loop,
            self.truth,
            self.table,
            self.trace,
            scenario,
        )
        self.faults: dict[str, int] = {}
        self.happened: Counter[str] = Counter()  # to whom it could happen
        self.weathers = weathers(scenario)
        self.streams = StreamService(self.loop, self.model, self.truth, self.trace, self.checks)
        draw = chance.of("reading").random
        if scenario.has("empty_pages"):
            self.streams.empty_pages = 0.05 + 0.4 * draw()
        if scenario.has("not_found"):
            self.streams.not_found = 0.05 * draw()
        self.streams.no_latest = scenario.has("no_latest")
        self.streams.spoilt = 0.1 if scenario.has("spoilt") else 0.0
        if scenario.has("long_pages"):
            self.streams.long_pages = (0, 1 << 20, 5 << 20)
        if scenario.has("small_pages"):
            self.streams.page_records = 7
        self.nakadi = {
            name: NakadiService(
                name, self.loop, self.checks, self.trace, moods(scenario, name), faults=self.faults
            )
            for name in scenario.event_types
        }
        self.day = asyncio.Event()
        self.day.set()
        self.well = False  # nothing goes wrong any more
        self.over = False
        self.cluster = Cluster(self)
        self.operator = Operator(self)
        self.careless_hand = CarelessHand(self)
        self._prepare()

    def tell(self, who: str, what: str, detail: str = "") -> None:
        self.trace.add(self.loop.now, who, what, "", detail)

    def note_shards(self) -> list[ShardTruth]:
        """Take in the shards that are new in the model."""
        fresh = self.truth.note_shards()
        for shard in fresh:
            self.trace.add(
                self.loop.now, "stream", "shard", shard.id, f"child of {shard.shard.parent}"
            )
        return fresh

    def _prepare(self) -> None:
        """The table, with what was written before anybody ran."""
        scenario = self.scenario
        chance = scenario.streams.of("backlog")
        start = wall(0.0) - scenario.age
        self.model.create_table(
            "orders", KeySchema("id", None, {"id": "S"}), start, shards=scenario.shards
        )
        self.note_shards()
        self.writer = Writer(self, scenario.streams.of("writes"))
        self.scheduled_faults = ScheduledFaults(self)
        for _ in range(scenario.workload.backlog):
            start += chance.random()
            if chance.random() < 0.03 and (scenario.has("split") or scenario.has("rotate")):
                self.scheduled_faults.replace(chance, 2 if scenario.has("split") else 1, start)
            self.writer.write(start)
        # Open shards are listed from the start; a closed one may lie low, as parents do.
        hide(self, [s for s in self.truth.shards.values() if s.shard.ending is not None])

    # -- the run

    def run(self) -> Result:
        """Run it all; never raises for what a worker does."""
        try:
            with logs_to(self._logged):
                self.loop.set_exception_handler(self._unretrieved)
                self.loop.run_until_complete(self._run())
        except StuckError as error:
            self.checks.fail("stuck", str(error))
        finally:
            self.loop.close()
        gc.collect()
        return self.result()

    def result(self) -> Result:
        """What has come of it so far."""
        return Result(
            self.scenario.seed,
            self.checks.violations,
            self.trace.digest,
            self.loop.now,
            len(self.truth.records),
            self.loop.steps,
            self.faults,
            self.happened,
            tuple(sorted(self.scenario.kinds)),
        )

    async def _run(self) -> None:
        for _ in range(self.scenario.workers):
            self.cluster.start()
        writing = self.loop.create_task(self.writer.run())
        happening = self.loop.create_task(self.scheduled_faults.run())
        watching = [
            self.loop.create_task(AgeCheck(self).watch()),
            self.loop.create_task(HonestyCheck(self).watch()),
        ]
        while not (writing.done() and happening.done()) and not self.checks.violations:
            await asyncio.sleep(LOOK)
            await self.day.wait()  # there is nothing to look at in the night
            for task in (writing, happening):
                if task.done():
                    task.result()  # the world itself must not fail
        if not self.checks.violations:
            await self._come_right()
        for task in (writing, happening, *watching):
            task.cancel()
        await asyncio.gather(writing, happening, *watching, return_exceptions=True)
        for task in self.loop.unretrieved():
            self.checks.fail("unretrieved", f"{task.what}: {task.exception()!r}")
        self.over = self.well = True
        await self.cluster.bury()
        if not self.checks.violations:
            self.checks.readers.judge(self._readings())

    def _readings(self) -> Readings:
        """What somebody publishes of the table beside the workers, by their latest routes."""
        scenario = self.scenario
        rules = scenario.later_rules.items()
        routes = [route_of(name, scenario.limits, each) for name, each in rules]
        return Readings(self.truth, scenario, routes)

    async def _come_right(self) -> None:
        all_well(self)
        self.tell("world", "all well")
        self.well = True
        while not self.cluster.serving:
            self.cluster.start()
        waits = self.scenario.has("few_letters") or self.scenario.has("firewall")
        within = STOPPED_WITHIN if waits else SETTLED_WITHIN
        settled = await self._until(self._is_settled, within, trickle=True)
        if not settled and lift_unprovable(self):
            settled = await self._until(self._is_settled, within)
        if not settled:
            self._report_unsettled()
            return
        # A worker may still publish by rules of before what need not be published any more.
        shared = await self._until(self._is_shared, within if waits else SHARED_WITHIN)
        if not shared and lift_unprovable(self, quiet=True):  # read by a seek obeyed late
            shared = await self._until(self._is_shared, within)
        if not shared:
            self._report_unshared()
            return
        # Whoever had trouble with the lease table has come over it by now.
        timings = [self.scenario.timing_of(process.name) for process in self.cluster.serving]
        await asyncio.sleep(max(timing.lease_duration for timing in timings) + 5.0)
        await self._shut_down()

    async def _until(
        self, done: Callable[[], bool], seconds: float, *, trickle: bool = False
    ) -> bool:
        limit = self.loop.now + seconds
        self._since = wall(self.loop.now)
        while self.loop.now < limit:
            if self.checks.violations or done():
                return True
            if trickle:
                self.writer.trickle(wall(self.loop.now))
            await asyncio.sleep(LOOK)
        return bool(self.checks.violations)

    def _is_settled(self) -> bool:
        return all(record.at >= self._since for record in self.truth.unsettled())

    def _is_shared(self) -> bool:
        if self.truth.unsettled() or any(p.node.stopped for p in self.cluster.alive):
            return False
        held: dict[str, int] = {}
        alive = {process.name: process.held for process in self.cluster.serving}
        for shard in self.truth.shards.values():
            row = self.table.of(shard.stream_key).get(shard.id)
            if shard.shard.gone or self.truth.is_unknown(shard):
                if row is not None and row.owner is not None and row.owner not in alive:
                    return False  # whoever holds it is dead; another one releases it
                continue
            if not fits(shard.stream):
                waits = self.truth.waits_for_operator(shard.stream)
                if not waits and not self.truth.is_passed_by(shard.stream):
                    return False
                continue
            if row is None or (shard.shard.ending is not None and not row.finished):
                return False
            if not row.finished:
                if shard.id not in alive.get(row.owner or "", ()):
                    return False
                held[row.owner or ""] = held.get(row.owner or "", 0) + 1
        share = -(-sum(held.values()) // len(alive))
        return all(count <= share for count in held.values())

    async def _shut_down(self) -> None:
        self.checks.newest_last()
        # Nothing goes wrong any more: what is left is an orderly end.
        self.checks.orderly = not self.faults
        for process in self.cluster.serving:
            self.cluster.stop(process)
        limit = self.scenario.timing.drain + 5.0
        await self._until(lambda: not self.cluster.alive, limit)
        if self.checks.violations:
            return
        for shards in self.table.leases.values():
            for lease in shards.values():
                if lease.owner is not None:
                    self.checks.fail("release", f"{lease.shard_id} is still {lease.owner}'s")
        ended = {process.name for process in self.cluster.processes if process.ended}
        left = ended & self.table.workers.keys()
        if left and self.scenario.orderly:
            self.checks.fail("release", f"rows of {sorted(left)} are still there")

    # -- what goes wrong for good

    def _report_unsettled(self) -> None:
        for record in self.truth.unsettled():
            row = self.table.of(record.shard.stream_key).get(record.shard.id)
            self.checks.fail(
                "settled in time", f"{record.sequence} of {record.key} in {record.shard.id}: {row}"
            )

    def _report_unshared(self) -> None:
        rows = [
            f"{shard.id} {None if row is None else (row.owner, row.checkpoint)}"
            for shard in self.truth.shards.values()
            for row in [self.table.of(shard.stream_key).get(shard.id)]
        ]
        alive = [process.name for process in self.cluster.serving]
        self.checks.fail("shared in time", f"{alive}: {'; '.join(rows)}")

    def _logged(self, worker: str, event: str, facts: dict[str, object]) -> None:
        shard = str(facts.pop("shard", ""))
        text = " ".join(f"{name}={value}" for name, value in facts.items())
        self.trace.add(self.loop.now, worker, f"log {event}", shard, text)
        if event in FLAWS:
            self.checks.fail("no flaw", f"{worker}: {event} {shard} {text}")

    def _unretrieved(self, _loop: object, context: dict[str, object]) -> None:
        if not self.over:
            self.checks.fail(
                "unretrieved", f"{context.get('message')}: {context.get('exception')!r}"
            )
