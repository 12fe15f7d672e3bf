"""Records that cannot be read at all, where several routes read the stream."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.leases.lease import Lease
from consumer.core.leases.mark import Ahead, Mark
from consumer.core.limits import PublishLimits
from consumer.core.publishing.flow import FlowState
from consumer.core.routes.route import Route
from consumer.core.shard.shard_state import Outcome, ShardState
from tests.twins.line import FORMAT, SHARD, DeadLetterTwin, Line, run_line
from tests.twins.nakadi import NakadiTwin, Reply
from tests.twins.shard import FIRST, ShardTwin
from tests.twins.virtual_time import EPOCH

LIMITS = PublishLimits(dead_letter_limit=5)
BROKEN = b'{"eventID":"4711","dynamodb":{"SequenceNumber":"%d"}}'


def routes(*forms: Any, limits: PublishLimits = LIMITS) -> list[tuple[Route, NakadiTwin]]:
    names = ("order", "shipped")
    return [
        (Route(f"shop.{name}", form, limits, ("id",), name=name), NakadiTwin())
        for name, form in zip(names, forms, strict=False)
    ]


def shard(good: int, broken: int, then: int = 0) -> ShardTwin:
    made = ShardTwin()
    made.write_many(good, keys=good)
    first = FIRST + good
    made.records += [(first + i, BROKEN % (first + i)) for i in range(broken)]
    made.write_many(then, keys=then or 1, start=first + broken)
    return made


async def until_settled(line: Line, last: int, seconds: float = 3600.0) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(line.run_consumer())
        await line.until(lambda: line.lease.checkpoint == str(last), seconds)
        line.consumer.drain()


def test_each_is_one_letter_however_many_routes_there_are() -> None:
    queue = DeadLetterTwin()
    made = routes(FORMAT, FORMAT)
    run_line(
        lambda line: until_settled(line, FIRST + 5), shard=shard(2, 2, 2), queue=queue, routes=made
    )
    assert [letter.sequence for letter in queue.letters] == [FIRST + 2, FIRST + 3]
    for letter in queue.letters:
        assert (letter.route, letter.event_type, letter.rules) == ("", "", None)
        assert letter.record == BROKEN % (letter.sequence or 0)
    for _, nakadi in made:
        assert len(nakadi.stored) == 4


def test_no_mark_of_an_owner_with_other_routes_says_that_one_is_settled() -> None:
    queue = DeadLetterTwin()
    mark = Mark(Ahead(FIRST + 5, ("shop.shipped",)), 0)  # it went with that one, the first then
    lease = Lease(SHARD, None, checkpoint="TRIM_HORIZON", created_at=EPOCH, mark=mark)
    made = routes(FORMAT, FORMAT)
    run_line(
        lambda line: until_settled(line, FIRST + 5),
        shard=shard(2, 2, 2),
        queue=queue,
        routes=made,
        lease=lease,
    )
    assert [letter.sequence for letter in queue.letters] == [FIRST + 2, FIRST + 3]
    assert [len(nakadi.stored) for _, nakadi in made] == [0, 4]


def test_an_event_type_that_is_stopped_does_not_hold_them_up() -> None:
    queue = DeadLetterTwin()
    made = routes(FORMAT, FORMAT)
    made[0][1].script = lambda _: Reply(403)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(queue.letters) == 2, 60)
            line.consumer.drain()

    run_line(main, shard=shard(2, 2), queue=queue, routes=made)


def test_nothing_of_it_is_kept_where_a_route_hides_something_and_that_is_loud() -> None:
    hiding = replace(FORMAT, selection=Selection(exclude=(read_path("card"),)))
    queue = DeadLetterTwin(refuse=2)
    with capture_logs() as logs:
        run_line(
            lambda line: until_settled(line, FIRST + 1),
            shard=shard(1, 1),
            queue=queue,
            routes=routes(FORMAT, hiding),
        )
    (letter,) = queue.letters
    assert (letter.record, letter.truncated) == (None, ("record",))
    (told,) = [log for log in logs if log["event"] == "letter_without_record"]
    assert (told["log_level"], told["sequence"], told["route"]) == ("error", FIRST + 1, "")


def test_too_many_wait_and_stop_no_event_type() -> None:
    """They go on once records can be read again."""
    queue = DeadLetterTwin()
    made = routes(FORMAT, FORMAT)
    source = shard(10, 12, 10)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: all(len(nakadi.stored) == 20 for _, nakadi in made), 20)
            await line.until(lambda: len(queue.letters) == LIMITS.dead_letter_limit, 5)
            states = {each.flow.state for each in line.publishing.event_types}
            assert states == {FlowState.PUBLISHING}
            await asyncio.sleep(100)
            assert line.lease.checkpoint == str(FIRST + 14)
            assert len(queue.letters) == LIMITS.dead_letter_limit
            source.write(FIRST + 40, "new")
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 40), 600)
            line.consumer.drain()

    with capture_logs() as logs:
        run_line(main, shard=source, queue=queue, routes=made)
    assert [letter.sequence for letter in queue.letters] == [FIRST + 10 + i for i in range(12)]
    told = [log for log in logs if "unreadable_records_wait" in log.values()]
    assert told[0]["event"] == "unreadable_records_wait"
    assert told[0]["limit"] == LIMITS.dead_letter_limit
    assert "condition_over" in {log["event"] for log in told}
    assert "event_type_stopped" not in {log["event"] for log in logs}


def test_what_was_read_before_the_stop_is_no_sign_that_records_can_be_read() -> None:
    """It is stored later only because Nakadi was slow."""
    queue = DeadLetterTwin()
    made = routes(FORMAT, FORMAT)
    for _, nakadi in made:
        nakadi.script = lambda _: Reply(delay=70.0)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: all(len(nakadi.stored) == 10 for _, nakadi in made), 90)
            await asyncio.sleep(100)
            assert len(queue.letters) == LIMITS.dead_letter_limit
            line.consumer.drain()

    run_line(main, shard=shard(10, 12), queue=queue, routes=made)


def test_without_a_sign_of_life_they_go_on_slowly() -> None:
    queue = DeadLetterTwin()
    limits = replace(LIMITS, probe=10.0)
    run_line(
        lambda line: until_settled(line, FIRST + 11),
        shard=shard(0, 12),
        queue=queue,
        routes=routes(FORMAT, FORMAT, limits=limits),
    )
    assert len(queue.letters) == 12


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("leave", ["drain", "shed"])
def test_no_drain_and_no_shedding_waits_for_those_that_wait(leave: str, count: int) -> None:
    """What was published behind them is in the mark; `/status` names the oldest of them."""
    queue = DeadLetterTwin()
    made = routes(*[FORMAT] * count)

    async def main(line: Line) -> None:
        task = asyncio.create_task(line.run_consumer())
        await line.until(lambda: all(len(nakadi.stored) == 20 for _, nakadi in made), 20)
        await line.until(lambda: len(queue.letters) == LIMITS.dead_letter_limit, 5)
        await asyncio.sleep(40)
        assert (line.view.behind, line.view.unread_at) == ((), FIRST + 15)
        began = line.clock.now()
        getattr(line.consumer, leave)()
        assert await task is Outcome.RELEASED
        assert line.clock.now() - began < 2.0
        assert line.lease.checkpoint == str(FIRST + 14)
        line.outcome, line.consumer = None, line.new_consumer("other")
        task = asyncio.create_task(line.run_consumer())
        source.write(FIRST + 40, "new")
        await line.until(lambda: line.lease.checkpoint == str(FIRST + 40), 900)
        line.consumer.drain()
        await task

    source = shard(10, 12, 10)
    run_line(main, shard=source, queue=queue, routes=made)
    assert {letter.sequence for letter in queue.letters} == {FIRST + 10 + i for i in range(12)}
    assert len(queue.letters) == 12
    if count == 2:
        assert len(made[1][1].stored) == 21  # nothing again


def test_a_drain_waits_for_a_letter_under_way_and_for_what_is_published() -> None:
    queue = DeadLetterTwin(delay=3.0)
    made = routes(FORMAT, FORMAT)
    for _, nakadi in made:
        nakadi.delay = 1.0

    async def main(line: Line) -> None:
        task = asyncio.create_task(line.run_consumer())
        await line.until(lambda: len(made[0][1].requests) == 2, 20)
        line.consumer.drain()
        assert await task is Outcome.RELEASED
        assert line.lease.checkpoint == str(FIRST + 24)

    run_line(main, shard=shard(10, 5, 10), queue=queue, routes=made)
    assert len(queue.letters) == 5


def test_a_shard_that_ends_names_the_record_it_waits_for_and_no_event_type() -> None:
    source = shard(10, 12, 10)
    source.closed = True

    async def main(line: Line) -> None:
        task = asyncio.create_task(line.run_consumer())
        await asyncio.sleep(60)
        view = line.view
        assert (view.state, view.suspended_cause) == (ShardState.FINISHING, "settling")
        assert (view.behind, view.unread_at) == ((), FIRST + 15)
        line.consumer.drain()
        await task

    run_line(main, shard=source, queue=DeadLetterTwin(), routes=routes(FORMAT, FORMAT))


@pytest.mark.parametrize("limit", [0, 5])
def test_without_routes_the_limit_of_the_event_type_counts_them(limit: int) -> None:
    queue = DeadLetterTwin()

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await asyncio.sleep(20)
            stopped = line.event_type.flow.state is FlowState.STOPPED
            assert (stopped, len(queue.letters)) == ((True, 5) if limit else (False, 12))
            line.consumer.drain()

    limits = PublishLimits(dead_letter_limit=limit)
    single = Route("order-store.order", FORMAT, limits, ("id",), single=True)
    run_line(main, shard=shard(0, 12), queue=queue, routes=[(single, NakadiTwin())])
    assert {letter.event_type for letter in queue.letters} == {"order-store.order"}
