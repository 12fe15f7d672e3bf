"""An event type whose definition cannot take its route's events: nothing is sent until it can."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from math import inf

from structlog.testing import capture_logs

from consumer.core.backlog.tenure import Tenure
from consumer.core.backlog.watermark import AckWatermark
from consumer.core.event.event import Event, EventFormat
from consumer.core.leases.fence import Fence
from consumer.core.limits import PublishLimits
from consumer.core.preflight.check_result import CheckResult, Severity
from consumer.core.publishing.flow import DEFINITION, FlowState
from consumer.core.publishing.placement import LEARNT_BYTES, Partitioning
from consumer.core.routes.route import Route
from consumer.observability.conditions import Conditions
from consumer.observability.metrics import Metrics
from consumer.runtime.instruments import Instruments
from consumer.runtime.publishing.backlog import RecordEvents
from consumer.runtime.publishing.publishing import Publishing
from tests.twins.line import LONG
from tests.twins.nakadi import NakadiTwin
from tests.twins.virtual_time import HalfChance, VirtualClock, run

WRONG = CheckResult("event type", Severity.WRONG, "b: compacted", "choose cleanup_policy delete")
OTHER = CheckResult("event type", Severity.WRONG, "b: category business", "choose data")
SPREAD = Partitioning(("id",), ("0", "1"))


@dataclass
class Asked:
    """Definition port: what is answered, one after the other, and when it was asked."""

    answers: list[Partitioning | CheckResult | None]
    wrong: CheckResult = WRONG
    asked_at: list[float] = field(default_factory=list)

    async def ask(self) -> Partitioning | CheckResult | None:
        self.asked_at.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.5)
        return self.answers.pop(0) if self.answers else WRONG


class Bench:
    """Two event types, a and b, each with an event; the definition of b is wrong."""

    def __init__(self, *answers: Partitioning | CheckResult | None) -> None:
        clock, chance = VirtualClock(), HalfChance()
        self.definition = Asked([*answers])
        self.nakadi = {name: NakadiTwin() for name in ("a", "b")}
        fence = Fence(LONG)
        fence.beat(0.0, 0.0)
        limits = PublishLimits(probe=30.0)
        self.publishing = Publishing(
            [Route(name, EventFormat(name, ("id",)), limits, ("id",)) for name in self.nakadi],
            self.nakadi,
            None,
            1 << 24,
            fence,
            Instruments(clock, chance, Metrics(), Conditions(clock.now)),
            {},
            {"b": self.definition},
        )
        self.a, self.b = self.publishing.event_types
        shard = AckWatermark(Tenure("arn", "s0", fence.epoch), None, None)
        backlog = self.publishing.backlog
        backlog.join(shard, lambda: None)
        content = Event(1, "k", "eid", b'{"data":{"id":"k"}}', 0.0)
        made = [(outlet, content) for outlet in backlog.outlets.values()]
        backlog.add(shard, [RecordEvents(1, 0.0, made)], 0.0, {"a": inf, "b": inf})

    async def run_for(self, seconds: float) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.publishing.run())
            await asyncio.sleep(seconds)
            self.publishing.stop()

    @property
    def stored(self) -> tuple[int, int]:
        return len(self.nakadi["a"].stored), len(self.nakadi["b"].stored)


def test_it_stops_its_own_event_type_and_no_other() -> None:
    async def main() -> None:
        bench = Bench()
        status = bench.b.status
        assert (status.state, status.reason) == (FlowState.STOPPED, DEFINITION)
        assert status.detail == "b: compacted; choose cleanup_policy delete"
        assert "repair the event type" in (status.action or "")
        await bench.run_for(100.0)
        assert bench.stored == (1, 0)
        assert bench.nakadi["b"].requests == []
        assert bench.definition.asked_at == [30.0, 60.5, 91.0]
        assert bench.b.refused()
        assert not bench.b.refused({"b"})
        assert bench.a.status.state == FlowState.PUBLISHING

    run(main)


def test_it_publishes_as_soon_as_the_definition_fits() -> None:
    async def main() -> None:
        bench = Bench(WRONG, None, OTHER, SPREAD)
        details = []

        async def look() -> None:
            await asyncio.sleep(100.0)
            details.append(bench.b.status.detail)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(look())
            await bench.run_for(123.0)
        assert details == ["b: category business; choose data"]
        assert bench.stored == (1, 1)
        assert len(bench.definition.asked_at) == 4
        assert bench.b.status.state == FlowState.PUBLISHING
        assert bench.b.lanes.placement._fields == ("id",)
        learnt = [each.lanes.placement._most for each in bench.publishing.event_types]
        assert learnt == [LEARNT_BYTES // 2] * 2
        assert not bench.b.refused()

    with capture_logs() as logs:
        run(main)
    told = [log["event"] for log in logs]
    assert told.count("event_type_stopped") >= 1
    assert told.count("publishing_resumed") == 1


def test_it_ends_with_the_worker_also_while_it_asks() -> None:
    async def main() -> None:
        bench = Bench(SPREAD)
        await bench.run_for(30.1)
        assert bench.definition.asked_at == [30.0]
        assert bench.b.status.state == FlowState.STOPPED

    run(main)
