"""One shard's life, end to end on twins: take, read, settle, hand over, end."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from consumer.core.backlog.budget import RESERVATION
from consumer.core.leases.checkpoint import LATEST, SHARD_END
from consumer.core.leases.lease import Gap, Lease
from consumer.core.limits import PublishLimits
from consumer.core.shard.cursor import Cursor
from consumer.core.shard.shard_state import Outcome, ShardState
from consumer.core.shard.shard_view import FAILING_AFTER
from consumer.core.stream.page import Page
from consumer.core.stream.stream import AfterSequence, AtTrimHorizon
from consumer.errors import (
    INVALID_ITERATOR,
    ExpiredIterator,
    LeaseLost,
    Retryable,
    ShardNotFound,
    TrimmedData,
)
from consumer.runtime.publishing.backlog import Backlog
from consumer.runtime.shard.intake import SLICE, Intake
from tests.twins.lease_table import Fault
from tests.twins.line import SHARD, DeadLetterTwin, Line, run_line
from tests.twins.nakadi import NakadiTwin, Reply, key_of, sequence_of
from tests.twins.shard import FIRST, ShardTwin
from tests.twins.virtual_time import EPOCH


def test_a_closed_shard_is_read_to_its_end_with_the_records_of_the_closing_page() -> None:
    shard = ShardTwin(closed=True, page_records=100)
    shard.write_many(150, keys=10)

    async def main(line: Line) -> None:
        assert await line.run_consumer() is Outcome.SHARD_END

    line = run_line(main, shard=shard)
    assert len(line.nakadi.stored) == 150
    assert line.lease.checkpoint == SHARD_END
    assert line.lease.owner is None
    assert line.lineage.adopted == [SHARD]


def test_a_shard_whose_every_call_fails_says_so_and_is_read_again() -> None:
    shard = ShardTwin()
    shard.errors.extend(Retryable("InternalServerError: x", "server_error") for _ in range(21))

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(shard.errors) < 21 - FAILING_AFTER)
            view = line.view
            assert (view.state, view.suspended_cause) == (ShardState.FAILING, None)
            assert view.failure is not None
            assert view.failure.reason == "server_error"
            assert view.failure.count >= FAILING_AFTER
            assert not view.answered
            line.consumer.shed()  # reading on after that is no success
            line.consumer.keep()
            await asyncio.sleep(0)
            assert line.view.failure is not None
            await line.until(lambda: line.view.state is ShardState.READING and line.view.answered)
            assert line.view.failure is None
            line.consumer.drain()

    run_line(main, shard=shard)


def test_a_shard_whose_children_cannot_be_looked_up_fails_at_its_end() -> None:
    shard = ShardTwin(closed=True)
    shard.write_many(1, keys=1)

    async def main(line: Line) -> None:
        line.lineage.failures = 10
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.view.state is ShardState.FAILING)
            assert line.view.suspended_cause == "children"
            assert line.view.failure is not None
            assert line.view.failure.reason == "throttled"

    assert run_line(main, shard=shard).outcome is Outcome.SHARD_END


def test_an_idle_shard_is_asked_more_often_while_a_peer_drains() -> None:
    async def main(line: Line) -> None:
        async def calls_in_a_minute() -> int:
            before = line.shard.calls
            await asyncio.sleep(60)
            return line.shard.calls - before

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await asyncio.sleep(10)
            at_ease = await calls_in_a_minute()
            line.polling.hurry = True
            hurried = await calls_in_a_minute()
            line.polling.hurry = False
            after = await calls_in_a_minute()
            line.consumer.drain()
        assert max(at_ease, after) < 40
        assert hurried > 200

    run_line(main)


@pytest.mark.parametrize(("work", "calls"), [(0.2, 240), (0.5, 120)])
def test_the_pause_begins_with_the_page_and_not_when_it_has_been_taken_in(
    monkeypatch: pytest.MonkeyPatch, work: float, calls: int
) -> None:
    take_in = Intake.take_in

    async def slowly(self: Intake, page: Page, cursor: Cursor) -> int:
        await asyncio.sleep(work)
        return await take_in(self, page, cursor)

    monkeypatch.setattr(Intake, "take_in", slowly)
    shard = ShardTwin(delay=0.0)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            for number in range(1_000):
                shard.write(FIRST + number, f"k{number}", created_at=line.clock.wall())
                if number == 400:
                    before, began = shard.calls, line.clock.now()
                await asyncio.sleep(0.1)
            per_minute = (shard.calls - before) * 60 / (line.clock.now() - began)
            line.consumer.drain()
        assert per_minute == pytest.approx(calls, rel=0.05)

    run_line(main, shard=shard)


def test_order_per_key_is_the_order_of_the_shard() -> None:
    shard = ShardTwin(closed=True)
    shard.write_many(300, keys=7)

    async def main(line: Line) -> None:
        await line.run_consumer()

    line = run_line(main, shard=shard)
    for key in range(7):
        sequences = line.nakadi.sequences(f"k{key}")
        assert sequences == sorted(sequences)
        assert len(sequences) == len(set(sequences))


def test_shard_end_is_not_written_before_everything_is_settled_and_the_children_stand() -> None:
    shard = ShardTwin(closed=True)
    shard.write(FIRST, "a")
    nakadi = NakadiTwin(delay=30.0)

    async def main(line: Line) -> None:
        line.lineage.failures = 2
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.view.state is ShardState.FINISHING)
            await asyncio.sleep(20)
            assert line.lease.checkpoint != SHARD_END
            assert line.lineage.adopted == []

    line = run_line(main, shard=shard, nakadi=nakadi)
    assert line.outcome is Outcome.SHARD_END
    assert line.lineage.adopted == [SHARD]


def test_the_checkpoint_follows_the_watermark_and_never_passes_an_unsettled_record() -> None:
    shard = ShardTwin()
    shard.write_many(20, keys=20)
    stuck = FIRST + 7

    def script(bodies: list[bytes]) -> Reply:
        if any(sequence_of(body) == stuck for body in bodies):
            if len(bodies) == 1:
                return Reply(503)
            items = [
                ("failed", "publishing") if sequence_of(body) == stuck else ("submitted", "x")
                for body in bodies
            ]
            return Reply(207, items, partitions=["1" if i[0] == "failed" else "0" for i in items])
        return Reply()

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(line.nakadi.stored) == 19)
            await asyncio.sleep(60)
            assert line.lease.checkpoint == str(stuck - 1)
            nakadi.script = None
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 19))
            line.consumer.drain()

    nakadi = NakadiTwin(script=script)
    line = run_line(main, shard=shard, nakadi=nakadi)
    assert line.outcome is Outcome.RELEASED
    assert line.counted("dead_letters_total", reason="attempts_exhausted") == 0


def test_a_drain_drops_what_nobody_has_and_the_next_owner_makes_no_duplicate() -> None:
    shard = ShardTwin(page_records=50)
    shard.write_many(400, keys=4)
    nakadi = NakadiTwin(delay=0.2)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(nakadi.stored) >= 20)
            line.consumer.drain()
        first = len(nakadi.stored)
        assert line.outcome is Outcome.RELEASED
        assert first < 400
        assert line.lease.checkpoint == str(max(sequence_of(body) for body in nakadi.stored))
        line.consumer = line.new_consumer("other")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(nakadi.stored) == 400)
            line.consumer.drain()

    line = run_line(main, shard=shard, nakadi=nakadi)
    sequences = [sequence_of(body) for body in nakadi.stored]
    assert len(set(sequences)) == len(sequences) == 400
    assert line.backlog.budget.used == 0
    assert line.backlog.events == 0


def test_a_drain_while_nakadi_is_down_releases_at_once_and_leaves_the_tail_to_the_next() -> None:
    shard = ShardTwin()
    shard.write_many(100, keys=10)
    nakadi = NakadiTwin(script=lambda _: Reply(503, delay=0.05))

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await asyncio.sleep(30)
            started = line.clock.now()
            line.consumer.drain()
        assert line.clock.now() - started < 5

    line = run_line(main, shard=shard, nakadi=nakadi)
    assert line.outcome is Outcome.RELEASED
    assert line.lease.owner is None
    assert line.lease.checkpoint == "TRIM_HORIZON"


def test_a_request_that_hangs_is_abandoned_at_the_drain_deadline() -> None:
    shard = ShardTwin()
    shard.write_many(10, keys=10)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: bool(nakadi.requests))
            started = line.clock.now()
            line.consumer.drain()
        assert 24 < line.clock.now() - started < 27

    nakadi = NakadiTwin(delay=4000.0)
    line = run_line(main, shard=shard, nakadi=nakadi)
    assert line.outcome is Outcome.RELEASED
    assert line.lease.checkpoint == "TRIM_HORIZON"


def test_a_release_tells_of_the_last_tip_though_it_settled_only_during_the_drain() -> None:
    shard = ShardTwin()
    shard.write(FIRST, "a")
    nakadi = NakadiTwin(delay=10.0)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: bool(nakadi.requests))
            await asyncio.sleep(1)
            assert line.lease.caught_up_at is None
            line.consumer.drain()

    line = run_line(main, shard=shard, nakadi=nakadi)
    assert line.outcome is Outcome.RELEASED
    assert line.lease.checkpoint == str(FIRST)
    assert line.lease.caught_up_at is not None
    assert EPOCH < line.lease.caught_up_at < EPOCH + 2


def test_shedding_gives_up_after_ten_seconds_and_reads_on_without_loss() -> None:
    shard = ShardTwin()
    shard.write_many(50, keys=50)
    nakadi = NakadiTwin()
    nakadi.replies.append(Reply(delay=40.0))

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: bool(nakadi.requests))
            line.consumer.shed()
            await line.until(lambda: line.view.state is ShardState.DRAINING)
            await line.until(lambda: line.view.state is ShardState.READING, 11)
            assert line.view.cooled_until > line.clock.now() + 50
            shard.write(FIRST + 50, "later")
            await line.until(lambda: len(nakadi.stored) == 51)
            line.consumer.drain()

    line = run_line(main, shard=shard, nakadi=nakadi)
    assert line.outcome is Outcome.RELEASED
    assert len({sequence_of(body) for body in nakadi.stored}) == 51


def test_a_lease_that_was_not_asked_for_yet_is_not_taken_any_more() -> None:
    async def main(line: Line) -> None:
        before = line.lease
        line.consumer.drain()
        assert await line.run_consumer() is Outcome.NOT_TAKEN
        assert line.lease == before

    run_line(main)


def test_nothing_is_sent_after_a_revocation_and_nothing_is_written() -> None:
    shard = ShardTwin()
    shard.write_many(1000, keys=3)
    nakadi = NakadiTwin(delay=0.5)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(nakadi.stored) >= 6)
            line.consumer.revoke()
            await line.until(lambda: line.outcome is not None)
            requests, row = len(nakadi.requests), line.lease
            await asyncio.sleep(60)
            assert len(nakadi.requests) == requests
            assert line.lease == row

    line = run_line(main, shard=shard, nakadi=nakadi)
    assert line.outcome is Outcome.LOST
    assert line.backlog.events == 0
    assert line.backlog.budget.used == 0


def test_a_revoked_shard_is_not_shown_as_held_while_its_last_write_is_settled() -> None:
    shard = ShardTwin()
    shard.write_many(5, keys=5)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(line.nakadi.stored) == 5)
            line.store.cut = True  # the lease table is silent from here on
            await asyncio.sleep(6)
            line.consumer.revoke()
            assert not line.view.held
            await asyncio.sleep(30)
            assert line.outcome is None  # the write under way is never abandoned
            line.store.cut = False

    line = run_line(main, shard=shard)
    assert line.outcome is Outcome.LOST


def test_nothing_is_sent_once_the_fence_has_passed_even_before_anybody_is_told() -> None:
    shard = ShardTwin()
    shard.write_many(100, keys=1)
    nakadi = NakadiTwin(delay=1.0)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(nakadi.stored) >= 3)
            line.clock.shift += 200_000  # the process was stopped and wakes up
            sent = len(nakadi.requests)
            await asyncio.sleep(30)
            assert len(nakadi.requests) == sent
            line.consumer.revoke()

    run_line(main, shard=shard, nakadi=nakadi)


def test_a_lost_lease_ends_the_consumer_and_frees_everything() -> None:
    shard = ShardTwin()
    shard.write_many(10, keys=2)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.view.held)
            rows = line.table.of(line.row.key)
            rows[SHARD] = Lease(SHARD, None, owner="thief", counter=99)
            await line.until(lambda: line.outcome is not None)

    line = run_line(main, shard=shard)
    assert line.outcome is Outcome.LOST
    assert line.lease.owner == "thief"
    assert not line.view.held


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER])
def test_an_ambiguous_checkpoint_is_settled_before_the_release(fault: Fault) -> None:
    shard = ShardTwin()
    shard.write_many(30, keys=3)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(line.nakadi.stored) == 30)
            line.store.fail("write_lease", fault, fault)
            await asyncio.sleep(5.1)
            line.consumer.drain()

    line = run_line(main, shard=shard)
    assert line.outcome is Outcome.RELEASED
    assert line.lease.checkpoint == str(FIRST + 29)


def test_a_cancelled_shard_does_not_wait_for_its_checkpoint_though_it_loses_its_lease_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of the two, only the loss comes out of the group that reads."""
    shard = ShardTwin()
    shard.write_many(30, keys=3)
    take_in = Intake.take_in
    running: list[asyncio.Task[Outcome]] = []

    async def takes_or_fails(self: Intake, page: Page, cursor: Cursor) -> int:
        if page.records and running[0].get_name() == "cancelled now":
            running[0].cancel()
            raise LeaseLost("at that moment")
        return await take_in(self, page, cursor)

    monkeypatch.setattr(Intake, "take_in", takes_or_fails)

    async def main(line: Line) -> None:
        running.append(asyncio.get_running_loop().create_task(line.run_consumer()))
        await line.until(lambda: len(line.nakadi.stored) == 30)
        line.store.cut = True  # so the checkpoint, which is due, is never answered
        await asyncio.sleep(6)
        running[0].set_name("cancelled now")
        shard.write(FIRST + 30, "k0")
        async with asyncio.timeout(5):
            await asyncio.wait(running)
        assert running[0].result() is Outcome.LOST
        line.store.cut = False

    run_line(main, shard=shard)


def test_an_expired_iterator_reopens_after_the_last_record_read() -> None:
    shard = ShardTwin(closed=True, page_records=10)
    shard.write_many(30, keys=3)
    shard.errors.extend([None, ExpiredIterator("old"), None])

    async def main(line: Line) -> None:
        await line.run_consumer()

    line = run_line(main, shard=shard)
    assert shard.opened == [AtTrimHorizon(), AfterSequence(FIRST + 9)]
    assert [sequence_of(body) for body in line.nakadi.stored if key_of(body) == "k0"] == [
        FIRST + i for i in range(0, 30, 3)
    ]
    assert len(line.nakadi.stored) == 30


def test_iterators_that_are_refused_for_minutes_neither_end_the_shard_nor_show_it_as_read() -> None:
    shard = ShardTwin(closed=True, page_records=10)
    shard.write_many(30, keys=3)
    shard.errors.append(None)
    shard.errors.extend([ExpiredIterator("Invalid ShardIterator", INVALID_ITERATOR)] * 60)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await asyncio.sleep(60)
            assert 20 < len(shard.opened) < 40  # half of 5 s apart
            assert line.view.state is ShardState.FAILING
            last = line.view.last_success_at
            assert last is not None
            assert line.clock.now() - last > 59

    line = run_line(main, shard=shard)
    assert line.outcome is Outcome.SHARD_END
    assert set(shard.opened[1:]) == {AfterSequence(FIRST + 9)}
    assert len(line.nakadi.stored) == 30
    assert line.table.gaps == {}


@dataclass
class Interrupted(ShardTwin):
    """Its second page is refused while the first one, a large and old one, is taken in."""

    refusal: Exception | None = None
    trim: int = 0  # how many records go then
    delay: float = 0.0

    async def get_records(self, iterator: str) -> Page:
        if self.calls == 1:
            self.trimmed = self.trim
            if self.refusal is not None:
                self.errors.append(self.refusal)
        return await super().get_records(iterator)


def read_on(shard: ShardTwin, stored: int) -> Line:
    """The line after `stored` of the shard's records are stored."""

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(line.nakadi.stored) >= stored, 60)
            await asyncio.sleep(5)
            line.consumer.drain()

    return run_line(main, shard=shard, lease=Lease(SHARD, None, created_at=EPOCH - 3600))


def test_a_trim_met_while_a_page_is_taken_in_is_a_gap_from_the_end_of_that_page() -> None:
    shard = Interrupted(page_records=1000, trim=1500)
    shard.write_many(2000, keys=100, created_at=EPOCH - 60)
    line = read_on(shard, 1500)
    (gap,) = line.table.gaps[line.row.key].values()
    assert (gap.from_, gap.to) == (str(FIRST + 999), str(FIRST + 1500))
    numbers = [sequence_of(body) - FIRST for body in line.nakadi.stored]
    assert sorted(numbers) == [*range(1000), *range(1500, 2000)]


@pytest.mark.parametrize("reason", ["expired_iterator", INVALID_ITERATOR])
def test_an_iterator_refused_while_a_page_is_taken_in_reopens_behind_that_page(reason: str) -> None:
    shard = Interrupted(page_records=1000, refusal=ExpiredIterator("old", reason))
    shard.write_many(2000, keys=100, created_at=EPOCH - 60)
    line = read_on(shard, 2000)
    assert shard.opened == [AtTrimHorizon(), AfterSequence(FIRST + 999)]
    assert line.outcome is Outcome.RELEASED
    assert len(line.nakadi.stored) == 2000


@pytest.mark.parametrize("reason", ["throttled", "server_error", "truncated", "reset", "timeout"])
def test_a_transient_error_never_ends_a_shard(reason: str) -> None:
    shard = ShardTwin(closed=True, page_records=5)
    shard.write_many(20, keys=2)
    shard.errors.extend([Retryable("x", reason), None, Retryable("x", reason), None])
    shard.open_errors.append(Retryable("x", reason))

    async def main(line: Line) -> None:
        assert await line.run_consumer() is Outcome.SHARD_END

    line = run_line(main, shard=shard)
    assert len(line.nakadi.stored) == 20


def test_a_shard_not_found_but_listed_is_only_a_passing_error() -> None:
    shard = ShardTwin(closed=True)
    shard.write_many(5, keys=5)
    shard.open_errors.append(ShardNotFound("not yet"))

    async def main(line: Line) -> None:
        assert await line.run_consumer() is Outcome.SHARD_END

    line = run_line(main, shard=shard)
    assert len(line.nakadi.stored) == 5
    assert line.table.gaps == {}


def test_a_shard_proven_gone_is_a_gap_and_then_at_its_end() -> None:
    shard = ShardTwin(gone=True)

    async def main(line: Line) -> None:
        line.lineage.listed = False
        assert await line.run_consumer() is Outcome.SHARD_END

    line = run_line(main, shard=shard)
    (gap,) = line.table.gaps[line.row.key].values()
    assert (gap.from_, gap.reason) == ("TRIM_HORIZON", "shard_gone")
    assert line.lease.checkpoint == SHARD_END


def test_trimmed_records_are_a_gap_row_with_both_ends_and_reading_goes_on() -> None:
    shard = ShardTwin(page_records=10)
    shard.write_many(100, keys=5)
    lease = Lease(SHARD, None, checkpoint=str(FIRST + 9), created_at=EPOCH - 90_000)
    shard.trimmed = 40

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(line.nakadi.stored) == 60)
            line.consumer.drain()

    line = run_line(main, shard=shard, lease=lease)
    (gap,) = line.table.gaps[line.row.key].values()
    assert (gap.from_, gap.to, gap.reason) == (str(FIRST + 9), str(FIRST + 40), "trimmed")
    assert (gap.from_time, gap.to_time) == (EPOCH - 90_000 - 26 * 3600, EPOCH)
    assert line.metrics.gaps.labels(reason="trimmed")._value.get() == 1
    assert min(sequence_of(body) for body in line.nakadi.stored) == FIRST + 40


def test_the_end_of_a_gap_met_again_is_written_before_anything_after_it_is_sent() -> None:
    shard = ShardTwin(page_records=10)
    shard.write_many(100, keys=5)
    lease = Lease(SHARD, None, checkpoint=str(FIRST + 9), created_at=EPOCH - 90_000)
    shard.trimmed = 40
    too_early = Gap(SHARD, str(FIRST + 9), str(FIRST + 20), "trimmed", EPOCH)
    sent: list[str | None] = []

    async def main(line: Line) -> None:
        gaps = line.table.gaps.setdefault(line.row.key, {})
        gaps[SHARD, too_early.from_] = too_early
        line.store.fail("complete_gap", Fault.LOST_BEFORE, Fault.REFUSED, Fault.LOST_AFTER)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: bool(line.nakadi.stored))
            sent.append(gaps[SHARD, too_early.from_].to)
            await line.until(lambda: len(line.nakadi.stored) == 60)
            line.consumer.drain()

    line = run_line(main, shard=shard, lease=lease)
    assert sent == [str(FIRST + 40)]
    assert line.metrics.gaps.labels(reason="trimmed")._value.get() == 0


def test_a_shard_that_was_at_its_tip_lately_has_no_gap_when_its_position_is_trimmed() -> None:
    shard = ShardTwin()
    shard.write_many(10, keys=5)
    shard.trimmed = 8
    lease = Lease(
        SHARD,
        None,
        checkpoint=str(FIRST + 3),
        created_at=EPOCH - 90_000,
        record_at=EPOCH - 86_500,
        caught_up_at=EPOCH - 3600,
    )

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(line.nakadi.stored) == 2)
            line.consumer.drain()

    line = run_line(main, shard=shard, lease=lease)
    assert line.table.gaps == {}


def test_a_young_record_cannot_have_gone_by_age_so_what_followed_it_may_be_lost_unread() -> None:
    shard = ShardTwin()
    shard.write_many(10, keys=5)
    shard.trimmed = 8
    lease = Lease(
        SHARD,
        None,
        checkpoint=str(FIRST + 3),
        created_at=EPOCH - 90_000,
        record_at=EPOCH - 60,
        caught_up_at=EPOCH - 30,
    )

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(line.nakadi.stored) == 2)
            line.consumer.drain()

    line = run_line(main, shard=shard, lease=lease)
    (gap,) = line.table.gaps[line.row.key].values()
    assert (gap.from_, gap.to, gap.reason) == (str(FIRST + 3), str(FIRST + 8), "trimmed")


def test_after_a_restart_at_trim_horizon_what_was_read_before_is_skipped() -> None:
    shard = ShardTwin(page_records=10)
    shard.write_many(30, keys=5)
    lease = Lease(SHARD, None, checkpoint=str(FIRST + 14), created_at=EPOCH - 100)
    shard.open_errors.append(TrimmedData("says so at times"))

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(line.nakadi.stored) == 15)
            await asyncio.sleep(10)
            line.consumer.drain()

    line = run_line(main, shard=shard, lease=lease)
    assert min(sequence_of(body) for body in line.nakadi.stored) == FIRST + 15
    assert len(line.nakadi.stored) == 15
    assert line.metrics.records_skipped.labels(reason="already_read")._value.get() == 15


def test_an_old_shard_never_read_may_have_lost_its_head() -> None:
    shard = ShardTwin()
    shard.write(FIRST, "a")
    lease = Lease(SHARD, None, created_at=EPOCH - 24 * 3600)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(line.nakadi.stored) == 1)
            line.consumer.drain()

    line = run_line(main, shard=shard, lease=lease)
    (gap,) = line.table.gaps[line.row.key].values()
    assert (gap.from_, gap.to, gap.reason) == ("TRIM_HORIZON", str(FIRST), "possibly_trimmed")


@pytest.mark.parametrize("reason", ["expired_iterator", INVALID_ITERATOR])
def test_latest_is_opened_with_the_stored_iterator_while_it_lives_then_with_a_skip(
    reason: str,
) -> None:
    start = EPOCH + 600.0
    shard = ShardTwin()
    shard.write_many(10, keys=10, created_at=EPOCH)
    shard.write_many(5, keys=5, start=FIRST + 10, created_at=start)
    lease = Lease(SHARD, None, checkpoint=LATEST, start_iterator="10", created_at=EPOCH)

    async def main(line: Line) -> None:
        for worker in ("first", "killed", "late"):
            row = line.lease
            line.consumer = line.new_consumer(worker)
            line.nakadi.stored.clear()
            if worker == "late":
                shard.errors.append(ExpiredIterator("not taken", reason))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(line.run_consumer())
                await line.until(lambda: len(line.nakadi.stored) == 5)
                assert shard.opened == ([AtTrimHorizon()] if worker == "late" else [])
                line.consumer.revoke()
            assert min(sequence_of(body) for body in line.nakadi.stored) == FIRST + 10
            line.table.of(line.row.key)[SHARD] = replace(row, counter=row.counter + 2)

    run_line(main, shard=shard, lease=lease, started_at=start)


def test_memory_stays_within_the_budget_while_nakadi_is_down_and_flows_again_after() -> None:
    shard = ShardTwin(page_records=200)
    shard.write_many(4000, keys=4000, size=5000)
    nakadi = NakadiTwin(script=lambda _: Reply(503))
    memory = 16 << 20
    peaks: list[int] = []

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            for _ in range(300):
                await asyncio.sleep(1)
                peaks.append(line.backlog.budget.used)
            assert line.view.suspended_cause == "budget"
            nakadi.script = None
            await line.until(lambda: len(nakadi.stored) == 4000)
            line.consumer.drain()

    line = run_line(main, shard=shard, nakadi=nakadi, memory=memory)
    assert 8 << 20 < max(peaks) <= memory
    assert line.backlog.budget.used == 0


def test_a_page_and_the_events_made_of_it_are_counted_once_while_it_is_taken_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shard = ShardTwin(closed=True, page_records=1000)
    shard.write_many(1000, keys=1000, size=200)
    nakadi = NakadiTwin(delay=60.0)
    seen: list[int] = []

    add = Backlog.add

    def added(self: Backlog, *slice_: Any) -> set[tuple[str, str]]:
        seen.append(self.budget.used)
        return add(self, *slice_)

    monkeypatch.setattr(Backlog, "add", added)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.view.pending_events == 1000)
            assert 1000 * 200 < line.backlog.budget.used < RESERVATION

    line = run_line(main, shard=shard, nakadi=nakadi)
    assert len(seen) == 1000 // SLICE
    assert len(set(seen)) == 1, "what a slice is given, the reservation has lost"
    assert RESERVATION <= seen[0] < RESERVATION + 100_000, "the page is a little larger"
    assert line.backlog.budget.used == 0


def test_a_crowded_key_stops_the_reading_ahead_of_its_shard() -> None:
    shard = ShardTwin(page_records=100)
    shard.write_many(2000, keys=1)
    nakadi = NakadiTwin(delay=0.5)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(nakadi.stored) == 40)
            assert line.view.suspended_cause == "hot_key"
            assert line.view.crowded_at is not None
            assert FIRST + 39 <= line.view.crowded_at <= FIRST + 41
            # Half of the drain time is 12.5 s: 25 round trips, and a page read ahead of that.
            assert line.view.pending_events <= 300
            started = line.clock.now()
            line.consumer.drain()
        assert line.clock.now() - started < 25
        sequences = [sequence_of(body) for body in nakadi.stored]
        assert len(set(sequences)) == len(sequences)

    run_line(main, shard=shard, nakadi=nakadi)


def test_a_malformed_record_becomes_a_dead_letter_and_harms_nobody() -> None:
    shard = ShardTwin(closed=True)
    shard.write_many(4, keys=4)
    bad = b'{"eventID":"x","eventName":"MODIFY","dynamodb":{"SequenceNumber":"%d","Keys":5}}'
    shard.records.insert(2, (FIRST + 1, bad % (FIRST + 1)))
    queue = DeadLetterTwin(refuse=3)

    async def main(line: Line) -> None:
        assert await line.run_consumer() is Outcome.SHARD_END

    line = run_line(main, shard=shard, queue=queue)
    assert len(line.nakadi.stored) == 4
    (letter,) = queue.letters
    assert letter.reason == "malformed_record"
    assert letter.event is None
    assert letter.record == bad % (FIRST + 1)


def test_the_age_grows_while_nakadi_is_down_and_is_nothing_when_idle() -> None:
    shard = ShardTwin()
    nakadi = NakadiTwin(script=lambda _: Reply(503))
    ages: list[float] = []

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await asyncio.sleep(100)
            ages.append(line.view.age(line.clock.wall()))
            shard.write(FIRST, "a", created_at=line.clock.wall())
            await asyncio.sleep(300)
            ages.append(line.view.age(line.clock.wall()))
            nakadi.script = None
            await line.until(lambda: len(nakadi.stored) == 1)
            await asyncio.sleep(10)
            ages.append(line.view.age(line.clock.wall()))
            line.consumer.drain()

    run_line(main, shard=shard, nakadi=nakadi, limits=PublishLimits())
    idle, stuck, well = ages
    assert idle < 3
    assert 298 < stuck < 302
    assert well < 3


def test_between_pages_of_an_old_shard_the_age_is_that_of_what_was_settled_last() -> None:
    """The records are older than the row, and no checkpoint has been answered yet."""
    shard = ShardTwin(page_records=10)
    shard.write_many(20, keys=5, created_at=EPOCH - 600.0)

    async def main(line: Line) -> None:
        task = asyncio.create_task(line.run_consumer())
        await line.until(lambda: shard.calls == 1)
        shard.delay = 3.0
        await line.until(lambda: len(line.nakadi.stored) == 10)
        await asyncio.sleep(0.5)
        assert (line.view.pending_events, line.lease.record_at) == (0, None)
        assert line.view.since == EPOCH - 600.0
        shard.delay = 0.005
        line.consumer.drain()
        await task

    run_line(main, shard=shard)
