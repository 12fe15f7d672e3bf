"""Seek, pause and resume on one shard, on twins, in virtual time."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from consumer.core.leases.checkpoint import LATEST, TRIM_HORIZON
from consumer.core.leases.command import Action, Command
from consumer.core.leases.lease import Gap, Pause
from consumer.core.shard.shard_state import Outcome, ShardState
from tests.twins.fleet import Fleet
from tests.twins.lease_table import Fault
from tests.twins.line import SHARD, Line, run_line
from tests.twins.nakadi import NakadiTwin, Reply, sequence_of
from tests.twins.shard import FIRST, ShardTwin
from tests.twins.shard_list import STREAM as FLEET_STREAM
from tests.twins.virtual_time import EPOCH, run


async def command(line: Line, action: Action, target: str | None = None) -> int:
    """Leave a command in the table and let the owner hear of it, as its coordinator would."""
    row = line.table.streams.setdefault(line.row.key, line.row)
    number = row.commands + 1
    shards = (SHARD,) if action is Action.SEEK else None
    issued = Command(number, action, shards, target, EPOCH, "me", f"t-{number}", "deploy")
    assert await line.store.add_command(row.key, issued)
    line.consumer.notify_command(number)
    return number


def next_owner(line: Line) -> None:
    """Another worker, which knows the stream's row as it stands."""
    line.row = line.table.streams[line.row.key]
    line.consumer = line.new_consumer("other")


def sequences(line: Line) -> list[int]:
    return [sequence_of(body) - FIRST for body in line.nakadi.stored]


def gaps(line: Line) -> list[Gap]:
    return list(line.table.gaps.get(line.row.key, {}).values())


async def obeyed(line: Line, number: int) -> None:
    await line.until(lambda: line.lease.command_counter == number)


async def paused_after(line: Line, events: int) -> None:
    """Once this number of events is stored."""
    await line.until(lambda: len(line.nakadi.stored) == events)
    await command(line, Action.PAUSE)
    await line.until(lambda: line.view.state is ShardState.PAUSED)


def test_a_paused_shard_keeps_its_lease_and_does_not_read_until_resumed() -> None:
    shard = ShardTwin()
    shard.write_many(10, keys=3)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await paused_after(line, 10)
            assert line.lease.checkpoint == str(FIRST + 9)
            assert (line.lease.owner, line.lease.paused) == ("me", True)
            assert line.lease.pause == line.view.pause == Pause("me", EPOCH, "deploy")
            calls = shard.calls
            shard.write(FIRST + 10, "k1")
            before = line.view.age(line.clock.wall())
            await asyncio.sleep(300)
            assert shard.calls == calls
            assert line.view.age(line.clock.wall()) >= before + 300
            assert line.view.suspended_cause == "paused"
            assert line.view.pending_events == 0
            await command(line, Action.RESUME)
            await line.until(lambda: len(line.nakadi.stored) == 11)
            assert line.view.state is ShardState.READING
            line.consumer.drain()

    line = run_line(main, shard=shard)
    assert line.outcome is Outcome.RELEASED
    assert sequences(line) == list(range(11))
    assert (line.lease.paused, line.lease.pause) == (False, None)
    assert gaps(line) == []


def test_a_command_given_while_others_are_read_is_not_taken_for_obeyed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shard = ShardTwin()
    shard.write_many(10, keys=3)
    given: list[int] = []

    async def main(line: Line) -> None:
        read = line.store.read_commands

        async def answered_late(stream_key: str, after: int) -> Sequence[Command]:
            found = await read(stream_key, after)
            if not given:
                given.append(await command(line, Action.RESUME))
            return found

        monkeypatch.setattr(line.store, "read_commands", answered_late)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await command(line, Action.PAUSE)
            await obeyed(line, 2)
            await line.until(lambda: len(line.nakadi.stored) == 10)
            line.consumer.drain()

    line = run_line(main, shard=shard)
    assert given == [2]
    assert not line.lease.paused


def test_the_next_owner_of_a_paused_shard_does_not_read_either() -> None:
    shard = ShardTwin()
    shard.write_many(10, keys=3)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await paused_after(line, 10)
            line.consumer.drain()
        calls = shard.calls
        shard.write(FIRST + 10, "k1")
        next_owner(line)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await asyncio.sleep(100)
            assert line.view.state is ShardState.PAUSED
            assert line.view.pause == Pause("me", EPOCH, "deploy")
            assert shard.calls == calls
            line.consumer.drain()

    run_line(main, shard=shard)


def test_a_command_given_while_nobody_reads_is_obeyed_before_anything_is_read() -> None:
    shard = ShardTwin()
    shard.write_many(10, keys=3)

    async def main(line: Line) -> None:
        await command(line, Action.PAUSE)
        next_owner(line)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await asyncio.sleep(100)
            assert shard.calls == 0
            assert line.view.state is ShardState.PAUSED
            line.consumer.drain()

    run_line(main, shard=shard)


def test_a_seek_back_repeats_in_order_and_leaves_no_gap() -> None:
    shard = ShardTwin(page_records=4)
    shard.write_many(10, keys=2)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(line.nakadi.stored) == 10)
            await command(line, Action.SEEK, str(FIRST + 3))
            await line.until(lambda: len(line.nakadi.stored) == 16)
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 9))
            await command(line, Action.SEEK, TRIM_HORIZON)
            await line.until(lambda: len(line.nakadi.stored) == 26)
            line.consumer.drain()

    line = run_line(main, shard=shard)
    for key in (0, 1):
        of_key = [number for number in sequences(line) if number % 2 == key]
        once = list(range(key, 10, 2))
        assert of_key == once + [n for n in once if n > 3] + once
    assert gaps(line) == []
    assert line.lease.counter == 4  # take, two seeks, release


def test_a_seek_forward_skips_and_leaves_a_gap_with_both_ends() -> None:
    shard = ShardTwin(page_records=4)
    shard.write_many(10, keys=2)
    nakadi = NakadiTwin(script=lambda _bodies: Reply(503))

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.view.pending_events > 0)
            await command(line, Action.SEEK, str(FIRST + 6))
            await obeyed(line, 1)
            nakadi.script = None
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 9))
            line.consumer.drain()

    line = run_line(main, shard=shard, nakadi=nakadi)
    assert set(sequences(line)) == {7, 8, 9}
    (gap,) = gaps(line)
    assert (gap.from_, gap.to, gap.reason) == (TRIM_HORIZON, str(FIRST + 7), "seek")
    assert line.metrics.gaps.labels(reason="seek")._value.get() == 1


def test_a_seek_to_latest_skips_what_is_older_and_tells_where_it_read_on() -> None:
    shard = ShardTwin(page_records=4)
    shard.write_many(10, keys=2, created_at=EPOCH - 600)
    shard.write(FIRST + 10, "k0", created_at=EPOCH + 5)

    async def main(line: Line) -> None:
        await command(line, Action.SEEK, LATEST)
        next_owner(line)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 10))
            line.consumer.drain()

    line = run_line(main, shard=shard)
    assert sequences(line) == [10]
    (gap,) = gaps(line)
    assert (gap.from_, gap.to) == (TRIM_HORIZON, str(FIRST + 10))
    assert line.metrics.records_skipped.labels(reason="before_seek")._value.get() == 10


def test_a_gap_stays_open_over_a_pause_until_the_first_record_that_is_read() -> None:
    shard = ShardTwin()
    shard.write_many(10, keys=2, created_at=EPOCH - 600)

    async def main(line: Line) -> None:
        await command(line, Action.SEEK, LATEST)
        next_owner(line)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 9))
            await command(line, Action.PAUSE)
            await line.until(lambda: line.view.state is ShardState.PAUSED)
            await command(line, Action.RESUME)
            shard.write(FIRST + 10, "k0", created_at=EPOCH + 60)
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 10))
            line.consumer.drain()

    line = run_line(main, shard=shard)
    assert sequences(line) == [10]
    assert [gap.to for gap in gaps(line)] == [str(FIRST + 10)]


def test_a_seek_to_a_time_overrules_the_start_of_the_stream() -> None:
    shard = ShardTwin()
    shard.write_many(5, keys=2, created_at=EPOCH - 1200)
    shard.write_many(5, keys=2, start=FIRST + 5, created_at=EPOCH - 600)
    shard.write_many(5, keys=2, start=FIRST + 10, created_at=EPOCH)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 14))
            assert set(sequences(line)) == set(range(10, 15))
            await command(line, Action.SEEK, "2026-11-01T00:00:00Z")
            await obeyed(line, 1)
            assert line.lease.skip_before is not None
            await command(line, Action.SEEK, TRIM_HORIZON)
            await obeyed(line, 2)
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 14))
            line.consumer.drain()

    line = run_line(main, shard=shard, started_at=EPOCH - 60)
    assert set(sequences(line)) == set(range(15))


def test_the_gap_of_a_seek_to_a_number_ends_with_the_first_record_read_after_it() -> None:
    shard = ShardTwin(page_records=4)
    shard.write_many(7, keys=2)

    async def main(line: Line) -> None:
        await command(line, Action.SEEK, str(FIRST + 6))
        next_owner(line)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await obeyed(line, 1)
            await asyncio.sleep(30)
            assert [gap.to for gap in gaps(line)] == [None]  # the target is skipped, too
            shard.write(FIRST + 90, "k0")
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 90))
            line.consumer.drain()

    line = run_line(main, shard=shard)
    assert sequences(line) == [90]
    assert [gap.to for gap in gaps(line)] == [str(FIRST + 90)]


def test_a_target_that_was_trimmed_ends_the_gap_of_the_seek_and_that_of_the_loss() -> None:
    shard = ShardTwin(page_records=4)
    shard.write_many(20, keys=2, created_at=EPOCH - 90_000)
    shard.trimmed = 12

    async def main(line: Line) -> None:
        await command(line, Action.SEEK, str(FIRST + 6))
        next_owner(line)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 19))
            line.consumer.drain()

    line = run_line(main, shard=shard)
    assert {(gap.from_, gap.to, gap.reason) for gap in gaps(line)} == {
        (TRIM_HORIZON, str(FIRST + 12), "seek"),
        (str(FIRST + 6), str(FIRST + 12), "trimmed"),
    }


@pytest.mark.parametrize(
    ("back", "published", "first", "to"), [(300, range(10, 15), 10, 10), (3600, range(15), 0, 3)]
)
def test_a_time_after_a_sequence_number_tells_of_all_that_it_may_skip(
    back: int, published: range, first: int, to: int
) -> None:
    shard = ShardTwin(page_records=4)
    for start, age in ((0, 1200), (5, 600), (10, 0)):
        shard.write_many(5, keys=2, start=FIRST + start, created_at=EPOCH - age)
    time = datetime.fromtimestamp(EPOCH - back, UTC).isoformat()

    async def main(line: Line) -> None:
        await command(line, Action.SEEK, str(FIRST + 2))
        await command(line, Action.SEEK, time)
        next_owner(line)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 14))
            line.consumer.drain()

    line = run_line(main, shard=shard)
    assert set(sequences(line)) == set(published)
    assert {(gap.from_, gap.to) for gap in gaps(line)} == {
        (TRIM_HORIZON, str(FIRST + first)),
        (str(FIRST + 2), str(FIRST + to)),
    }


def test_a_seek_does_not_wait_for_ever_for_what_nakadi_does_not_take() -> None:
    shard = ShardTwin()
    shard.write_many(10, keys=10)
    nakadi = NakadiTwin(delay=1000.0)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.view.pending_events == 10)
            await asyncio.sleep(1)
            await command(line, Action.SEEK, LATEST)
            began = asyncio.get_running_loop().time()
            await obeyed(line, 1)
            assert 24 < asyncio.get_running_loop().time() - began < 30
            line.consumer.drain()
            await line.until(lambda: line.outcome is not None)

    run_line(main, shard=shard, nakadi=nakadi)


def test_lost_answers_apply_a_seek_once() -> None:
    shard = ShardTwin()
    shard.write_many(10, keys=2)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 9))
            # The final checkpoint is answered; the seek lands, its answer is lost, again and again.
            line.store.fail("write_lease", None, Fault.LOST_AFTER, Fault.LOST_BEFORE, Fault.HANGS)
            line.store.fail("read_commands", Fault.REFUSED, Fault.HANGS)
            await command(line, Action.SEEK, str(FIRST + 4))
            await obeyed(line, 1)
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 9))
            line.consumer.notify_command(1)
            await asyncio.sleep(60)
            line.consumer.drain()

    line = run_line(main, shard=shard)
    assert len(sequences(line)) == 15
    assert sorted(sequences(line)[10:]) == [5, 6, 7, 8, 9]


def test_a_crash_between_the_gap_and_the_row_leaves_the_rest_to_the_next_owner() -> None:
    shard = ShardTwin()
    shard.write_many(10, keys=2)

    async def main(line: Line) -> None:
        await command(line, Action.SEEK, str(FIRST + 4))
        stream = line.table.streams[line.row.key]
        # The first owner got as far as its gap row.
        await line.store.put_gap(stream.key, Gap(SHARD, TRIM_HORIZON, None, "seek", 1.0))
        next_owner(line)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 9))
            line.consumer.drain()

    line = run_line(main, shard=shard)
    assert set(sequences(line)) == {5, 6, 7, 8, 9}
    (gap,) = gaps(line)
    assert (gap.from_, gap.to) == (TRIM_HORIZON, str(FIRST + 5))  # the first record read
    assert gap.detected_at > 1.0  # it is the second owner's now


def test_a_stale_owner_applies_nothing() -> None:
    shard = ShardTwin()
    shard.write_many(10, keys=2)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 9))
            stolen = replace(line.lease, owner="thief", counter=line.lease.counter + 1)
            line.table.of(line.row.key)[SHARD] = stolen
            await command(line, Action.SEEK, TRIM_HORIZON)
            await line.until(lambda: line.outcome is not None)
            assert line.lease == stolen

    assert run_line(main, shard=shard).outcome is Outcome.LOST


def test_a_drain_during_a_command_hands_over_what_is_due() -> None:
    shard = ShardTwin()
    shard.write_many(10, keys=2)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 9))
            line.store.fail("read_commands", *[Fault.REFUSED] * 1000)
            await command(line, Action.SEEK, TRIM_HORIZON)
            await asyncio.sleep(3)
            seen = (shard.calls, len(shard.opened))
            line.consumer.drain()
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 3
        assert (shard.calls, len(shard.opened)) == seen  # not read at the old place any more
        assert line.outcome is Outcome.RELEASED
        assert (line.lease.checkpoint, line.lease.command_counter) == (str(FIRST + 9), 0)
        line.store.faults.clear()
        next_owner(line)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(line.nakadi.stored) == 20)
            line.consumer.drain()

    run_line(main, shard=shard)


def test_a_seek_reaches_a_closed_shard_whose_events_nakadi_does_not_take() -> None:
    shard = ShardTwin(closed=True)
    shard.write_many(10, keys=10)
    nakadi = NakadiTwin(script=lambda _bodies: Reply(503))

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.view.state is ShardState.FINISHING)
            assert line.view.pending_events == 10
            await command(line, Action.SEEK, str(FIRST + 8))
            await line.until(lambda: line.lease.command_counter == 1, 60)
            nakadi.script = None

    line = run_line(main, shard=shard, nakadi=nakadi)
    assert line.outcome is Outcome.SHARD_END
    assert sequences(line) == [9]


def test_a_closed_shard_that_is_paused_ends_after_it_is_resumed() -> None:
    shard = ShardTwin(closed=True)
    shard.write_many(10, keys=2)

    async def main(line: Line) -> None:
        line.lineage.failures = 10**6
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.view.state is ShardState.FINISHING)
            await line.until(lambda: len(line.nakadi.stored) == 10)
            await command(line, Action.PAUSE)
            await line.until(lambda: line.view.state is ShardState.PAUSED)
            line.lineage.failures = 0
            await asyncio.sleep(100)
            assert line.lineage.adopted == []
            await command(line, Action.RESUME)

    line = run_line(main, shard=shard)
    assert line.outcome is Outcome.SHARD_END
    assert sequences(line) == list(range(10))


def test_the_coordinator_tells_the_shards_that_are_meant_within_two_scans() -> None:
    async def main() -> None:
        fleet = Fleet()
        fleet.streams.open("a")
        fleet.streams.open("b")
        node = fleet.start("one")
        async with asyncio.timeout(60):
            while len(node.running) < 2:
                await asyncio.sleep(0.1)
        issued = Command(1, Action.PAUSE, ("b",), None, EPOCH, "me", "t")
        node.store.fail("read_commands", Fault.REFUSED)
        assert await node.store.add_command(FLEET_STREAM.key, issued)
        await asyncio.sleep(3 * node.timing.scan)
        heard = {name: shard.newest_command for name, shard in node.running.items()}
        assert heard == {"a": 0, "b": 1}
        assert fleet.table.count("read_commands") == 1
        await fleet.stop()

    run(main)
