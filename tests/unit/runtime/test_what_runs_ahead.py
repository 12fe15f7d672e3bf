"""An event type that is down beside others: what that costs them in drains, kills and seeks."""

import asyncio
from collections import Counter
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from consumer.core.leases.checkpoint import LATEST, SHARD_END, TRIM_HORIZON
from consumer.core.leases.command import Action, Command
from consumer.core.leases.lease import Lease
from consumer.core.leases.mark import Ahead, Mark
from consumer.core.limits import PublishLimits
from consumer.core.shard.shard_state import Outcome, ShardState
from tests.twins.line import SHARD, Line, run_line
from tests.twins.nakadi import NakadiTwin, Reply
from tests.twins.nakadi import sequence_of as number_of
from tests.twins.shard import FIRST, ShardTwin
from tests.twins.virtual_time import EPOCH

ORDER, AUDIT, PAYMENT = "order-store.order", "order-store.audit", "order-store.payment"
PROBE = PublishLimits(probe=30.0)


def stored(nakadi: NakadiTwin) -> list[int]:
    return [number_of(body) for body in nakadi.stored]


def down(status: int = 403, delay: float = 0.01) -> NakadiTwin:
    return NakadiTwin(script=lambda _: Reply(status, delay=delay))


def written(count: int, keys: int = 20, **options: Any) -> ShardTwin:
    shard = ShardTwin(**options)
    shard.write_many(count, keys=keys)
    return shard


async def kill(line: Line, task: "asyncio.Task[Outcome]") -> None:
    """The consumer ends without a word; another worker takes the lease."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    free = replace(line.lease, owner=None, counter=line.lease.counter + 1)
    line.table.of(line.row.key)[SHARD] = free
    line.consumer = line.new_consumer("other")


async def drained(line: Line, seconds: float) -> None:
    began = line.clock.now()
    line.consumer.drain()
    await line.until(lambda: line.outcome is not None, seconds)
    assert line.clock.now() - began <= seconds


async def settled(line: Line, last: int) -> None:
    """Run the consumer until everything up to this record is settled."""
    task = asyncio.create_task(line.run_consumer())
    await line.until(lambda: line.lease.checkpoint == str(last), 60.0)
    line.consumer.drain()
    await task


@pytest.mark.parametrize("status", [403, 503])
def test_a_kill_while_one_is_down_repeats_nothing_that_a_checkpoint_covers(status: int) -> None:
    shard, audit = written(300), down(status)

    async def main(line: Line) -> None:
        task = asyncio.create_task(line.run_consumer())
        await line.until(lambda: len(line.nakadi.stored) == 300)
        await asyncio.sleep(6.0)  # a checkpoint
        assert line.lease.checkpoint == TRIM_HORIZON
        assert line.lease.ahead == Ahead(FIRST + 299, (AUDIT,))
        shard.write_many(50, keys=20, start=FIRST + 300)
        await line.until(lambda: len(line.nakadi.stored) == 350)
        await kill(line, task)
        audit.script = None
        task = asyncio.create_task(line.run_consumer())
        await line.until(lambda: line.lease.checkpoint == str(FIRST + 349), 120.0)
        await drained(line, 5.0)
        await task

    line = run_line(main, shard=shard, limits=PROBE, beside={AUDIT: audit})
    assert sorted(stored(audit)) == [*range(FIRST, FIRST + 350)]
    again = {number for number, times in Counter(stored(line.nakadi)).items() if times > 1}
    assert again <= {*range(FIRST + 300, FIRST + 350)}
    assert {*stored(line.nakadi)} == {*range(FIRST, FIRST + 350)}
    skipped = line.metrics.records_skipped.labels(reason="already_settled")._value.get()
    assert skipped == 0  # each had an event for the one that was behind
    assert line.lease.ahead is None


@pytest.mark.parametrize("status", [403, 503])
def test_a_drain_waits_only_for_event_types_that_publish(status: int) -> None:
    shard, audit = written(400, page_records=50), down(status)

    async def main(line: Line) -> None:
        line.nakadi.delay = 0.2
        task = asyncio.create_task(line.run_consumer())
        await line.until(lambda: 40 < len(line.nakadi.stored) < 300)
        await drained(line, 3.0)
        assert await task is Outcome.RELEASED
        newest = max(stored(line.nakadi))
        assert line.lease.checkpoint == TRIM_HORIZON
        assert line.lease.ahead == Ahead(newest, (AUDIT,))
        audit.script = None
        line.outcome, line.consumer = None, line.new_consumer("other")
        task = asyncio.create_task(line.run_consumer())
        await line.until(lambda: line.lease.checkpoint == str(FIRST + 399), 120.0)
        await drained(line, 5.0)
        await task

    line = run_line(main, shard=shard, limits=PROBE, beside={AUDIT: audit})
    assert sorted(stored(line.nakadi)) == [*range(FIRST, FIRST + 400)]
    assert sorted(stored(audit)) == [*range(FIRST, FIRST + 400)]


def test_a_drain_waits_for_the_probe_of_a_stopped_event_type() -> None:
    shard, audit = written(40), down(403, delay=4.0)

    async def main(line: Line) -> None:
        task = asyncio.create_task(line.run_consumer())
        await line.until(lambda: len(audit.requests) == 2 and audit.requests[1].ended is None, 60.0)
        (body,) = audit.requests[1].bodies
        audit.script = None
        line.consumer.drain()
        assert await task is Outcome.RELEASED
        assert audit.requests[1].ended is not None
        assert stored(audit) == []
        assert number_of(body) >= FIRST

    run_line(main, shard=shard, limits=replace(PROBE, concurrency=1), beside={AUDIT: audit})


@pytest.mark.parametrize(("beside", "waits"), [((), True), ((AUDIT,), False)])
def test_a_single_event_type_that_is_stopped_keeps_its_drain(
    beside: tuple[str, ...], waits: bool
) -> None:
    """It waits for the hole below what was stored; beside others it leaves that to the mark."""
    shard = written(40)

    def refuse_one(bodies: list[bytes]) -> Reply:
        return Reply(403) if number_of(bodies[0]) == FIRST + 3 else Reply(delay=0.1)

    async def main(line: Line) -> None:
        task = asyncio.create_task(line.run_consumer())
        await line.until(lambda: len(line.nakadi.stored) == 7)
        await asyncio.sleep(1.0)
        assert sorted(stored(line.nakadi)) == [FIRST + n for n in (0, 1, 2, 4, 5, 6, 7)]
        began = line.clock.now()
        line.consumer.drain()
        assert await task is Outcome.RELEASED
        assert (line.clock.now() - began > 24.0) is waits
        assert line.lease.checkpoint == str(FIRST + 2)
        assert line.lease.mark == (Mark(Ahead(FIRST + 39, (ORDER,)), 0) if beside else None)

    run_line(
        main,
        shard=shard,
        nakadi=NakadiTwin(script=refuse_one),
        limits=PublishLimits(batch_events=1, concurrency=8, probe=100.0),
        beside={name: NakadiTwin() for name in beside},
    )


def test_shedding_does_not_wait_for_what_is_stopped_either() -> None:
    shard, audit = written(100), down()

    async def main(line: Line) -> None:
        task = asyncio.create_task(line.run_consumer())
        await line.until(lambda: len(line.nakadi.stored) == 100)
        line.consumer.shed()
        async with asyncio.timeout(2.0):
            assert await task is Outcome.RELEASED
        assert line.lease.ahead == Ahead(FIRST + 99, (AUDIT,))

    run_line(main, shard=shard, limits=PROBE, beside={AUDIT: audit})


def test_the_end_of_a_shard_waits_for_every_event_type_and_names_the_one_behind() -> None:
    shard, audit = written(60, closed=True), down()

    async def main(line: Line) -> None:
        task = asyncio.create_task(line.run_consumer())
        await line.until(lambda: line.view.state is ShardState.FINISHING)
        await asyncio.sleep(60.0)
        assert line.view.behind == (AUDIT,)
        assert not line.lease.finished
        audit.script = None
        assert await task is Outcome.SHARD_END
        assert not line.view.behind

    line = run_line(main, shard=shard, limits=PROBE, beside={AUDIT: audit, PAYMENT: NakadiTwin()})
    assert line.lease.checkpoint == SHARD_END
    assert line.lease.mark is None
    assert sorted(stored(line.nakadi)) == sorted(stored(audit))


def test_who_publishes_is_not_named_as_holding_a_shard_that_reads() -> None:
    shard = written(200, page_records=20)

    async def main(line: Line) -> None:
        line.nakadi.delay = 0.5
        task = asyncio.create_task(line.run_consumer())
        await line.until(lambda: line.view.pending_events > 50)
        assert line.view.behind == ()
        line.consumer.drain()
        await task

    run_line(main, shard=shard, beside={AUDIT: NakadiTwin()})


def test_a_mark_of_another_counter_is_none_and_everything_comes_again() -> None:
    shard = written(50)
    stale = Mark(Ahead(FIRST + 49, (AUDIT,)), 6)
    lease = Lease(
        SHARD, None, checkpoint=str(FIRST + 9), created_at=EPOCH, command_counter=7, mark=stale
    )
    audit = NakadiTwin()

    line = run_line(
        partial(settled, last=FIRST + 49), shard=shard, lease=lease, beside={AUDIT: audit}
    )
    assert sorted(stored(line.nakadi)) == [*range(FIRST + 10, FIRST + 50)]
    assert sorted(stored(audit)) == [*range(FIRST + 10, FIRST + 50)]
    assert line.lease.mark is None


def test_what_a_mark_covers_is_settled_and_counted_where_nobody_lacks_it() -> None:
    shard = written(50)
    mark = Mark(Ahead(FIRST + 29, ("order-store.gone",)), 0)
    lease = Lease(SHARD, None, checkpoint=str(FIRST + 9), created_at=EPOCH, mark=mark)

    line = run_line(
        partial(settled, last=FIRST + 49), shard=shard, lease=lease, beside={AUDIT: NakadiTwin()}
    )
    assert sorted(stored(line.nakadi)) == [*range(FIRST + 30, FIRST + 50)]
    skipped = line.metrics.records_skipped.labels(reason="already_settled")._value.get()
    assert skipped == 20


def test_an_event_type_under_a_new_name_goes_on_where_the_old_one_was() -> None:
    """The old name was wrong, say, and Nakadi answered 404 until it was corrected."""
    shard, corrected = written(50), NakadiTwin()
    mark = Mark(Ahead(FIRST + 29, ("order-store.typo",), (ORDER, "order-store.typo")), 0)
    lease = Lease(SHARD, None, checkpoint=str(FIRST + 9), created_at=EPOCH, mark=mark)

    line = run_line(
        partial(settled, last=FIRST + 49), shard=shard, lease=lease, beside={AUDIT: corrected}
    )
    assert sorted(stored(line.nakadi)) == [*range(FIRST + 30, FIRST + 50)]
    assert sorted(stored(corrected)) == [*range(FIRST + 10, FIRST + 50)]


def test_a_mark_says_of_which_event_types_it_is() -> None:
    shard, audit = written(20), down()

    async def main(line: Line) -> None:
        task = asyncio.create_task(line.run_consumer())
        await line.until(lambda: line.lease.ahead is not None, 60.0)
        assert line.lease.ahead is not None
        assert line.lease.ahead.event_types == (ORDER, AUDIT)
        line.consumer.revoke()
        await task

    run_line(main, shard=shard, limits=PROBE, beside={AUDIT: audit})


def command(action: Action, target: str, event_type: str | None = None, number: int = 1) -> Command:
    return Command(number, action, (SHARD,), target, EPOCH, "me", "t", event_type=event_type)


async def give(line: Line, given: Command) -> None:
    line.table.commands.setdefault(line.row.key, {})[given.number] = given
    line.consumer.notify_command(given.number)
    await line.until(lambda: line.lease.command_counter == given.number, 60.0)


def test_the_seek_of_an_event_type_publishes_to_it_again_and_to_no_other() -> None:
    shard, audit = written(100), NakadiTwin()

    async def main(line: Line) -> None:
        task = asyncio.create_task(line.run_consumer())
        await line.until(lambda: line.lease.checkpoint == str(FIRST + 99), 60.0)
        await give(line, command(Action.SEEK_EVENT_TYPE, str(FIRST + 39), AUDIT))
        assert line.lease.ahead == Ahead(FIRST + 99, (AUDIT,))
        shard.write_many(20, keys=20, start=FIRST + 100)
        await line.until(lambda: line.lease.checkpoint == str(FIRST + 119), 60.0)
        line.consumer.drain()
        await task

    line = run_line(main, shard=shard, beside={AUDIT: audit, PAYMENT: NakadiTwin()})
    assert sorted(stored(line.nakadi)) == [*range(FIRST, FIRST + 120)]
    expected = [*range(FIRST, FIRST + 100), *range(FIRST + 40, FIRST + 120)]
    assert sorted(stored(audit)) == sorted(expected)
    assert line.table.gaps == {}


def test_the_seek_of_an_event_type_leaves_the_gap_of_what_the_others_were_to_skip() -> None:
    shard, audit = ShardTwin(), NakadiTwin()
    shard.write_many(10, keys=2, created_at=EPOCH - 600)

    async def main(line: Line) -> None:
        skips = asyncio.create_task(give(line, command(Action.SEEK, LATEST)))
        await asyncio.sleep(0)  # it is obeyed before anything is read
        task = asyncio.create_task(line.run_consumer())
        await skips
        await line.until(lambda: line.lease.checkpoint == str(FIRST + 9), 60.0)
        await give(line, command(Action.SEEK_EVENT_TYPE, TRIM_HORIZON, AUDIT, number=2))
        await line.until(lambda: line.lease.checkpoint == str(FIRST + 9), 60.0)
        assert sorted(stored(audit)) == [*range(FIRST, FIRST + 10)]
        (gap,) = line.table.gaps[line.row.key].values()
        assert (gap.from_, gap.to) == (TRIM_HORIZON, None)
        shard.write(FIRST + 10, "k0", created_at=EPOCH + 60)
        await line.until(lambda: line.lease.checkpoint == str(FIRST + 10), 60.0)
        line.consumer.drain()
        await task

    line = run_line(main, shard=shard, beside={AUDIT: audit})
    assert stored(line.nakadi) == [FIRST + 10]
    (gap,) = line.table.gaps[line.row.key].values()
    assert (gap.from_, gap.to, gap.reason) == (TRIM_HORIZON, str(FIRST + 10), "seek")


def test_a_seek_of_all_clears_the_mark_of_one_that_is_down() -> None:
    shard, audit = written(100), down()

    async def main(line: Line) -> None:
        task = asyncio.create_task(line.run_consumer())
        await line.until(lambda: line.lease.ahead is not None and len(line.nakadi.stored) == 100)
        await give(line, command(Action.SEEK, TRIM_HORIZON))
        await line.until(lambda: len(line.nakadi.stored) == 200, 60.0)
        audit.script = None
        await line.until(lambda: line.lease.checkpoint == str(FIRST + 99), 120.0)
        line.consumer.drain()
        await task

    line = run_line(main, shard=shard, limits=PROBE, beside={AUDIT: audit})
    assert sorted(stored(line.nakadi)) == sorted([*range(FIRST, FIRST + 100)] * 2)
    assert sorted(stored(audit)) == [*range(FIRST, FIRST + 100)]


def test_a_pause_keeps_the_mark() -> None:
    shard, audit = written(100), down()

    async def main(line: Line) -> None:
        task = asyncio.create_task(line.run_consumer())
        await line.until(lambda: line.lease.ahead is not None and len(line.nakadi.stored) == 100)
        await asyncio.sleep(6.0)
        await give(line, replace(command(Action.PAUSE, ""), target=None))
        assert line.lease.ahead == Ahead(FIRST + 99, (AUDIT,))
        line.consumer.drain()
        await task
        assert line.lease.ahead == Ahead(FIRST + 99, (AUDIT,))

    run_line(main, shard=shard, limits=PROBE, beside={AUDIT: audit})


def test_what_is_trimmed_under_a_mark_is_lost_for_those_behind_only() -> None:
    shard = written(100)
    shard.trimmed = 60
    ahead = Ahead(FIRST + 79, (AUDIT,))
    lease = Lease(
        SHARD, None, checkpoint=str(FIRST + 9), created_at=EPOCH - 90_000, mark=Mark(ahead, 0)
    )
    audit = NakadiTwin()

    line = run_line(
        partial(settled, last=FIRST + 99), shard=shard, lease=lease, beside={AUDIT: audit}
    )
    (gap,) = line.table.gaps[line.row.key].values()
    assert (gap.from_, gap.to, gap.ahead) == (str(FIRST + 9), str(FIRST + 60), ahead)
    assert (gap.from_time, gap.to_time) == (EPOCH - 90_000 - 26 * 3600, EPOCH)
    assert sorted(stored(line.nakadi)) == [*range(FIRST + 80, FIRST + 100)]
    assert sorted(stored(audit)) == [*range(FIRST + 60, FIRST + 100)]


def test_a_hot_key_stops_the_shard_of_an_event_type_that_publishes_only() -> None:
    """Of one that is stopped, no key is hot: nothing of it is waited for."""
    shard = written(3000, keys=1)
    order, audit = NakadiTwin(delay=0.001), down()

    async def main(line: Line) -> None:
        task = asyncio.create_task(line.run_consumer())
        await line.until(lambda: len(audit.requests) == 1)
        await line.until(lambda: len(order.stored) == 3000, 600.0)
        assert line.backlog.outlets[AUDIT].queue.events == 3000
        line.consumer.drain()
        await task

    run_line(main, shard=shard, nakadi=order, limits=PROBE, beside={AUDIT: audit})
