"""Signs of life, and the fence that follows from them."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from consumer.core.lasting import REMIND_SECONDS
from consumer.core.leases.fence import Fence
from consumer.core.leases.lease import Worker
from consumer.core.leases.worker_report import WorkerReport
from consumer.core.limits import LeaseTiming
from consumer.errors import Unreachable
from consumer.runtime.leases.heartbeat import GONE_SECONDS, Heartbeat
from tests.twins.lease_table import Fault, LeaseTable, LeaseTableTwin
from tests.twins.virtual_time import VirtualClock, run

TIMING = LeaseTiming(heartbeat=2.0, lease_duration=10.0, margin=2.0)


class Bench:
    def __init__(self) -> None:
        self.table = LeaseTable()
        self.store = LeaseTableTwin(self.table)
        self.clock = VirtualClock()
        self.fence = Fence(TIMING)
        worker = Worker("me", 0, 0, ("orders/1",), True, False, 0.0, 0.0, "host", "1")
        self.heartbeat = Heartbeat(self.store, self.clock, TIMING, self.fence, worker)
        self.told: list[tuple[float, bool]] = []
        self.heartbeat.on_fence_change = self._on_fence_change

    def _on_fence_change(self) -> None:
        now = self.clock.now()
        self.told.append((now, self.fence.holds(now, self.fence.epoch)))

    @property
    def row(self) -> Worker:
        return self.table.workers["me"]

    async def stop(self, task: asyncio.Task[None]) -> None:
        self.heartbeat.stop()
        await task


def keeping(check: Callable[[Bench], Awaitable[None]]) -> None:
    async def main() -> None:
        bench = Bench()
        task = asyncio.get_running_loop().create_task(bench.heartbeat.run())
        await bench.heartbeat.until_alive()
        await check(bench)
        await bench.stop(task)
        assert bench.table.workers == {}
        assert bench.table.log[-1] == ("delete_worker", "me")

    run(main)


def test_it_beats_at_its_interval_and_deletes_the_row_last() -> None:
    async def check(bench: Bench) -> None:
        assert bench.row.heartbeat == 1
        await asyncio.sleep(20)
        assert bench.row.heartbeat == 11

    keeping(check)


def test_a_change_is_shown_at_once_and_many_share_a_heartbeat() -> None:
    async def check(bench: Bench) -> None:
        await asyncio.sleep(1)
        for _ in range(5):
            bench.heartbeat.raise_changes()
        await asyncio.sleep(0.2)
        assert (bench.row.heartbeat, bench.row.changes) == (2, 5)

    keeping(check)


def test_each_row_says_what_the_worker_says_of_itself_then() -> None:
    async def check(bench: Bench) -> None:
        assert bench.row.report is None
        bench.heartbeat.report = lambda: WorkerReport("stopped", "http_404", bench.clock.wall())
        await asyncio.sleep(2)
        first = bench.row.report
        assert first is not None
        assert (first.state, first.reason) == ("stopped", "http_404")
        assert bench.row.heartbeat == 2  # it is worth no write of its own
        bench.heartbeat.set_able(able=False)
        assert bench.heartbeat.unable_since == bench.clock.wall()
        bench.heartbeat.set_able(able=True)
        assert bench.heartbeat.unable_since is None

    keeping(check)


def test_changes_made_while_a_beat_is_under_way_are_not_lost() -> None:
    async def check(bench: Bench) -> None:
        bench.store.delay = 1.0
        await asyncio.sleep(2.2)  # the second beat has been sent
        bench.heartbeat.raise_changes()
        await asyncio.sleep(2.2)
        assert bench.row.changes == 1
        assert bench.row.heartbeat == 3

    keeping(check)


def test_able_draining_and_streams_are_part_of_the_row() -> None:
    async def check(bench: Bench) -> None:
        bench.heartbeat.set_able(able=False)
        bench.heartbeat.set_draining()
        bench.heartbeat.set_streams(("orders/1", "orders/2"))
        await asyncio.sleep(0.3)
        assert (bench.row.able, bench.row.draining) == (False, True)
        assert bench.row.streams == ("orders/1", "orders/2")
        assert not bench.heartbeat.able
        assert bench.heartbeat.reached

    keeping(check)


def test_the_row_states_the_timing_by_which_peers_judge_this_worker() -> None:
    async def check(bench: Bench) -> None:
        assert bench.row.lease_duration == TIMING.lease_duration
        assert bench.row.heartbeat_interval == TIMING.heartbeat
        await asyncio.sleep(1)

    keeping(check)


def test_a_row_that_was_deleted_comes_back_whole() -> None:
    async def check(bench: Bench) -> None:
        bench.heartbeat.raise_changes()
        await asyncio.sleep(1)
        before = bench.table.workers.pop("me")
        await asyncio.sleep(2.5)
        assert bench.row.changes == before.changes
        assert bench.row.heartbeat > before.heartbeat

    keeping(check)


@pytest.mark.parametrize("fault", list(Fault))
def test_a_failed_beat_is_tried_again_before_the_fence_passes(fault: Fault) -> None:
    async def check(bench: Bench) -> None:
        epoch = bench.fence.epoch
        bench.store.fail("put_worker", fault, fault)
        await asyncio.sleep(12)
        assert bench.fence.epoch == epoch
        assert bench.fence.holds(bench.clock.now(), epoch)

    keeping(check)


def test_a_beat_takes_no_longer_than_the_interval() -> None:
    async def check(bench: Bench) -> None:
        bench.store.limit = 100.0  # an adapter that forgot its limit
        bench.store.fail("put_worker", Fault.HANGS)
        await asyncio.sleep(6)
        assert bench.row.heartbeat >= 3

    keeping(check)


def test_the_deadline_is_watched_without_any_answer() -> None:
    async def check(bench: Bench) -> None:
        await asyncio.sleep(5)
        epoch, deadline = bench.fence.epoch, bench.fence.deadline
        bench.told.clear()
        bench.store.cut = True
        await asyncio.sleep(20)
        ((at, held),) = bench.told
        assert at == pytest.approx(deadline)
        assert not held
        bench.store.cut = False
        await asyncio.sleep(5)
        # It recovers by itself, but nothing of the old epoch comes back.
        assert bench.fence.epoch == epoch + 1
        assert bench.told[-1][1]
        assert not bench.fence.holds(bench.clock.now(), epoch)
        bench.told.clear()
        bench.store.cut = True
        await asyncio.sleep(20)
        assert len(bench.told) == 1  # of the second epoch, too
        bench.store.cut = False

    keeping(check)


def test_the_deadline_counts_from_the_sending_of_a_beat() -> None:
    async def check(bench: Bench) -> None:
        await asyncio.sleep(1)
        bench.store.delay = 1.0
        await asyncio.sleep(2.5)
        # Sent when the first was two seconds old, answered a second later.
        assert bench.row.heartbeat == 2
        assert bench.fence.deadline == pytest.approx(2.0 + 8.0, abs=0.01)
        bench.store.delay = 0.004

    keeping(check)


def test_a_process_that_was_suspended_begins_a_new_epoch() -> None:
    async def check(bench: Bench) -> None:
        await asyncio.sleep(5)
        epoch = bench.fence.epoch
        bench.clock.shift += 30  # SIGSTOP: the clock went on, the loop did not
        assert not bench.fence.holds(bench.clock.now(), epoch)
        bench.told.clear()
        await asyncio.sleep(3)
        assert bench.fence.epoch == epoch + 1
        assert bench.told

    keeping(check)


def test_a_row_that_cannot_be_deleted_does_not_hold_up_the_exit() -> None:
    async def main() -> None:
        bench = Bench()
        task = asyncio.get_running_loop().create_task(bench.heartbeat.run())
        await bench.heartbeat.until_alive()
        bench.store.fail("delete_worker", Fault.HANGS)
        before = bench.clock.now()
        await bench.stop(task)
        assert bench.clock.now() - before < 1.5
        assert "me" in bench.table.workers

    run(main)


def test_a_table_that_takes_no_heartbeat_is_told_of_and_does_not_flood_the_log() -> None:
    async def check(bench: Bench) -> None:
        tries = int((REMIND_SECONDS + 60) / (TIMING.heartbeat / 4))
        bench.store.fail("put_worker", *[Fault.REFUSED] * tries)
        await asyncio.sleep(REMIND_SECONDS + 80)

    with capture_logs() as logs:
        keeping(check)
    told = [(log["event"], log.get("condition"), "lasts_seconds" in log) for log in logs]
    assert told == [
        ("heartbeat_failed", None, False),
        ("fence_passed", None, False),
        ("heartbeat_failed", None, True),
        ("fence_passed", None, True),
        ("condition_over", "heartbeat_failed", True),
        ("condition_over", "fence_passed", True),
    ]
    assert all(log["action"] for log in logs[:4])


def test_without_a_table_everything_is_given_up_at_once_and_begins_anew_with_the_table() -> None:
    async def check(bench: Bench) -> None:
        epoch = bench.fence.epoch
        await asyncio.sleep(1)
        bench.told.clear()
        bench.table.drop()
        await asyncio.sleep(TIMING.heartbeat)
        assert not bench.fence.holds(bench.clock.now(), epoch)
        assert [held for _, held in bench.told] == [False]
        await asyncio.sleep(GONE_SECONDS - 4)
        bench.table.make()
        await asyncio.sleep(TIMING.heartbeat)
        assert bench.fence.holds(bench.clock.now(), epoch + 1)
        assert bench.told[-1][1]
        # The time is counted anew.
        bench.table.drop()
        await asyncio.sleep(GONE_SECONDS - 4)
        bench.table.make()
        await asyncio.sleep(TIMING.heartbeat)
        assert bench.fence.epoch == epoch + 2

    with capture_logs() as logs:
        keeping(check)
    told = [(log["log_level"], log["event"], log.get("condition")) for log in logs]
    once = [
        ("error", "lease_table_gone", None),
        ("error", "fence_passed", None),
        ("info", "condition_over", "lease_table_gone"),
        ("info", "condition_over", "fence_passed"),
    ]
    assert told == once * 2
    assert logs[0]["detail"] == "put_worker: no table"
    assert logs[2]["lasts_seconds"] == pytest.approx(GONE_SECONDS - 4, abs=TIMING.heartbeat)


def test_the_process_ends_once_the_table_has_not_existed_for_half_a_minute() -> None:
    async def main() -> None:
        bench = Bench()
        task = asyncio.get_running_loop().create_task(bench.heartbeat.run())
        await bench.heartbeat.until_alive()
        bench.table.drop()
        await asyncio.sleep(GONE_SECONDS - 1)
        assert not task.done()
        with pytest.raises(ExceptionGroup) as ended:
            await task
        assert bench.clock.now() == pytest.approx(GONE_SECONDS, abs=2 * TIMING.heartbeat)
        (error,) = ended.value.exceptions
        assert isinstance(error, Unreachable)
        assert "the lease table has not existed for 30 s" in str(error)
        assert "put_worker: no table" in str(error)

    run(main)


def test_a_table_that_does_not_answer_is_not_said_to_be_gone() -> None:
    async def check(bench: Bench) -> None:
        bench.table.drop()
        await asyncio.sleep(TIMING.heartbeat)
        bench.table.make()
        bench.store.cut = True
        await asyncio.sleep(2 * GONE_SECONDS)
        bench.store.cut = False
        await asyncio.sleep(3)
        assert bench.fence.holds(bench.clock.now(), bench.fence.epoch)

    keeping(check)
