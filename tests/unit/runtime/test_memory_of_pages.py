"""The budget holds whatever pages become, and no shard waits for ever: real readers on twins."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import orjson
import pytest
from msgspec.structs import replace

from consumer.core.backlog.budget import MIB, RESERVATION
from consumer.core.event.items import shapes
from consumer.core.event.items.item_shape import Shape, shape_of
from consumer.core.event.items.plain_gaps import Split
from consumer.core.event.selection.selector import Selector
from consumer.core.leases.checkpoint import SHARD_END
from consumer.core.leases.lease import Lease
from consumer.core.shard.shard_state import Outcome
from consumer.errors import ExpiredIterator
from consumer.observability.metrics import Metrics
from consumer.runtime.publishing.backlog import Backlog
from consumer.runtime.shard.page_reservations import EVENTS_ROOM, PageReservations
from tests.twins.line import SHARD, DeadLetterTwin, Line, run_line
from tests.twins.nakadi import NakadiTwin, Reply, key_of, sequence_of
from tests.twins.shard import FIRST, ShardTwin, record
from tests.twins.virtual_time import EPOCH

SMALLEST = 16 * MIB
LEAVES = 190
LONG = "n" * 5000


def amplified(sequence: int, key: str) -> bytes:
    """A record of 16 KB whose event has 960 KB: its patch names a long name 190 times."""
    text = orjson.loads(record(sequence, key))
    for image, digit in (("OldImage", "1"), ("NewImage", "2")):
        leaves = {f"l{number}": {"N": digit} for number in range(LEAVES)}
        text["dynamodb"][image][LONG] = {"M": leaves}
    encoded: bytes = orjson.dumps(text)
    return encoded


def amplifying(records: int, *, shard: int = 0, keys: int = 1000) -> ShardTwin:
    """A closed shard with a page of records that become far larger events."""
    twin = ShardTwin(closed=True, page_records=1000, shard_id=f"shardId-{shard:020}-aaaaaaaa")
    for number in range(records):
        sequence = FIRST + 1000 * shard + number
        twin.records.append((sequence, amplified(sequence, f"{shard}-{number % keys}")))
    return twin


async def run_all(line: Line, shards: list[ShardTwin]) -> None:
    """Read all shards to their ends with one backlog."""

    async def run(shard: ShardTwin) -> None:
        lease = Lease(shard.shard_id, None, created_at=EPOCH)
        line.table.of(line.row.key)[shard.shard_id] = lease
        factory = replace(line.shards, client=shard)
        assert await factory(line.row, lease, line.fence.epoch).run() is Outcome.SHARD_END

    async with asyncio.TaskGroup() as tasks:
        for shard in shards:
            tasks.create_task(run(shard))


def watched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the budget holds, whenever a page's account or a queue has changed."""
    seen: list[int] = []
    for name in ("queued", "begin"):
        original: Callable[..., object] = getattr(PageReservations, name)

        def changed(
            self: PageReservations, size: int, original: Callable[..., object] = original
        ) -> object:
            result = original(self, size)
            seen.append(self._backlog.budget.used)
            return result

        monkeypatch.setattr(PageReservations, name, changed)
    return seen


def test_five_shards_whose_events_are_larger_than_their_page_keep_to_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = watched(monkeypatch)
    shards = [amplifying(25, shard=number) for number in range(5)]
    nakadi = NakadiTwin(script=lambda _: Reply(503))

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(run_all(line, shards))
            await asyncio.sleep(60)
            stood = line.backlog.budget.used
            await asyncio.sleep(60)
            assert line.backlog.budget.used == stood > 10 * MIB
            nakadi.script = None

    line = run_line(main, nakadi=nakadi, memory=SMALLEST)
    assert max(seen) <= SMALLEST
    stored = [sequence_of(body) for body in nakadi.stored]
    assert sorted(stored) == sorted(sequence for shard in shards for sequence, _ in shard.records)
    assert line.backlog.budget.used == 0


def test_a_page_is_read_again_no_more_often_than_it_takes_to_fill_the_memory() -> None:
    shard = amplifying(40)

    async def main(line: Line) -> None:
        await run_all(line, [shard])

    run_line(main, memory=SMALLEST)
    assert 3 < shard.calls <= 40 * MIB // (EVENTS_ROOM - MIB)


def test_events_of_one_key_stay_in_order_where_the_page_is_read_again() -> None:
    shard = amplifying(30, keys=2)
    shard.page_records = 10
    nakadi = NakadiTwin()

    async def main(line: Line) -> None:
        await run_all(line, [shard])

    run_line(main, nakadi=nakadi, memory=RESERVATION)
    for key in ("0-0", "0-1"):
        order = [sequence_of(body) for body in nakadi.stored if key_of(body) == key]
        assert order == sorted(order)
        assert len(order) == 15


def reading(do: Callable[[Line], Awaitable[None]]) -> tuple[Line, ShardTwin]:
    """Have a shard wait for memory in the middle of its only page, then `do` something."""
    shard = amplifying(60)
    shard.shard_id = SHARD
    nakadi = NakadiTwin(delay=3.0)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.view.suspended_cause == "budget")
            assert line.view.pending_events > 0
            await do(line)

    return run_line(main, shard=shard, nakadi=nakadi, memory=SMALLEST), shard


def test_a_drain_does_not_wait_for_memory() -> None:
    async def drain(line: Line) -> None:
        started = line.clock.now()
        line.consumer.drain()
        await line.until(lambda: line.outcome is Outcome.RELEASED)
        assert line.clock.now() - started < 10

    line, _ = reading(drain)
    stored = len(line.nakadi.stored)
    assert 0 < stored < 60
    assert line.lease.checkpoint == str(FIRST + stored - 1)
    assert line.backlog.budget.used == 0


def test_a_lost_shard_gives_its_memory_back_while_it_waits_for_more() -> None:
    async def revoke(line: Line) -> None:
        line.consumer.revoke()
        await line.until(lambda: line.outcome is Outcome.LOST)
        in_flight = line.event_type.limits.concurrency * 966_000
        assert 0 < line.backlog.budget.used <= in_flight
        await line.until(lambda: not line.backlog.budget.used)

    reading(revoke)


def test_reading_goes_on_as_events_are_settled() -> None:
    async def flow(line: Line) -> None:
        await line.until(lambda: line.outcome is not None)

    line, shard = reading(flow)
    assert line.outcome is Outcome.SHARD_END
    assert line.lease.checkpoint == SHARD_END
    assert sorted(map(sequence_of, line.nakadi.stored)) == [number for number, _ in shard.records]


def test_long_bodies_exceed_the_budget_by_what_one_of_them_needs_beyond_a_reservation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = watched(monkeypatch)
    shards = []
    for number in range(3):
        shard = ShardTwin(closed=True, page_records=1000, shard_id=f"shardId-{number:020}-aaaaaaaa")
        shard.write_many(20, keys=20, start=FIRST + 1000 * number, size=150_000)
        shards.append(shard)
    body = sum(len(text) for _, text in shards[0].records) + 100
    assert RESERVATION < body < 2 * RESERVATION
    nakadi = NakadiTwin(delay=1.0)

    async def main(line: Line) -> None:
        await run_all(line, shards)

    run_line(main, nakadi=nakadi, memory=2 * RESERVATION)
    assert 2 * RESERVATION < max(seen) <= RESERVATION + body + EVENTS_ROOM
    assert len(nakadi.stored) == 60


def test_records_of_which_no_event_can_be_made_keep_to_the_budget_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are kept as read, with the event that is too large: seven times as long as the item."""
    seen = watched(monkeypatch)
    shards = []
    for number in range(4):
        shard = ShardTwin(closed=True, page_records=1, shard_id=f"shardId-{number:020}-aaaaaaaa")
        for sequence in range(FIRST + 1000 * number, FIRST + 1000 * number + 3):
            text = record(sequence, f"k{sequence}", size=300_000)
            shard.records.append((sequence, text.replace(b"x" * 300_000, b"\\u0001" * 300_000)))
        shards.append(shard)
    queue = DeadLetterTwin(delay=5.0)

    async def main(line: Line) -> None:
        await run_all(line, shards)

    run_line(main, queue=queue, memory=SMALLEST)
    assert len(queue.letters) == 12
    assert max(seen) <= SMALLEST + 4 * MIB + 6 * MIB - RESERVATION


def test_two_hundred_shards_with_room_for_a_few_pages_all_make_progress_alike() -> None:
    shards = []
    for number in range(200):
        shard = ShardTwin(page_records=10, shard_id=f"shardId-{number:020}-aaaaaaaa", delay=0.05)
        shard.write_many(30, keys=30, start=FIRST + 1000 * number)
        shards.append(shard)
    nakadi = NakadiTwin()
    behind: list[int] = []

    async def main(line: Line) -> None:
        done = asyncio.create_task(run_all(line, shards))
        while len(nakadi.stored) < 200 * 30:
            await asyncio.sleep(0.05)
            calls = [shard.calls for shard in shards]
            behind.append(max(calls) - min(calls))
            assert line.backlog.budget.used <= SMALLEST
        done.cancel()

    run_line(main, nakadi=nakadi, memory=SMALLEST)
    assert max(behind) <= 2


def test_a_shape_of_items_is_remembered_once_for_all_shards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learn, learned = shape_of, list[Split]()

    def learning(item: Split, selector: Selector | None) -> Shape | None:
        learned.append(item)
        return learn(item, selector)

    monkeypatch.setattr(shapes, "shape_of", learning)
    shards = []
    for number in range(4):
        shard = ShardTwin(closed=True, shard_id=f"shardId-{number:020}-aaaaaaaa")
        shard.write_many(80, keys=80, start=FIRST + 1000 * number)
        shards.append(shard)

    async def main(line: Line) -> None:
        await run_all(line, shards)

    assert len(run_line(main).nakadi.stored) == 320
    assert len(learned) == 1


def test_an_iterator_that_expires_ahead_of_a_page_is_opened_again_behind_that_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The page is still being taken in, slice by slice, when the one ahead of it fails."""
    monkeypatch.setattr("consumer.runtime.shard.intake.SLICE", 1)
    shard = ShardTwin(closed=True, page_records=1000, delay=0.0)
    shard.write_many(1500, keys=1500)
    shard.errors.extend([None, ExpiredIterator("older than 15 minutes")])

    async def main(line: Line) -> None:
        assert await line.run_consumer() is Outcome.SHARD_END

    line = run_line(main, shard=shard)
    assert len(line.nakadi.stored) == 1500


def test_nobody_holds_a_page_while_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a reservation holds queued events only, which settle without it."""
    reserve = Backlog.reserve
    waited: list[int] = []

    async def reserving(self: Backlog, member: str, size: int) -> None:
        queued = sum(outlet.queue.bytes for outlet in self.outlets.values())
        waited.append(self.budget.used - queued)
        await reserve(self, member, size)

    monkeypatch.setattr(Backlog, "reserve", reserving)
    shard = amplifying(30)

    async def main(line: Line) -> None:
        await run_all(line, [shard])

    run_line(main, memory=RESERVATION)
    assert len(waited) > 3
    assert set(waited) == {0}


async def test_whoever_waited_behind_one_that_needs_more_is_served_when_that_one_leaves() -> None:
    backlog = Backlog(SMALLEST, Metrics())
    for member in "abc":
        backlog.budget.join(member)
    await backlog.reserve("a", RESERVATION)
    backlog.budget.adjust("b", 1)  # an event is pending, so it cannot have the spare page
    backlog.budget.adjust("c", 1)

    async def give_up() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await backlog.reserve("b", SMALLEST)

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(give_up())
        tasks.create_task(backlog.reserve("c", RESERVATION))
    assert backlog.budget.used == 2 * RESERVATION + 2
    assert not backlog.budget.waiting
