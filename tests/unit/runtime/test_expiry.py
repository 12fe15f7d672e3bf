"""What waits too long for an event type to which nothing is sent becomes a dead letter."""

from __future__ import annotations

import asyncio
from math import inf

import pytest
from msgspec.structs import replace

from consumer.core.backlog.tenure import Tenure
from consumer.core.backlog.watermark import AckWatermark
from consumer.core.event.event import Event, EventFormat
from consumer.core.leases.fence import Fence
from consumer.core.limits import LeaseTiming, PublishLimits
from consumer.core.preflight.check_result import CheckResult, Severity
from consumer.core.publishing.placement import Partitioning
from consumer.core.routes.route import Route
from consumer.observability.conditions import Conditions
from consumer.observability.metrics import Metrics
from consumer.runtime.instruments import Instruments
from consumer.runtime.publishing.backlog import RecordEvents
from consumer.runtime.publishing.expiry import TOGETHER
from consumer.runtime.publishing.publishing import Publishing
from tests.twins.line import FORMAT, LONG, DeadLetterTwin, Line, run_line
from tests.twins.nakadi import NakadiTwin, Reply
from tests.twins.nakadi import sequence_of as number_of
from tests.twins.shard import ShardTwin
from tests.twins.virtual_time import EPOCH, HalfChance, VirtualClock, run

WRONG = CheckResult("event type", Severity.WRONG, "b: compacted", "choose cleanup_policy delete")
MAX_AGE = 600.0


class Asked:
    """Definition port: wrong until it is told that it fits."""

    wrong = WRONG
    fits = False

    async def ask(self) -> Partitioning | CheckResult | None:
        await asyncio.sleep(0.01)
        return Partitioning() if self.fits else WRONG


class Bench:
    """An event type whose definition is wrong, and events that wait for it."""

    def __init__(self, max_age: float | None = MAX_AGE, lease: LeaseTiming = LONG) -> None:
        self.clock, chance = VirtualClock(), HalfChance()
        self.definition, self.nakadi, self.queue = Asked(), NakadiTwin(), DeadLetterTwin()
        self.fence = Fence(lease)
        self.fence.beat(0.0, 0.0)
        limits = PublishLimits(probe=30.0, max_record_age=max_age)
        self.publishing = Publishing(
            [Route("b", EventFormat("b", ("id",)), limits, ("id",))],
            {"b": self.nakadi},
            self.queue,
            1 << 24,
            self.fence,
            Instruments(self.clock, chance, Metrics(), Conditions(self.clock.now)),
            {},
            {"b": self.definition},
        )
        self.backlog = self.publishing.backlog
        self.outlet = self.backlog.outlets["b"]
        self.shard = AckWatermark(Tenure("arn", "s0", self.fence.epoch), None, None)
        self.backlog.join(self.shard, lambda: None)
        self.written = 0

    def write(self, count: int, keys: int, at: float, of: str = "k") -> list[int]:
        """Queue events of changes made `at` seconds after the start; return their numbers."""
        first = self.written + 1
        contents = []
        for _ in range(count):
            self.written += 1
            number, wall = self.written, EPOCH + at
            body = b'{"data":{"id":"k","change":{"sequence":"%d"}}}' % number
            content = Event(number, f"{of}{number % keys}", "eid", body, wall)
            contents.append(RecordEvents(number, wall, [(self.outlet, content)]))
        self.backlog.add(self.shard, contents, self.clock.now(), {"b": inf})
        return [*range(first, self.written + 1)]

    @property
    def letters(self) -> list[int]:
        return [letter.sequence or 0 for letter in self.queue.letters]

    async def run_for(self, seconds: float) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.publishing.run())
            await asyncio.sleep(seconds)
            self.publishing.stop()


@pytest.mark.parametrize("keys", [1, 7, 300])
def test_what_has_waited_too_long_becomes_a_letter_and_the_shard_goes_on(keys: int) -> None:
    """Also where all are of one key, and where younger ones stand before them."""

    async def main() -> None:
        bench = Bench()
        young = bench.write(3000, 3000, at=500.0, of="young")
        old = bench.write(300, keys, at=0.0)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bench.publishing.run())
            await asyncio.sleep(MAX_AGE - 1)
            assert bench.letters == []
            await asyncio.sleep(61)
            assert sorted(bench.letters) == old
            await asyncio.sleep(500)
            assert bench.shard.empty
            bench.publishing.stop()
        assert sorted(bench.letters) == sorted(old + young)
        assert {letter.reason for letter in bench.queue.letters} == {"expired"}
        assert bench.nakadi.requests == []

    run(main)


def test_the_letters_of_a_key_keep_its_order_and_what_is_young_enough_is_published() -> None:
    async def main() -> None:
        bench = Bench()
        old = bench.write(20, 1, at=0.0)
        young = bench.write(20, 1, at=500.0)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bench.publishing.run())
            await asyncio.sleep(MAX_AGE + 60)
            bench.definition.fits = True
            await asyncio.sleep(60)
            bench.publishing.stop()
        assert bench.letters == old
        assert [number_of(body) for body in bench.nakadi.stored] == young
        assert bench.shard.empty

    run(main)


def test_without_a_limit_all_wait() -> None:
    async def main() -> None:
        bench = Bench(max_age=None)
        bench.write(20, 5, at=0.0)
        await bench.run_for(1200)
        assert (bench.letters, bench.shard.unsettled) == ([], 20)

    run(main)


def test_few_are_given_up_at_a_time() -> None:
    """While the dead letter queue is down; each of its calls looks at all that wait for it."""

    async def main() -> None:
        bench = Bench()
        old = bench.write(1000, 1000, at=0.0)
        bench.queue.refuse = 20
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bench.publishing.run())
            await asyncio.sleep(MAX_AGE + 60)
            assert sum(1 for _ in bench.outlet.queue.in_flight()) == TOGETHER
            await asyncio.sleep(900)
            bench.publishing.stop()
        assert sorted(bench.letters) == old

    run(main)


def test_a_worker_whose_fence_has_passed_gives_nothing_up() -> None:
    async def main() -> None:
        bench = Bench(lease=LeaseTiming(lease_duration=100.0))
        bench.write(20, 5, at=0.0)
        await bench.run_for(MAX_AGE + 60)
        assert bench.letters == []

    run(main)


def test_what_was_revoked_leaves_the_queue() -> None:
    async def main() -> None:
        bench = Bench()
        bench.write(20, 5, at=0.0)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bench.publishing.run())
            await asyncio.sleep(100)
            bench.backlog.drop(bench.shard, bench.shard.revoke())
            await asyncio.sleep(MAX_AGE)
            bench.publishing.stop()
        assert (bench.letters, bench.outlet.queue.events) == ([], 0)

    run(main)


def test_what_can_never_be_an_event_waits_no_longer_than_others() -> None:
    """While its event type is stopped few letters are made, one of a key after the other."""
    shard, queue = ShardTwin(), DeadLetterTwin()
    shard.write_many(6, keys=1, size=5_000)
    refused = NakadiTwin(script=lambda _: Reply(403))

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(queue.letters) == 6, 2 * MAX_AGE)
            line.consumer.drain()

    limits = PublishLimits(probe=30.0, max_record_age=MAX_AGE, dead_letter_limit=1)
    form = replace(FORMAT, event_bytes=2_000)
    run_line(main, shard=shard, nakadi=refused, queue=queue, limits=limits, form=form)
    assert {letter.reason for letter in queue.letters} == {"too_large"}
