"""A partition that is down: its events travel apart, everything else at full speed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from consumer.core.lasting import REMIND_SECONDS
from consumer.core.limits import PublishLimits
from consumer.core.publishing.flow import DEAD_LETTER_LIMIT, FlowState
from consumer.core.publishing.lanes import LANE_SLOTS
from consumer.core.publishing.partition import HashRule
from consumer.core.publishing.placement import Partitioning
from tests.twins.line import Line, run_line
from tests.twins.nakadi import NakadiTwin, Reply, Request, key_of
from tests.twins.shard import FIRST, ShardTwin

NAMES = ("0", "1", "2", "3")
RULE = HashRule.of(["id"], NAMES)
KNOWN = Partitioning(("id",), NAMES)
HELD = 30.0


@cache  # asked of every stored event at each look
def partition_of(body: bytes) -> str:
    return RULE.partition(body) or ""


@dataclass
class Store:
    """Nakadi's store: some partitions are `down`, others take `limit` bytes of a request at most.

    Answers about a partition that takes nothing are `held`; `lost`: they do not come in time.
    """

    down: set[str] = field(default_factory=set)
    limit: int = 1 << 30
    held: float = HELD
    lost: bool = False
    status: int = 200

    def __call__(self, bodies: list[bytes]) -> Reply:
        if self.status != 200:
            return Reply(self.status)
        sizes = dict.fromkeys(NAMES, 0)
        for body in bodies:
            sizes[partition_of(body)] += len(body)
        bad = {name for name, size in sizes.items() if size > self.limit or name in self.down}
        places = [partition_of(body) for body in bodies]
        if not bad & set(places):
            return Reply()
        stored = [i for i, place in enumerate(places) if place not in bad]
        if self.lost and not stored:
            return Reply(0, delay=40.0, stores=(), reason="timeout")
        items = [("failed" if place in bad else "submitted", "publishing") for place in places]
        return Reply(207, items, delay=self.held, partitions=places)


def through_lane(requests: list[Request], name: str) -> list[Request]:
    """Requests that carried events of this partition and no others."""
    return [
        request for request in requests if {partition_of(body) for body in request.bodies} == {name}
    ]


def stored_but(line: Line, name: str) -> int:
    return sum(partition_of(body) != name for body in line.nakadi.stored)


@cache
def spread(count: int) -> dict[str, int]:
    """How many of the keys k0, k1, … go to each partition."""
    found = dict.fromkeys(NAMES, 0)
    for number in range(count):
        found[partition_of(b'{"data":{"id":"k%d"}}' % number)] += 1
    return found


def run_store(
    store: Store,
    main: Callable[[Line], Awaitable[None]],
    *,
    keys: int = 200,
    events: int = 2_000,
    size: int = 0,
    partitioning: Partitioning | None = KNOWN,
    limits: PublishLimits | None = None,
) -> Line:
    """`main` runs beside the consumer, which is drained when it has come to its end."""
    shard = ShardTwin(page_records=500)
    shard.write_many(events, keys=keys, size=size)

    async def beside(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await main(line)
            line.consumer.drain()

    return run_line(
        beside,
        shard=shard,
        nakadi=NakadiTwin(script=store),
        partitioning=partitioning,
        limits=limits,
    )


def state(line: Line) -> tuple[FlowState, str | None]:
    status = line.event_type.status
    return FlowState(status.state), status.reason


def in_order(line: Line, keys: int, events: int) -> bool:
    return all(
        line.nakadi.sequences(f"k{key}") == [FIRST + n for n in range(key, events, keys)]
        for key in range(keys)
    )


def one_at_a_time(requests: list[Request]) -> bool:
    """Does no key travel in two requests at once?"""
    spans: dict[str, list[tuple[float, float]]] = {}
    for request in requests:
        for body in request.bodies:
            spans.setdefault(key_of(body), []).append((request.started, request.ended or 1e9))
    return all(a[1] <= b[0] for each in spans.values() for a, b in pairwise(sorted(each)))


@pytest.mark.parametrize("known", [KNOWN, Partitioning(("id",)), Partitioning()])
def test_a_partition_that_is_down_holds_up_nobody_else(known: Partitioning) -> None:
    store = Store(down={"3"})

    async def main(line: Line) -> None:
        healthy = 2_000 - 10 * spread(200)["3"]
        await line.until(lambda: stored_but(line, "3") == healthy, HELD + 5)
        assert state(line) == (FlowState.BACKING_OFF, "partition 3")
        since = asyncio.get_running_loop().time()
        round_trip = line.event_type.round_trip
        await asyncio.sleep(600)
        assert line.event_type.round_trip == round_trip  # that of the others
        late = [request for request in line.nakadi.requests if request.started > since]
        assert through_lane(late, "3") == late
        assert len(late) >= 10
        store.down.clear()
        await line.until(lambda: len(line.nakadi.stored) == 2_000, 120)
        await line.until(lambda: not line.event_type.lanes, 120)
        assert state(line) == (FlowState.PUBLISHING, None)

    with capture_logs() as logs:
        line = run_store(store, main, partitioning=known)
    assert in_order(line, 200, 2_000)
    assert one_at_a_time(line.nakadi.requests)
    told = [(entry["event"], entry["partition"]) for entry in logs if "partition" in entry]
    assert told == [*[("partition_backs_off", "3")] * 2, ("partition_resumed", "3")]
    lasts = [entry.get("lasts_seconds", 0.0) for entry in logs if "partition" in entry]
    assert lasts[0] == 0.0
    assert REMIND_SECONDS <= lasts[1] < 600 < lasts[2]


@pytest.mark.parametrize("known", [KNOWN, Partitioning(("id",))])
def test_after_the_first_answers_no_request_mixes_partitions(known: Partitioning) -> None:
    """Also of keys that nobody has met before."""

    async def main(line: Line) -> None:
        await line.until(lambda: stored_but(line, "3") == 800 - spread(800)["3"], 2 * HELD)

    limits = PublishLimits(batch_events=50)
    line = run_store(
        Store(down={"3"}), main, keys=800, events=800, partitioning=known, limits=limits
    )
    mixed = [
        request
        for request in line.nakadi.requests
        if len({partition_of(body) for body in request.bodies} | {"3"}) > 1
        and any(partition_of(body) == "3" for body in request.bodies)
    ]
    assert len(mixed) == limits.concurrency


def test_what_still_stands_aside_when_a_lane_ends_goes_on_with_the_others() -> None:
    store = Store(down={"3"})

    async def main(line: Line) -> None:
        await line.until(lambda: stored_but(line, "3") == 600 - spread(600)["3"], 10 * HELD)
        await asyncio.sleep(300)
        store.down.clear()
        await line.until(lambda: not line.event_type.lanes, 60)
        assert line.backlog.events > 50
        await line.until(lambda: len(line.nakadi.stored) == 600, 60)

    run_store(store, main, keys=600, events=600, limits=PublishLimits(batch_bytes=2_000))


def test_a_lane_has_one_request_at_a_time_and_pauses() -> None:
    async def main(line: Line) -> None:
        await asyncio.sleep(600)

    line = run_store(Store(down={"3"}), main)
    alone = through_lane(line.nakadi.requests, "3")
    gaps = [after.started - (before.ended or 1e9) for before, after in pairwise(alone)]
    assert len(gaps) > 10
    assert min(gaps) > 0
    assert max(gaps) <= 10.1  # half of twenty seconds


def test_all_partitions_down_is_bounded_and_ends() -> None:
    store = Store(down=set(NAMES))

    async def main(line: Line) -> None:
        await asyncio.sleep(600)
        store.down.clear()
        await line.until(lambda: len(line.nakadi.stored) == 2_000, 120)

    line = run_store(store, main)
    assert in_order(line, 200, 2_000)
    late = [request for request in line.nakadi.requests if request.started > 100]
    at_once = max(
        sum(other.started <= each.started < (other.ended or 1e9) for other in late)
        for each in late
        if each.started < 600
    )
    assert at_once == LANE_SLOTS


def test_a_partition_that_takes_fewer_bytes_gets_them() -> None:
    """Ten events of 5 KB of each partition at a time, where two are too many for all of them."""
    store = Store(limit=12_000)

    async def main(line: Line) -> None:
        await line.until(lambda: len(line.nakadi.stored) == 400, 3_000)

    line = run_store(store, main, keys=100, events=400, size=5_000)
    assert in_order(line, 100, 400)
    assert any(len(request.bodies) > 1 for request in through_lane(line.nakadi.requests, "3")[5:])


def test_an_answer_that_is_late_in_a_lane_is_no_outage() -> None:
    store = Store(down={"3"}, lost=True)

    async def main(line: Line) -> None:
        await line.until(lambda: bool(line.event_type.lanes), HELD + 5)
        await asyncio.sleep(300)
        assert line.event_type.flow.state is FlowState.PUBLISHING
        assert stored_but(line, "3") == 2_000 - 10 * spread(200)["3"]
        assert line.counted("publish_unknown_total") > 0
        store.down.clear()
        await line.until(lambda: len(line.nakadi.stored) == 2_000, 120)

    assert in_order(run_store(store, main), 200, 2_000)


@pytest.mark.parametrize("status", [503, 403])
def test_an_outage_is_probed_by_a_lane_if_nothing_else_is_left(status: int) -> None:
    store = Store(down={"3"})

    async def main(line: Line) -> None:
        healthy = 2_000 - 10 * spread(200)["3"]
        await line.until(lambda: stored_but(line, "3") == healthy, HELD + 5)
        store.status, store.held = status, 1.0
        await line.until(lambda: line.event_type.flow.state is not FlowState.PUBLISHING, 60)
        sent = len(line.nakadi.requests)
        await asyncio.sleep(100)
        probes = line.nakadi.requests[sent:]
        assert 2 <= len(probes) <= 40
        spans = [(probe.started, probe.ended or 1e9) for probe in probes]
        assert all(a[1] <= b[0] for a, b in pairwise(spans))
        store.status = 200
        store.down.clear()
        await line.until(lambda: len(line.nakadi.stored) == 2_000, 200)

    assert in_order(run_store(store, main), 200, 2_000)


def test_lanes_obey_a_stopped_event_type() -> None:
    async def main(line: Line) -> None:
        healthy = 2_000 - 10 * spread(200)["3"]
        await line.until(lambda: stored_but(line, "3") == healthy, HELD + 5)
        await asyncio.sleep(100)
        line.event_type.stop(DEAD_LETTER_LIMIT)
        sent = len(line.nakadi.requests)
        await asyncio.sleep(300)
        probes = line.nakadi.requests[sent:]
        assert 3 <= len(probes) <= 10
        assert all(len(probe.bodies) == 1 for probe in probes)

    run_store(Store(down={"3"}, held=0.1), main)


def test_a_lost_shard_leaves_no_partition_backing_off_for_ever() -> None:
    async def main(line: Line) -> None:
        await line.until(lambda: bool(line.event_type.lanes), HELD + 5)
        line.consumer.revoke()
        await asyncio.sleep(300)
        assert state(line) == (FlowState.PUBLISHING, None)

    with capture_logs() as logs:
        run_store(Store(down={"3"}), main)
    assert "partition_unused" in [entry["event"] for entry in logs]


def test_random_partitioning_has_no_lanes() -> None:
    async def main(line: Line) -> None:
        await asyncio.sleep(200)
        assert not line.event_type.lanes

    run_store(Store(down={"3"}), main, partitioning=Partitioning(steady=False))


def test_lanes_cost_nothing_while_no_partition_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("a partition was computed")

    monkeypatch.setattr(HashRule, "partition", fail)
    shard = ShardTwin(page_records=500, closed=True)
    shard.write_many(500, keys=100)

    async def main(line: Line) -> None:
        await line.run_consumer()

    line = run_line(main, shard=shard, partitioning=KNOWN)
    assert len(line.nakadi.stored) == 500
