"""A snapshot by one or several processes, in virtual time, with kills and lost answers."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import AsyncMock

import pytest
from msgspec import Raw, json
from msgspec.structs import replace

from consumer.core.publishing.early_end import CALLED_OFF
from consumer.core.republish.item_event import Refusal
from consumer.core.republish.outcome import Outcome
from consumer.core.republish.snapshot import Counts, Mode, Snapshot, Terms, total
from consumer.core.republish.table.read_item import Busy, ReadItem
from consumer.core.republish.table.table_answer import TableAnswer
from consumer.errors import Misconfigured, Retryable, TableNotFound, Unreachable
from consumer.runtime.republish.patient_store import PatientStore
from consumer.runtime.republish.publishing import RepublishEnded
from consumer.runtime.republish.snapshot_run import (
    SnapshotParts,
    SnapshotProgress,
    SnapshotRun,
)
from tests.twins.lease_table import Fault
from tests.twins.snapshot_store import SnapshotRows, SnapshotStoreTwin
from tests.twins.virtual_time import HalfChance, VirtualClock, run

if TYPE_CHECKING:
    from consumer.core.republish.item_filter import ItemFilter

LEASE = 10.0
PAGE = 5
TERMS = Terms(4, None, ("a.b",), "f1", "2026-11-01T09:30:00.000", Mode.ONCE)
SNAPSHOT = Snapshot("orders", "first", "run-1", TERMS, 1.5)


def key_of(number: int) -> Raw:
    return Raw(json.encode({"pk": {"N": str(number)}}))


@dataclass
class World:
    """A table of `items` in order; item n is in segment n modulo the number of segments."""

    items: int = 100
    rows: SnapshotRows = field(default_factory=SnapshotRows)
    published: Counter[bytes] = field(default_factory=Counter)
    in_flight: set[bytes] = field(default_factory=set)
    reads: int = 0
    failing: Retryable | TableNotFound | None = None


class Pages:
    """A Scan. What it has read counts as in flight until it is published."""

    def __init__(self, world: World, seconds: float) -> None:
        self._world = world
        self._seconds = seconds

    async def page(self, segment: int, segments: int, after: Raw | None) -> TableAnswer:
        await asyncio.sleep(self._seconds)
        if self._world.failing is not None:
            raise self._world.failing
        self._world.reads += 1
        begin = segment
        if after is not None:
            begin = int(json.decode(after)["pk"]["N"]) + segments
        numbers = range(begin, self._world.items, segments)[:PAGE]
        last = numbers[-1] if len(numbers) == PAGE else None
        items = tuple(ReadItem(key_of(n), Raw(b"{}"), 1.5) for n in numbers)
        return TableAnswer(items, 1.0, after=None if last is None else key_of(last))


class Publishing:
    """Publishes; `refuses` are the numbers of items that are refused, `untaken` of no route."""

    def __init__(self, world: World, seconds: float) -> None:
        self._world = world
        self._seconds = seconds
        self.refuses: set[bytes] = set()
        self.untaken: set[bytes] = set()
        self.ends_at: int | None = None
        self.stopped = False
        self.running = 0
        self.calls = 0

    async def publish(self, items: Sequence[ReadItem]) -> list[Outcome]:
        self.running += 1
        self.calls += 1
        assert self.running == 1, "one page at a time"
        try:
            await asyncio.sleep(self._seconds)
        finally:
            self.running -= 1
        if self.stopped:
            raise RepublishEnded(CALLED_OFF, [])
        if self.ends_at is not None and self._world.published.total() >= self.ends_at:
            raise RepublishEnded("a.b: no progress", [])
        outcomes = []
        for item in items:
            key = bytes(item.keys)
            refusal = (Refusal("a.b", "validation", "x"),) if key in self.refuses else ()
            stored = int(key not in self.refuses | self.untaken)
            outcomes.append(Outcome(item.keys, stored, refusal))
            self._world.published[key] += 1
        return outcomes

    def stop(self) -> None:
        self.stopped = True


class Process:
    def __init__(self, world: World, me: str, read: float = 0.01, publish: float = 0.05) -> None:
        self.twin = SnapshotStoreTwin(world.rows)
        self.publishing = Publishing(world, publish)
        self.refused: list[tuple[Raw, Refusal]] = []
        self.progress: list[SnapshotProgress] = []
        clock, chance = VirtualClock(), HalfChance()
        self.parts = SnapshotParts(
            PatientStore(self.twin, clock, chance),
            Pages(world, read),
            self.publishing,
            clock,
            chance,
            lambda keys, refusal: self.refused.append((keys, refusal)),
            self.progress.append,
        )
        self.me = me

    def made(self, snapshot: Snapshot = SNAPSHOT) -> SnapshotRun:
        return SnapshotRun(snapshot, self.parts, self.me, LEASE)


def begun(world: World, snapshot: Snapshot = SNAPSHOT) -> World:
    world.rows.snapshots[snapshot.key] = snapshot
    return world


def everything(world: World) -> set[bytes]:
    return {bytes(key_of(number)) for number in range(world.items)}


def test_one_process_publishes_all_and_writes_the_end() -> None:
    world = begun(World())
    process = Process(world, "a")
    ended = run(lambda: process.made().run())
    assert set(world.published) == everything(world)
    assert set(world.published.values()) == {1}
    assert ended is not None
    assert ended.ended_at is not None
    assert ended.counts == Counts(100, 0, 100, 0)
    assert world.rows.snapshots[SNAPSHOT.key] == ended
    assert process.progress[-1] == SnapshotProgress(Counts(100, 0, 100, 0), 4, 4)


def test_two_processes_share_it_and_both_see_the_end() -> None:
    world = begun(World(400), snapshot := replace(SNAPSHOT, terms=replace(TERMS, segments=16)))
    processes = [Process(world, "a"), Process(world, "b")]

    async def main() -> list[Snapshot | None]:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(each.made(snapshot).run()) for each in processes]
        return [each.result() for each in running]

    ended = run(main)
    assert ended[0] == ended[1] == world.rows.snapshots[snapshot.key]
    assert world.published == Counter(dict.fromkeys(everything(world), 1))


def test_refused_and_untaken_are_counted_and_told_before_the_key_moves() -> None:
    world = begun(World(20))
    process = Process(world, "a")
    process.publishing.refuses = {bytes(key_of(3))}
    process.publishing.untaken = {bytes(key_of(4)), bytes(key_of(5))}
    told_at: list[int] = []

    def refused(keys: Raw, refusal: Refusal) -> None:
        told_at.append(total(SNAPSHOT, world.rows.of(SNAPSHOT).values()).refused)
        process.refused.append((keys, refusal))

    process.parts = replace(process.parts, refused=refused)
    ended = run(lambda: process.made().run())
    assert ended is not None
    assert ended.counts == Counts(20, 2, 17, 1)
    assert process.refused == [(key_of(3), Refusal("a.b", "validation", "x"))]
    assert told_at == [0]


def test_who_is_killed_is_taken_over_and_at_most_its_pages_are_repeated() -> None:
    world = begun(World(400))
    victim, heir = Process(world, "a"), Process(world, "b")

    async def main() -> float:
        loop = asyncio.get_running_loop()
        dying = loop.create_task(victim.made().run())
        await asyncio.sleep(1.0)
        dying.cancel()
        began = loop.time()
        await heir.made().run()
        return loop.time() - began

    seconds = run(main)
    assert set(world.published) == everything(world)
    repeated = [key for key, times in world.published.items() if times > 1]
    assert len(repeated) <= 4 * PAGE
    assert seconds > LEASE


def test_who_waits_long_for_nakadi_is_not_taken_over() -> None:
    world = begun(World(20))
    slow = Process(world, "a", publish=4 * LEASE)
    other = Process(world, "b")

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(slow.made().run())
            await asyncio.sleep(0.1)
            tasks.create_task(other.made().run())

    run(main)
    assert set(world.published.values()) == {1}


def test_who_cannot_write_loses_its_segments_and_publishes_no_more_of_them() -> None:
    world = begun(World(400))
    cut, other = Process(world, "a", publish=0.5), Process(world, "b")

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cut.made().run())
            await asyncio.sleep(2.0)
            cut.twin.cut = True
            tasks.create_task(other.made().run())
            await asyncio.sleep(3 * LEASE)
            cut.twin.cut = False

    run(main)
    assert set(world.published) == everything(world)
    assert sum(times - 1 for times in world.published.values()) <= 4 * PAGE


def test_a_page_that_waits_for_its_turn_is_not_published_once_its_segment_is_lost() -> None:
    world = begun(World(20))
    cut, other = Process(world, "a", publish=1.2 * LEASE), Process(world, "b")

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cut.made().run())
            await asyncio.sleep(1.0)
            cut.twin.cut = True
            tasks.create_task(other.made().run())
            await asyncio.sleep(1.3 * LEASE)
            cut.twin.cut = False

    run(main)
    assert set(world.published) == everything(world)
    assert cut.publishing.calls == 2  # of four pages


def test_called_off_it_releases_its_segments_at_once() -> None:
    world = begun(World(400))
    first, second = Process(world, "a"), Process(world, "b")

    async def main() -> tuple[Snapshot | None, str | None, float]:
        made = first.made()
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(made.run())
            await asyncio.sleep(1.0)
            made.stop()
        began = asyncio.get_running_loop().time()
        assert [row.owner for row in world.rows.of(SNAPSHOT).values()] == [None] * 4
        await second.made().run()
        return running.result(), made.ending, asyncio.get_running_loop().time() - began

    ended, ending, seconds = run(main)
    assert (ended, ending) == (None, CALLED_OFF)
    assert seconds < LEASE
    assert set(world.published) == everything(world)


def test_it_ends_when_nothing_more_can_be_published() -> None:
    world = begun(World(400))
    process = Process(world, "a")
    process.publishing.ends_at = 50
    made = process.made()
    assert run(made.run) is None
    assert made.ending == "a.b: no progress"
    assert [row.owner for row in world.rows.of(SNAPSHOT).values()] == [None] * 4
    assert world.rows.snapshots[SNAPSHOT.key].ended_at is None


@pytest.mark.parametrize(
    ("failing", "kind"),
    [(Retryable("Scan: reset"), Unreachable), (TableNotFound("no table"), Misconfigured)],
)
def test_a_table_that_cannot_be_read_ends_it(
    failing: Retryable | TableNotFound, kind: type[Exception]
) -> None:
    world = begun(World(failing=failing))
    with pytest.raises(ExceptionGroup) as raised:
        run(lambda: Process(world, "a").made().run())
    assert raised.group_contains(kind)


def test_a_lease_table_that_is_denied_ends_it_at_once() -> None:
    world = begun(World(400))
    process = Process(world, "a", publish=1.0)
    denied = Retryable("UpdateItem: AccessDenied", "access_denied")

    async def main() -> None:
        with pytest.raises(ExceptionGroup) as raised:
            await process.made().run()
        assert raised.group_contains(Unreachable, match="AccessDenied")
        assert asyncio.get_running_loop().time() < 5.0

    process.twin.write_segment = AsyncMock(side_effect=denied)  # type: ignore[method-assign]
    run(main)


def test_a_lease_table_that_does_not_answer_ends_it_after_minutes() -> None:
    world = begun(World(400))
    process = Process(world, "a", publish=1.0)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(3.0, setattr, process.twin, "cut", True)
        with pytest.raises(ExceptionGroup) as raised:
            await process.made().run()
        assert raised.group_contains(Unreachable)
        assert 300.0 < loop.time() < 330.0

    run(main)


class Odd:
    def takes(self, item: ReadItem) -> bool:
        return int(json.decode(item.keys)["pk"]["N"]) % 2 == 1


def test_what_the_filter_leaves_out_is_read_and_not_published() -> None:
    world = begun(World(20))
    process = Process(world, "a")
    process.parts = replace(process.parts, filter=cast("ItemFilter", Odd()))
    ended = run(lambda: process.made().run())
    assert ended is not None
    assert ended.counts == Counts(20, 10, 10, 0)
    assert set(world.published) == {bytes(key_of(n)) for n in range(1, 20, 2)}


class Twice:
    """Of two reads: item 7 is another one each time, item 8 is gone."""

    async def confirm(self, first: Sequence[ReadItem]) -> list[ReadItem | Busy]:
        await asyncio.sleep(4.0)
        return [self._confirmed(item) for item in first]

    def _confirmed(self, item: ReadItem) -> ReadItem | Busy:
        if item.keys == key_of(7):
            return Busy(item.keys, 5)
        return replace(item, item=None if item.keys == key_of(8) else item.item, twice=True)


def test_what_is_busy_is_refused_and_the_rest_is_published() -> None:
    snapshot = replace(SNAPSHOT, terms=replace(TERMS, mode=Mode.TWICE))
    world = begun(World(20), snapshot)
    process = Process(world, "a")
    process.parts = replace(process.parts, confirmation=Twice())
    ended = run(lambda: process.made(snapshot).run())
    assert ended is not None
    assert ended.counts == Counts(20, 0, 19, 1)
    assert process.refused == [(key_of(7), Refusal("", "busy", "read 5 times"))]
    assert set(world.published) == everything(world) - {bytes(key_of(7))}


@pytest.mark.parametrize("seed", range(30))
def test_whatever_happens_nothing_is_skipped(seed: int) -> None:
    """Processes are killed and begun, answers of the lease table are lost, late or missing."""
    draw = random.Random(seed)
    segments = draw.choice([1, 4, 10])
    snapshot = replace(SNAPSHOT, terms=replace(TERMS, segments=segments))
    world = begun(World(draw.randrange(300)), snapshot)

    def one(name: str) -> Process:
        process = Process(world, name, draw.random() * 0.2, draw.random() * 0.3)
        faults: list[Any] = [None] * 8 + [*Fault]
        faults.remove(Fault.REFUSED)
        process.twin.faults.extend(draw.choice(faults) for _ in range(200))
        return process

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for kill in range(4):
            victims = [loop.create_task(one(f"{kill}-{n}").made(snapshot).run()) for n in range(2)]
            await asyncio.sleep(draw.random() * 15)
            for each in victims:
                each.cancel()
        last = [loop.create_task(one(f"last-{n}").made(snapshot).run()) for n in range(2)]
        for each in last:
            await each

    run(main)
    assert set(world.published) == everything(world)
    ended = world.rows.snapshots[snapshot.key]
    assert ended.ended_at is not None
    assert ended.counts.items == world.items
