"""Several dispatchers on one set of slots: what each gets, and that none waits for ever."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consumer.core.backlog.queue import ANYWHERE
from consumer.core.event.event import EventFormat
from consumer.core.limits import PublishLimits
from consumer.core.publishing.lanes import LANE_SLOTS
from consumer.core.publishing.partition_outcome import PartitionOutcome
from consumer.core.publishing.placement import Partitioning
from consumer.core.routes.route import Route
from consumer.runtime.publishing.dispatcher import Dispatcher
from consumer.runtime.publishing.event_type import EventType
from consumer.runtime.publishing.outlet import Outlet
from consumer.runtime.publishing.shared_slots import SharedSlots
from tests.twins.virtual_time import HalfChance, VirtualClock, run
from tests.unit.core.events import Queued, event

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from consumer.core.backlog.ticket import Ticket

CONCURRENCY = 2
LIMITS = PublishLimits(batch_events=1, linger=0.0, concurrency=CONCURRENCY)


class Origin:
    """Lets everything be sent."""

    def pause(self, _now: float) -> float:
        return 0.0

    def may_send(self, _event: object, _now: float) -> bool:
        return True

    def settled(self, _events: object) -> None:
        pass

    def returned(self, _event: object) -> None:
        pass

    def refused(self, _event: object, _why: object, _flow_id: object) -> None:
        pass


@dataclass
class Bench:
    """Outlets of several event types; a request takes `seconds[name]`, and is always stored."""

    outlets: dict[str, Outlet[Ticket]] = field(default_factory=dict)
    flying: Counter[str] = field(default_factory=Counter)
    in_lanes: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    together: int = 0
    lanes_together: int = 0
    stored: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    origin: Any = field(default_factory=Origin)

    def add(self, name: str, events: int, seconds: float = 1.0) -> None:
        clock, chance = VirtualClock(), HalfChance()
        route = Route(name, EventFormat(name, ("id",)), LIMITS, ("id",))
        event_type = EventType(route, clock, chance, Partitioning())
        outlet: Outlet[Ticket] = Outlet(event_type, self.origin)
        self.outlets[name] = outlet
        self.seconds[name] = seconds
        for number in range(1, events + 1):
            outlet.queue.push(event(number, f"{name}-{number}"))

    async def run(self, main: Callable[[], Awaitable[None]]) -> None:
        slots = SharedSlots(
            CONCURRENCY, {name: outlet.changed for name, outlet in self.outlets.items()}
        )
        dispatchers = [
            Dispatcher(outlet, Sender(self, outlet), VirtualClock(), slots)  # type: ignore[arg-type]
            for outlet in self.outlets.values()
        ]
        async with asyncio.TaskGroup() as tasks:
            for dispatcher in dispatchers:
                tasks.create_task(dispatcher.run())
            await main()
            for dispatcher in dispatchers:
                dispatcher.stop()

    async def until(self, true: Callable[[], bool], seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not true():
                await asyncio.sleep(0.01)


@dataclass
class Sender:
    """Stands for the sender of one outlet."""

    bench: Bench
    outlet: Outlet[Ticket]

    async def send(self, batch: list[Queued], lane: object = None) -> None:
        bench, name = self.bench, self.outlet.name
        flying = bench.flying if lane is None else bench.in_lanes
        flying[name] += 1
        bench.most[name] = max(bench.most[name], flying[name])
        bench.together = max(bench.together, bench.flying.total())
        bench.lanes_together = max(bench.lanes_together, bench.in_lanes.total())
        await asyncio.sleep(bench.seconds[name])
        flying[name] -= 1
        bench.stored[name] += len(batch)
        self.outlet.settle(batch)


def test_many_event_types_stay_within_four_times_the_slots_of_one() -> None:
    bench = Bench()
    for number in range(7):
        bench.add(f"t{number}", 30)

    async def main() -> None:
        await bench.until(lambda: bench.stored.total() == 7 * 30, 60)

    run(lambda: bench.run(main))
    assert bench.together == 4 * CONCURRENCY
    assert max(bench.most.values()) == CONCURRENCY


def test_one_that_hangs_leaves_the_others_what_they_need() -> None:
    """Each keeps a slot of its own, also where four others hold all that they may have."""
    bench = Bench()
    for number in range(6):
        bench.add(f"hangs{number}", 10, seconds=1_000.0)
    bench.add("goes", 100)

    async def main() -> None:
        await bench.until(lambda: bench.stored["goes"] == 100, 101)

    run(lambda: bench.run(main))
    assert bench.stored == Counter(goes=100)


def test_a_freed_slot_is_taken_at_once_by_the_one_that_waits() -> None:
    """Seven share one: each of the waiting ones gets it in its turn, and nobody waits 5 s."""
    bench = Bench()
    for number in range(7):
        bench.add(f"t{number}", 20)

    async def main() -> None:
        await asyncio.sleep(14.5)

    run(lambda: bench.run(main))
    assert bench.stored.total() == 14 * 8  # no slot was idle
    assert bench.stored == Counter({f"t{number}": 16 for number in range(7)})


def waiting_for_one() -> Bench:
    """Seven share one slot. t0 has it for 2 s, and t5 and t6 wait for it, in this order."""
    bench = Bench()
    for number in range(7):
        bench.add(f"t{number}", {0: 2, 5: 2, 6: 50}.get(number, 1), seconds=1_000.0)
    bench.seconds["t0"] = 2.0
    return bench


def test_a_slot_that_is_free_is_taken_at_once() -> None:
    bench = waiting_for_one()

    async def main() -> None:
        await asyncio.sleep(1.99)
        assert bench.flying == Counter({f"t{n}": 2 if n == 0 else 1 for n in range(7)})
        await bench.until(lambda: bench.flying["t5"] == 2, 0.03)

    run(lambda: bench.run(main))
    assert bench.most["t6"] == 1


def test_who_has_nothing_left_to_send_leaves_its_turn() -> None:
    """It waited for a slot, and its shard was lost meanwhile: the next one is not held up."""
    bench = waiting_for_one()

    async def main() -> None:
        await asyncio.sleep(1.0)
        outlet = bench.outlets["t5"]
        outlet.queue.remove(outlet.queue.take(ANYWHERE, 1.0, 1, 1_000, 1))
        await bench.until(lambda: bench.flying["t6"] == 2, 1.03)

    run(lambda: bench.run(main))
    assert bench.most["t5"] == 1


def test_the_lanes_of_many_event_types_have_a_bound_of_their_own() -> None:
    bench = Bench()
    for number in range(6):
        name = f"t{number}"
        bench.add(name, 60, seconds=10.0)
        outlet = bench.outlets[name]
        lanes, queue = outlet.event_type.lanes, outlet.queue
        for partition in range(LANE_SLOTS + 1):
            outcome = PartitionOutcome(str(partition), [event(n) for n in range(9)], failed=True)
            lanes.failed(outcome, 0.0, 0.0, 0.0)

        def sort(each: Queued) -> str | None:
            return str(int(each.key.split("-")[1]) % (LANE_SLOTS + 1))

        queue.take(ANYWHERE, 0.0, 1_000, 1, sort=sort)

    async def main() -> None:
        await bench.until(lambda: bench.stored.total() == 6 * 60, 6 * 60 / 16 * 10 + 60)

    run(lambda: bench.run(main))
    assert bench.lanes_together == 4 * LANE_SLOTS
    assert max(bench.most.values()) == LANE_SLOTS
