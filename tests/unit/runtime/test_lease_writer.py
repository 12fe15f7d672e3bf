"""Writes whose answers get lost."""

import asyncio

import pytest
from msgspec.structs import replace

from consumer.core.leases.checkpoint import SHARD_END
from consumer.core.leases.lease import Lease
from consumer.core.leases.progress import Progress
from consumer.core.limits import LeaseTiming
from consumer.errors import LeaseLost
from consumer.observability.conditions import Conditions
from consumer.observability.metrics import Metrics
from consumer.runtime.instruments import Instruments
from consumer.runtime.shard.lease_writer import LeaseWriter
from tests.twins.lease_table import Fault, LeaseTable, LeaseTableTwin
from tests.twins.virtual_time import HalfChance, VirtualClock, run

KEY = "orders/1"
LOST = tuple(Fault)


class Bench:
    def __init__(self, lease: Lease | None = None) -> None:
        self.table = LeaseTable()
        self.store = LeaseTableTwin(self.table)
        self.table.of(KEY)["s"] = lease or Lease("s", None, checkpoint="100")
        self.writer = self.make("me")

    def make(self, me: str) -> LeaseWriter:
        clock = VirtualClock()
        return LeaseWriter(
            LeaseTableTwin(self.table) if me != "me" else self.store,
            Instruments(clock, HalfChance(), Metrics(), Conditions(clock.now)),
            KEY,
            self.row,
            me,
            LeaseTiming(),
        )

    @property
    def row(self) -> Lease:
        return self.table.of(KEY)["s"]

    async def checkpoint(self, value: str) -> None:
        await self.writer.checkpoint(Progress(value))

    async def release(self, value: str) -> None:
        await self.writer.release(Progress(value))


@pytest.mark.parametrize("fault", LOST)
def test_every_write_survives_two_lost_answers(fault: Fault) -> None:
    async def main() -> None:
        bench = Bench()
        bench.store.fail("write_lease", fault, fault, None, fault, fault, None, fault, fault)
        assert await bench.writer.take()
        assert (bench.row.owner, bench.row.counter) == ("me", 1)
        assert bench.writer.lease == bench.row
        await bench.checkpoint("120")
        assert bench.writer.lease == bench.row
        assert bench.row.checkpoint == "120"
        await bench.release(SHARD_END)
        assert bench.writer.lease == bench.row
        assert (bench.row.owner, bench.row.counter, bench.row.finished) == (None, 2, True)
        assert not bench.writer.pending
        effects = sum(name.endswith("write_lease") for name, _ in bench.table.log)
        assert effects - bench.table.count("refused write_lease") == 3

    run(main)


def test_reading_starts_from_the_checkpoint_of_the_returned_row() -> None:
    async def main() -> None:
        bench = Bench()
        bench.table.of(KEY)["s"] = replace(bench.row, checkpoint="150")
        assert await bench.writer.take()
        assert bench.writer.lease.checkpoint == "150"
        await bench.checkpoint("160")
        assert bench.row.checkpoint == "160"

    run(main)


def test_a_lease_that_somebody_else_took_is_not_taken() -> None:
    async def main() -> None:
        bench = Bench()
        other = bench.make("you")
        assert await other.take()
        assert not await bench.writer.take()
        assert bench.row.owner == "you"
        assert not bench.writer.pending

    run(main)


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.HANGS])
def test_a_take_without_an_answer_that_another_overtook_is_not_mine(fault: Fault) -> None:
    async def main() -> None:
        bench = Bench()
        other = bench.make("you")
        bench.store.fail("write_lease", fault)
        async with asyncio.TaskGroup() as group:
            mine = group.create_task(bench.writer.take())
            await asyncio.sleep(0.01)
            assert bench.writer.pending
            assert await other.take()
        assert not mine.result()

    run(main)


def test_a_checkpoint_of_a_lost_lease_is_refused() -> None:
    async def main() -> None:
        bench = Bench()
        assert await bench.writer.take()
        other = bench.make("you")
        assert await other.take()
        with pytest.raises(LeaseLost):
            await bench.checkpoint("120")
        assert bench.row.checkpoint == "100"
        with pytest.raises(LeaseLost):
            await bench.release("120")
        assert bench.row.owner == "you"

    run(main)


def test_a_checkpoint_changed_under_my_ownership_is_adopted_and_the_write_repeated() -> None:
    async def main() -> None:
        bench = Bench()
        assert await bench.writer.take()
        bench.table.of(KEY)["s"] = replace(bench.row, checkpoint="110")
        await bench.checkpoint("120")
        assert bench.row.checkpoint == "120"

    run(main)


def test_a_release_is_sent_again_until_the_row_has_no_owner() -> None:
    async def main() -> None:
        bench = Bench()
        assert await bench.writer.take()
        bench.store.fail("write_lease", Fault.LOST_BEFORE, Fault.LOST_BEFORE)
        async with asyncio.TaskGroup() as group:
            group.create_task(bench.release("120"))
            await asyncio.sleep(0)
            assert bench.row.owner == "me"
        assert bench.row.owner is None

    run(main)


def test_an_interrupted_write_gets_its_answer_before_the_next_is_sent() -> None:
    async def main() -> None:
        bench = Bench()
        assert await bench.writer.take()
        bench.store.fail("write_lease", Fault.LOST_AFTER)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await bench.checkpoint("120")
        assert bench.writer.pending
        assert bench.row.checkpoint == "120"
        assert bench.writer.lease.checkpoint == "100"
        await bench.checkpoint("130")
        assert bench.row.checkpoint == "130"
        assert not bench.writer.pending

    run(main)


def test_pauses_between_tries_grow_and_stay_below_the_heartbeat() -> None:
    async def main() -> None:
        bench = Bench()
        bench.store.fail("write_lease", *[Fault.LOST_BEFORE] * 12)
        assert await bench.writer.take()
        elapsed = asyncio.get_running_loop().time()
        # Half of 0.1, 0.2, 0.4, 0.8, 1.6, then of 2.0 each time.
        assert elapsed == pytest.approx(0.5 * (3.1 + 7 * 2.0), abs=0.1)

    run(main)


def test_without_its_table_a_lease_is_lost_at_once_whatever_write_was_unresolved() -> None:
    async def main() -> None:
        bench = Bench()
        assert await bench.writer.take()
        bench.table.drop()
        bench.store.fail("write_lease", Fault.LOST_BEFORE, Fault.HANGS)
        async with asyncio.timeout(10):
            with pytest.raises(LeaseLost):
                await bench.checkpoint("120")
        assert not bench.writer.pending
        assert not await bench.writer.take()

    run(main)
