"""Listings, lineage, starts: what makes lease rows, and when."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby, pairwise
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from consumer.core.leases.checkpoint import LATEST, SHARD_END, TRIM_HORIZON
from consumer.core.leases.lease import SCHEMA_VERSION, Lease, StreamRow
from consumer.core.leases.streams.lineage import LISTED_SECONDS
from consumer.core.limits import LeaseTiming
from consumer.core.stream.absence import GONE_SECONDS
from consumer.core.stream.stream import Stream, StreamPage, ViewType
from consumer.errors import Misconfigured, Retryable, TrimmedData
from consumer.observability.metrics import Metrics
from consumer.runtime.discovery.bootstrap import first_row, own_rows
from consumer.runtime.discovery.discovery import Discovery
from consumer.runtime.discovery.known_streams import KnownStreams
from consumer.runtime.discovery.listing import GONE_PAUSE, ShardListing
from consumer.runtime.discovery.new_rows import ROWS_AT_ONCE
from consumer.runtime.discovery.purpose_keeper import conflict_of
from consumer.runtime.discovery.source import Source
from tests.twins.fleet import source
from tests.twins.lease_table import Fault, LeaseTable, LeaseTableTwin
from tests.twins.shard_list import NEWER, STREAM, ShardListTwin
from tests.twins.virtual_time import EPOCH, VirtualClock, run

TIMING = LeaseTiming(discovery=60.0, lease_duration=10.0)


class Bench:
    """One worker's discovery; `look` is what the coordinator does every scan."""

    def __init__(
        self, config: Source | None = None, beside: "Bench | None" = None, **row: Any
    ) -> None:
        self.table: LeaseTable = beside.table if beside else LeaseTable()
        self.streams: ShardListTwin = beside.streams if beside else ShardListTwin()
        self.store = LeaseTableTwin(self.table)
        self.source = config or source()
        self.metrics = Metrics()
        self.found = 0
        self.closing: frozenset[str] = frozenset()
        self.retired: frozenset[str] = frozenset()
        self.discovery = Discovery(
            self.store, self.streams, VirtualClock(), TIMING, self.source, self.metrics
        )
        self.discovery.on_found = self._on_found
        if beside is None:
            first = first_row(self.source, STREAM, [])
            self.table.streams[STREAM.key] = replace(first, **row)

    def _on_found(self) -> None:
        self.found += 1

    @property
    def row(self) -> StreamRow:
        return self.table.streams[STREAM.key]

    @property
    def leases(self) -> dict[str, Lease]:
        return self.table.of(STREAM.key)

    def look(self) -> None:
        known = {key: tuple(rows.values()) for key, rows in self.table.leases.items()}
        self.discovery.observe(
            tuple(self.table.streams.values()),
            KnownStreams(known, self.closing, self.retired),
            asyncio.get_running_loop().time(),
            TIMING.lease_duration,
        )

    async def pass_time(self, seconds: float) -> None:
        until = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until:
            self.look()
            await asyncio.sleep(min(2.0, until - asyncio.get_running_loop().time()))

    def gauge(self, key: str = STREAM.key) -> float | None:
        return self.metrics.registry.get_sample_value("consumer_stream_enabled", {"stream": key})


def discovering(bench: Callable[[], Bench]) -> Callable[[Callable[[Bench], Awaitable[None]]], None]:
    def decorate(check: Callable[[Bench], Awaitable[None]]) -> None:
        async def main() -> None:
            made = bench()
            async with asyncio.TaskGroup() as group:
                group.create_task(made.discovery.run())
                await check(made)
                made.discovery.stop()

        run(main)

    return decorate


def test_shards_are_found_page_by_page_at_two_pages_a_second() -> None:
    @discovering(Bench)
    async def check(bench: Bench) -> None:
        bench.streams.page_size = 10
        for number in range(35):
            bench.streams.open(f"s{number:02}")
        await bench.pass_time(0.4)
        assert len(bench.leases) == 10  # the first page is at work before the second is asked for
        assert bench.found == 1
        await bench.pass_time(3)
        assert len(bench.leases) == 35
        times = [at for name, _, at in bench.streams.calls if name == "describe_stream"]
        assert len(times) == 4
        assert all(later - at >= 0.499 for at, later in pairwise(times))
        assert (bench.row.sweep_n, bench.row.sweep_done) == (1, 1)
        assert bench.gauge() == 1


def test_rows_are_created_several_at_a_time_each_time_under_the_claim() -> None:
    @discovering(Bench)
    async def check(bench: Bench) -> None:
        bench.store.delay = 2.0
        for number in range(2 * ROWS_AT_ONCE + 1):
            bench.streams.open(f"s{number:02}")
        await bench.pass_time(30)
        log = [name for name, _ in bench.table.log if name in ("create_lease", "replace_stream")]
        together = [(name, len(list(same))) for name, same in groupby(log)]
        # The claim is won, and renewed before each group: it is older than 3.3 s each time.
        assert together[:6] == [
            ("replace_stream", 2),
            ("create_lease", ROWS_AT_ONCE),
            ("replace_stream", 1),
            ("create_lease", ROWS_AT_ONCE),
            ("replace_stream", 1),
            ("create_lease", 1),
        ]


def test_a_row_that_cannot_be_created_ends_the_sweep_once_no_other_is_under_way() -> None:
    @discovering(Bench)
    async def check(bench: Bench) -> None:
        for number in range(ROWS_AT_ONCE + 1):
            bench.streams.open(f"s{number:02}")
        bench.store.fail("create_lease", Fault.REFUSED, Fault.HANGS)
        await bench.pass_time(0.5)
        assert sorted(bench.leases) == [f"s{number:02}" for number in range(2, ROWS_AT_ONCE)]
        assert bench.found == 0
        await bench.pass_time(2)
        assert bench.found == 1
        assert bench.row.sweep_done == 0
        await bench.pass_time(2)
        assert len(bench.leases) == ROWS_AT_ONCE + 1
        assert bench.row.sweep_done == bench.row.sweep_n


def test_only_rows_that_a_read_did_not_show_are_created() -> None:
    @discovering(lambda: Bench(sweep_n=9, sweep_done=9))
    async def check(bench: Bench) -> None:
        bench.streams.open("old")
        bench.streams.open("new")
        bench.leases["old"] = Lease("old", None, checkpoint="5")
        await bench.pass_time(310)
        assert [key for name, key in bench.table.log if name == "create_lease"] == ["new"]
        assert bench.leases["old"].checkpoint == "5"


def test_a_row_that_somebody_made_meanwhile_is_told_of_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """He may have died before he could."""

    @discovering(Bench)
    async def check(bench: Bench) -> None:
        bench.streams.open("s")
        read = bench.store.read_leases

        async def read_before_he_writes(stream_key: str) -> Sequence[Lease]:
            rows = await read(stream_key)
            bench.leases.setdefault("s", Lease("s", None))
            return rows

        monkeypatch.setattr(bench.store, "read_leases", read_before_he_writes)
        await bench.pass_time(0.4)
        assert bench.found == 1


def test_of_two_workers_one_sweeps() -> None:
    async def main() -> None:
        one = Bench(sweep_n=8, sweep_done=7)
        two = Bench(beside=one)
        one.streams.open("s")
        async with asyncio.TaskGroup() as group:
            for bench in (one, two):
                group.create_task(bench.discovery.run())
            for _ in range(10):
                one.look()
                two.look()
                await asyncio.sleep(2)
            assert one.streams.count("describe_stream") == 1
            assert one.row.sweep_done == 9
            one.discovery.stop()
            two.discovery.stop()

    run(main)


def test_an_unfinished_sweep_is_taken_over_after_the_lease_duration() -> None:
    @discovering(lambda: Bench(sweep_n=7, sweep_done=6))
    async def check(bench: Bench) -> None:
        bench.streams.open("s")
        await bench.pass_time(9.9)
        assert bench.leases == {}
        await bench.pass_time(3)
        assert "s" in bench.leases
        assert (bench.row.sweep_n, bench.row.sweep_done) == (8, 8)


def test_a_failed_sweep_is_begun_again_by_its_winner_then_by_anybody() -> None:
    @discovering(Bench)
    async def check(bench: Bench) -> None:
        bench.streams.open("s")
        bench.streams.failures = [Retryable("throttled")] * 3
        await bench.pass_time(9)
        assert bench.streams.count("describe_stream") == 3
        assert bench.leases == {}
        assert bench.row.sweep_done == 0
        await bench.pass_time(6)
        assert "s" in bench.leases
        bench.streams.failures = [Retryable("throttled")]
        bench.streams.open("t")
        await bench.pass_time(302)
        assert "t" in bench.leases


def test_a_long_sweep_shows_that_it_goes_on() -> None:
    async def main() -> None:
        one = Bench()
        two = Bench(beside=one)
        one.streams.page_size = 1
        for number in range(50):
            one.streams.open(f"s{number:02}")
        async with asyncio.TaskGroup() as group:
            for bench in (one, two):
                group.create_task(bench.discovery.run())
            for _ in range(20):
                one.look()
                two.look()
                await asyncio.sleep(2)
            assert one.streams.count("describe_stream") == 50
            assert one.row.sweep_done == one.row.sweep_n
            one.discovery.stop()
            two.discovery.stop()

    run(main)


def test_the_interval_is_longer_while_every_end_has_shown_its_children() -> None:
    def bench() -> Bench:
        made = Bench(sweep_n=9, sweep_done=9)
        made.leases["p"] = Lease("p", None, checkpoint=SHARD_END)
        return made

    @discovering(bench)
    async def without_children(bench: Bench) -> None:
        await bench.pass_time(65)
        assert bench.streams.count("describe_stream") == 1

    @discovering(bench)
    async def with_children(bench: Bench) -> None:
        bench.leases["c"] = Lease("c", "p")
        await bench.pass_time(290)
        assert bench.streams.count("describe_stream") == 0
        await bench.pass_time(15)
        assert bench.streams.count("describe_stream") == 1


def test_only_shard_not_found_proves_a_parent_gone() -> None:
    @discovering(Bench)
    async def check(bench: Bench) -> None:
        bench.streams.open("orphan", parent="gone")
        bench.streams.open("hidden")
        bench.streams.hidden.add("hidden")
        bench.streams.open("child", parent="hidden")
        await bench.pass_time(2)
        assert bench.leases["orphan"].parent_gone
        assert not bench.leases["child"].parent_gone
        assert "hidden" not in bench.leases


def test_a_failure_while_asking_a_parent_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    @discovering(Bench)
    async def check(bench: Bench) -> None:
        bench.streams.open("orphan", parent="gone")
        page_then_failure = bench.streams.describe_stream

        async def describe(*args: Any) -> object:
            page = await page_then_failure(*args)
            bench.streams.failures = [Retryable("throttled")]
            return page

        monkeypatch.setattr(bench.streams, "describe_stream", describe)
        await bench.pass_time(5)
        assert "orphan" in bench.leases
        assert not bench.leases["orphan"].parent_gone
        assert bench.row.sweep_done == 0


def test_a_trimmed_parent_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    @discovering(Bench)
    async def check(bench: Bench) -> None:
        bench.streams.open("child", parent="p")

        async def iterator(*_args: object) -> object:
            raise TrimmedData("p")

        monkeypatch.setattr(bench.streams, "shard_iterator", iterator)
        await bench.pass_time(5)
        assert not bench.leases["child"].parent_gone


def test_a_parent_that_answers_but_is_never_listed_is_a_root_after_five_listings() -> None:
    @discovering(lambda: Bench(sweep_n=9, sweep_done=8))
    async def check(bench: Bench) -> None:
        bench.streams.open("hidden")
        bench.streams.hidden.add("hidden")
        bench.streams.open("child", parent="hidden")
        await bench.pass_time(230)
        assert bench.streams.count("describe_stream") == 4
        assert "hidden" not in bench.leases
        await bench.pass_time(30)
        assert not bench.leases["child"].parent_gone  # it is read first, as a root
        root = bench.leases["hidden"]
        assert (root.parent_shard_id, root.checkpoint) == (None, TRIM_HORIZON)


def test_a_parent_that_nobody_ever_saw_is_a_gap() -> None:
    @discovering(lambda: Bench(sweep_n=9, sweep_done=8, swept_at=77.5))
    async def check(bench: Bench) -> None:
        bench.streams.open("one", parent="gone")
        bench.streams.open("two", parent="gone")
        bench.store.fail("mark_parent_gone", Fault.REFUSED)  # the sweep is begun again
        await bench.pass_time(20)
        assert bench.leases["one"].parent_gone
        assert bench.leases["two"].parent_gone
        (gap,) = bench.table.gaps[STREAM.key].values()
        assert (gap.shard_id, gap.from_, gap.to) == ("gone", TRIM_HORIZON, None)
        assert gap.reason == "shard_gone"
        assert gap.from_time == 77.5, "the last complete listing did not show it"
        log = [name for name, _ in bench.table.log]
        assert log.index("put_gap") < log.index("mark_parent_gone")
        counted = bench.metrics.registry.get_sample_value
        assert counted("consumer_gaps_total", {"reason": "shard_gone"}) == 1


def test_at_the_first_listing_the_parents_of_the_oldest_shards_are_no_gap() -> None:
    @discovering(Bench)
    async def check(bench: Bench) -> None:
        bench.streams.open("oldest", parent="gone")
        bench.store.fail("mark_parent_gone", Fault.LOST_AFTER)  # the sweep is begun again
        await bench.pass_time(120)
        assert bench.leases["oldest"].parent_gone
        assert bench.row.sweep_done > 1
        assert bench.table.gaps == {}


def test_a_shard_found_late_may_be_as_old_as_the_last_listing() -> None:
    def bench() -> Bench:
        return Bench(sweep_n=9, sweep_done=8, swept_at=EPOCH - 30 * 3600)

    @discovering(bench)
    async def check(bench: Bench) -> None:
        bench.streams.open("s")
        await bench.pass_time(20)
        assert bench.leases["s"].created_at == EPOCH - 30 * 3600
        assert bench.row.swept_at is not None
        assert EPOCH <= bench.row.swept_at < EPOCH + 20


def test_the_first_listings_of_a_stream_follow_each_other_soon() -> None:
    @discovering(Bench)
    async def check(bench: Bench) -> None:
        await bench.pass_time(1)
        bench.streams.open("late")  # a new stream may not list all of its first shards at once
        await bench.pass_time(12)
        assert "late" in bench.leases
        await bench.pass_time(300)
        assert bench.streams.count("describe_stream") == 5


def test_a_parent_that_appears_late_is_waited_for() -> None:
    @discovering(Bench)
    async def check(bench: Bench) -> None:
        bench.streams.open("hidden")
        bench.streams.hidden.add("hidden")
        bench.streams.open("child", parent="hidden")
        await bench.pass_time(100)
        bench.streams.hidden.clear()
        await bench.pass_time(400)
        assert not bench.leases["child"].parent_gone
        assert "hidden" in bench.leases


def test_finished_rows_go_26_hours_later() -> None:
    def bench() -> Bench:
        made = Bench(sweep_n=9, sweep_done=9)
        now = EPOCH
        made.leases["p"] = Lease("p", None, checkpoint=SHARD_END, released_at=now - LISTED_SECONDS)
        made.leases["q"] = Lease("q", None, checkpoint=SHARD_END, released_at=now)
        return made

    @discovering(bench)
    async def check(bench: Bench) -> None:
        await bench.pass_time(65)
        assert set(bench.leases) == {"q"}


async def adopted(bench: Bench, *hidden: str) -> None:
    """The shard p has ended in c and d, of which some are hidden yet."""
    bench.look()
    bench.streams.open("p")
    bench.streams.open("c", parent="p")
    bench.streams.open("d", parent="p")
    bench.streams.hidden = set(hidden)
    await bench.discovery.create_children(bench.row, "p")


async def ended_childless(bench: Bench) -> None:
    """The shard p has ended, and nothing is known to follow it."""
    bench.look()
    bench.streams.open("p")
    await bench.discovery.create_children(bench.row, "p")


def test_children_are_adopted_at_once_and_asked_for_again_until_they_show() -> None:
    @discovering(lambda: Bench(sweep_n=9, sweep_done=9))
    async def check(bench: Bench) -> None:
        await adopted(bench, "c", "d")
        assert bench.leases == {}
        await asyncio.sleep(2)
        bench.streams.hidden.clear()
        await asyncio.sleep(4)
        assert {lease.parent_shard_id for lease in bench.leases.values()} == {"p"}
        assert set(bench.leases) == {"c", "d"}
        asked = bench.streams.count("child_shards")
        await asyncio.sleep(40)
        assert bench.streams.count("child_shards") == asked + 1  # for those not shown with them


def test_a_child_that_shows_later_than_its_sibling_is_found_without_a_sweep() -> None:
    @discovering(lambda: Bench(sweep_n=9, sweep_done=9))
    async def check(bench: Bench) -> None:
        await adopted(bench, "d")
        assert set(bench.leases) == {"c"}
        bench.streams.hidden.clear()
        await asyncio.sleep(17)
        assert set(bench.leases) == {"c", "d"}


def test_asking_for_children_ends_and_failures_are_raised() -> None:
    @discovering(lambda: Bench(sweep_n=9, sweep_done=9))
    async def check(bench: Bench) -> None:
        bench.look()
        bench.streams.failures = [Retryable("throttled")]
        with pytest.raises(Retryable):
            await bench.discovery.create_children(bench.row, "p")
        await bench.discovery.create_children(bench.row, "p")
        bench.streams.failures = [Retryable("throttled")]
        await asyncio.sleep(200)
        assert bench.streams.count("child_shards") == 8


def test_an_outage_uses_up_no_question_for_children() -> None:
    @discovering(lambda: Bench(sweep_n=9, sweep_done=9))
    async def check(bench: Bench) -> None:
        await ended_childless(bench)
        bench.streams.open("c", parent="p")
        bench.streams.failures = [Retryable("throttled")] * 100
        await asyncio.sleep(60)
        assert bench.leases == {}
        bench.streams.failures.clear()
        await asyncio.sleep(17)
        assert set(bench.leases) == {"c"}


def test_a_child_whose_row_was_made_without_an_answer_is_told_of() -> None:
    @discovering(lambda: Bench(sweep_n=9, sweep_done=9))
    async def check(bench: Bench) -> None:
        await ended_childless(bench)
        bench.streams.open("c", parent="p")
        bench.store.fail("create_lease", Fault.LOST_AFTER)
        before = bench.found
        await asyncio.sleep(2.5)
        assert set(bench.leases) == {"c"}
        assert bench.found > before


async def gone_after(bench: Bench, seconds: float = 100.0) -> float:
    """The seconds after which the shard `s` no longer exists, if it is asked for at each second."""
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    while await bench.discovery.shard_exists(bench.row, "s"):
        assert loop.time() < began_at + seconds
        await asyncio.sleep(1)
    return loop.time() - began_at


def test_a_shard_is_gone_once_listings_and_itself_have_denied_it_for_half_a_minute() -> None:
    async def main() -> None:
        bench = Bench()
        bench.streams.open("s")
        assert await bench.discovery.shard_exists(bench.row, "s")
        shard = bench.streams.shards.pop("s")
        assert 30.0 <= await gone_after(bench) < 33.0
        await asyncio.sleep(5)
        with pytest.raises(AssertionError):
            await gone_after(bench, 20.0)
        bench.streams.shards["s"] = shard
        assert await bench.discovery.shard_exists(bench.row, "s")
        del bench.streams.shards["s"]
        assert 30.0 <= await gone_after(bench) < 33.0, "it was there in between"

    run(main)


def test_whoever_cannot_ask_learns_nothing_of_a_shard() -> None:
    async def main() -> None:
        bench = Bench()
        bench.streams.failures = [Retryable("throttled")]
        with pytest.raises(Retryable):
            await bench.discovery.shard_exists(bench.row, "s")

    run(main)


def test_a_shard_that_no_listing_shows_and_that_answers_is_not_gone() -> None:
    async def main() -> None:
        bench = Bench()
        bench.streams.open("s")
        bench.streams.hidden = {"s"}
        assert await bench.discovery.shard_exists(bench.row, "s")

    run(main)


def test_many_who_ask_at_the_same_time_share_a_listing() -> None:
    async def main() -> None:
        bench = Bench()
        bench.streams.open("s")
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(bench.discovery.shard_exists(bench.row, "s"))
        assert bench.streams.count("describe_stream") <= 2

    run(main)


def test_a_stream_that_is_gone_lists_nothing() -> None:
    async def main() -> None:
        bench = Bench()
        bench.streams.open("s")
        bench.streams.gone = True
        assert 30.0 <= await gone_after(bench) < 40.0

    run(main)


def test_a_stream_that_is_denied_for_a_moment_is_listed() -> None:
    @discovering(lambda: Bench(sweep_done=0))
    async def check(bench: Bench) -> None:
        bench.streams.open("s")
        bench.streams.gone = True
        await bench.pass_time(20)
        assert bench.leases == {}
        bench.streams.gone = False
        await bench.pass_time(6)
        assert set(bench.leases) == {"s"}
        assert bench.table.gaps == {}


def test_a_worker_that_stops_does_not_wait_for_a_stream_that_is_denied() -> None:
    async def main() -> None:
        bench = Bench(sweep_done=0)
        bench.streams.gone = True
        async with asyncio.TaskGroup() as group:
            group.create_task(bench.discovery.run())
            await bench.pass_time(3)
            bench.discovery.stop()
            stopped_at = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - stopped_at < 2.0
        assert bench.row.sweep_done == 0

    run(main)


def test_a_stream_that_is_gone_is_waited_for_once() -> None:
    async def main() -> None:
        bench = Bench()
        bench.streams.gone = True
        listing = ShardListing(bench.streams, VirtualClock())
        loop, times = asyncio.get_running_loop(), []
        for _ in range(3):
            began_at = loop.time()
            assert (await listing.fresh(STREAM)).page is None
            times.append(loop.time() - began_at)
        assert GONE_SECONDS <= times[0] < GONE_SECONDS + 2 * GONE_PAUSE
        assert max(times[1:]) < GONE_PAUSE

    run(main)


# -- starts


def test_a_child_that_hides_while_a_stream_starts_at_latest_is_asked_for() -> None:
    @discovering(lambda: Bench(source(start_position=LATEST)))
    async def check(bench: Bench) -> None:
        bench.streams.open("closed")
        bench.streams.close("closed")
        bench.streams.open("leaf", parent="closed")
        bench.streams.hidden = {"leaf"}
        await bench.pass_time(3)
        assert bench.row.bootstrapped
        assert set(bench.leases) == {"closed"}
        sweeps = bench.row.sweep_n
        bench.streams.hidden.clear()
        await asyncio.sleep(5)
        assert set(bench.leases) == {"closed", "leaf"}
        assert bench.row.sweep_n == sweeps


def test_latest_stores_an_iterator_for_every_open_shard_before_it_says_when_it_started() -> None:
    @discovering(lambda: Bench(source(start_position=LATEST)))
    async def check(bench: Bench) -> None:
        bench.streams.open("closed")
        bench.streams.close("closed")
        bench.streams.open("leaf", parent="closed")
        bench.streams.open("root")
        assert not bench.row.bootstrapped
        await bench.pass_time(0.03)
        assert not bench.row.bootstrapped
        await bench.pass_time(3)
        assert bench.row.bootstrapped
        assert bench.leases["closed"].checkpoint == SHARD_END
        for shard in ("leaf", "root"):
            assert bench.leases[shard].checkpoint == LATEST
            assert bench.leases[shard].start_iterator
        answers = [at for name, _, at in bench.streams.calls if name == "shard_iterator"]
        assert bench.row.started_at == pytest.approx(EPOCH + max(answers))
        order = [name for name, _ in bench.table.log]
        assert order.index("replace_stream") < order.index("create_lease")
        created = max(place for place, name in enumerate(order) if name == "create_lease")
        assert created < len(order) - 1 - order[::-1].index("replace_stream")


def test_a_start_at_latest_reads_what_closed_behind_a_parent_that_it_left_unread() -> None:
    @discovering(lambda: Bench(source(start_position=LATEST)))
    async def check(bench: Bench) -> None:
        # Another worker began: the parent was open, now its child is closed already.
        bench.leases["p"] = Lease("p", None, checkpoint=LATEST, start_iterator="i")
        bench.streams.open("p")
        bench.streams.open("c", parent="p")
        bench.streams.open("d", parent="c")
        bench.streams.open("leaf", parent="d")
        for shard in ("p", "c", "d"):
            bench.streams.close(shard)
        await bench.pass_time(3)
        assert bench.row.bootstrapped
        for shard in ("c", "d"):  # or the leaf would be read beside its grandparent
            lease = bench.leases[shard]
            assert (lease.checkpoint, lease.start_iterator) == (LATEST, None)
        assert bench.leases["leaf"].start_iterator


def test_a_start_at_latest_asks_parents_first_in_whatever_order_they_are_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @discovering(lambda: Bench(source(start_position=LATEST)))
    async def check(bench: Bench) -> None:
        bench.leases["p"] = Lease("p", None, checkpoint=LATEST, start_iterator="i")
        for shard, parent in (("p", None), ("c", "p"), ("d", "c"), ("leaf", "d")):
            bench.streams.open(shard, parent=parent)
        for shard in ("p", "c", "d"):
            bench.streams.close(shard)
        describe = bench.streams.describe_stream

        async def children_first(stream: Stream, after: str | None) -> StreamPage:
            page = await describe(stream, after)
            return replace(page, shards=page.shards[::-1])

        monkeypatch.setattr(bench.streams, "describe_stream", children_first)
        await bench.pass_time(3)
        assert bench.row.bootstrapped
        for shard in ("c", "d"):
            assert bench.leases[shard].checkpoint == LATEST


def test_a_start_at_latest_proves_absent_parents_at_once() -> None:
    @discovering(lambda: Bench(source(start_position=LATEST)))
    async def check(bench: Bench) -> None:
        bench.streams.open("leaf", parent="aged-out")
        await bench.pass_time(3)
        assert bench.leases["leaf"].parent_gone
        assert bench.leases["leaf"].start_iterator


def test_an_interrupted_bootstrap_is_finished_by_whoever_takes_it_over() -> None:
    @discovering(lambda: Bench(source(start_position=LATEST)))
    async def check(bench: Bench) -> None:
        bench.streams.open("a")
        bench.streams.open("b")
        lost = Fault.LOST_BEFORE
        bench.store.fail("create_lease", None, lost, lost, lost)
        await bench.pass_time(5)
        assert set(bench.leases) == {"a"}
        assert not bench.row.bootstrapped
        first = bench.leases["a"]
        await bench.pass_time(10)
        assert bench.row.bootstrapped
        assert bench.leases["a"] == first
        assert set(bench.leases) == {"a", "b"}


def test_who_was_overtaken_makes_no_more_rows_of_a_start_at_latest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @discovering(lambda: Bench(source(start_position=LATEST)))
    async def check(bench: Bench) -> None:
        bench.streams.open("a")

        async def slow(*_args: object) -> tuple[str, float]:
            await asyncio.sleep(30)  # in the meantime somebody else has started the stream
            bench.table.streams[STREAM.key] = replace(
                bench.row, sweep_n=9, sweep_done=9, bootstrapped=True, started_at=EPOCH + 20
            )
            return "too late", EPOCH + 30

        monkeypatch.setattr(bench.streams, "shard_iterator", slow)
        await bench.pass_time(1)
        await asyncio.sleep(40)
        assert bench.leases == {}
        assert bench.row.started_at == EPOCH + 20


def test_latest_without_an_iterator_is_read_from_the_oldest_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @discovering(lambda: Bench(source(start_position=LATEST)))
    async def check(bench: Bench) -> None:
        bench.streams.open("s")

        async def iterator(*_args: object) -> object:
            raise TrimmedData("fresh LATEST")

        monkeypatch.setattr(bench.streams, "shard_iterator", iterator)
        await bench.pass_time(3)
        assert bench.leases["s"].checkpoint == LATEST
        assert bench.leases["s"].start_iterator is None
        assert bench.row.started_at is not None


def test_a_start_position_is_for_a_never_seen_stream_only() -> None:
    first = first_row(source(start_position=LATEST), STREAM, [])
    assert (first.start_position, first.bootstrapped, first.after) == (LATEST, False, None)
    second = first_row(source(start_position=LATEST), NEWER, [first])
    assert second.start_position == TRIM_HORIZON
    assert second.bootstrapped
    assert second.after == first.label


@pytest.mark.parametrize(
    ("start", "says"),
    [
        (TRIM_HORIZON, "is published again"),
        (LATEST, "is skipped if it is older than `start`"),
        ("2026-11-01T09:30:00Z", "is skipped if it is older than `start`"),
    ],
)
def test_a_first_start_says_what_it_means_if_it_is_none(start: str, says: str) -> None:
    async def main() -> None:
        store = LeaseTableTwin(LeaseTable())
        (first,) = await own_rows(store, source(start_position=start), [])
        await own_rows(store, source(start_position=start), [first])
        later = source(stream=NEWER, start_position=start)
        await own_rows(store, later, [first])

    with capture_logs() as logs:
        run(main)
    told = [(log["log_level"], log["event"], log["start"]) for log in logs]
    assert told == [
        ("warning", "stream_started", start),
        ("info", "stream_started", TRIM_HORIZON),
    ]
    assert says in logs[0]["action"]
    assert "first start" in logs[0]["action"]


def test_a_time_is_trim_horizon_that_skips_what_is_older() -> None:
    row = first_row(source(start_position="2026-11-01T09:30:00Z"), STREAM, [])
    assert row.bootstrapped
    assert row.started_at == 1793525400.0


def test_one_application_has_one_purpose() -> None:
    row = first_row(source(fingerprint="orders, nested"), STREAM, [])
    assert conflict_of(source(fingerprint="orders, nested").purpose, row) is None
    conflict = conflict_of(source(fingerprint="orders, flat").purpose, row)
    assert re.search(r"'orders, nested'.*'orders, flat'", str(conflict))


def test_a_changed_purpose_is_accepted_on_request() -> None:
    async def main() -> None:
        bench = Bench(source(fingerprint="new", accept_change=True))
        bench.table.streams[STREAM.key] = replace(bench.row, fingerprint="old")
        rows = await own_rows(bench.store, bench.source, [bench.row])
        assert [row.fingerprint for row in rows] == ["new"]
        assert bench.row.fingerprint == "new"

    run(main)


def test_rows_of_the_next_version_are_shared_and_of_later_ones_refused() -> None:
    async def rows(version: int) -> None:
        bench = Bench(source())
        bench.table.streams[STREAM.key] = replace(bench.row, schema_version=version)
        assert await own_rows(bench.store, bench.source, [bench.row]) == (bench.row,)

    run(lambda: rows(SCHEMA_VERSION + 1))
    with pytest.raises(Misconfigured, match=r"schema 3, .* none above 2; run the version"):
        run(lambda: rows(SCHEMA_VERSION + 2))


def test_who_comes_late_with_an_older_stream_than_the_others_read_leaves_it_out() -> None:
    async def rows(*, follow: bool) -> list[str]:
        bench = Bench(source())
        newer = replace(bench.row, label="9" + bench.row.label)
        bench.table.streams = {newer.key: newer}
        config = replace(bench.source, follow_table=follow)
        return [row.label for row in await own_rows(bench.store, config, [newer])]

    label = STREAM.label
    assert run(lambda: rows(follow=True)) == ["9" + label]
    assert sorted(run(lambda: rows(follow=False))) == [label, "9" + label]


def test_who_begins_a_stream_reads_it_after_an_older_one_that_a_peer_has_begun_meanwhile() -> None:
    async def main() -> None:
        bench = Bench(source())
        config = source(stream=NEWER)
        rows = await own_rows(bench.store, config, [])  # read before the peer's row was there
        assert rows == (bench.row, bench.table.streams[NEWER.key])

    run(main)


def test_latest_is_for_the_first_stream_also_if_two_were_begun_at_once() -> None:
    @discovering(lambda: Bench(sweep_n=9, sweep_done=9))
    async def check(bench: Bench) -> None:
        second = first_row(source(start_position=LATEST), NEWER, [])
        bench.table.streams[second.key] = second
        bench.streams.open("s")
        await bench.pass_time(3)
        row = bench.table.streams[second.key]
        assert (row.after, row.start_position, row.started_at) == (STREAM.label, TRIM_HORIZON, None)
        assert row.bootstrapped
        assert [lease.checkpoint for lease in bench.table.of(second.key).values()] == [TRIM_HORIZON]


# -- streams that end


def test_a_new_stream_of_the_table_is_found_by_the_sweep() -> None:
    @discovering(lambda: Bench(source(follow_table=True)))
    async def check(bench: Bench) -> None:
        bench.streams.open("s")
        await bench.pass_time(5)
        bench.streams.close("s")
        bench.streams.open("last", parent="s")
        bench.streams.latest = NEWER
        bench.streams.enabled = False
        await bench.pass_time(320)
        row = bench.table.streams[NEWER.key]
        assert (row.after, row.start_position) == (STREAM.label, TRIM_HORIZON)
        log = bench.table.log
        # Every shard of the old stream is known before the new one exists.
        assert log.index(("create_lease", "last")) < log.index(("create_stream", row.key))


def test_a_superseded_stream_raises_no_alarm_and_is_listed_rarely() -> None:
    @discovering(lambda: Bench(source(follow_table=True)))
    async def check(bench: Bench) -> None:
        bench.streams.open("s")
        await bench.pass_time(5)
        assert bench.gauge() == 1
        bench.streams.enabled = False
        new = first_row(bench.source, NEWER, [bench.row])
        bench.table.streams[new.key] = replace(new, sweep_n=9, sweep_done=9)
        bench.streams.latest = NEWER
        bench.closing = frozenset({STREAM.key})
        await bench.pass_time(15)
        assert bench.gauge() is None
        before = bench.row.sweep_n
        bench.retired = frozenset({STREAM.key})
        await bench.pass_time(3000)
        assert bench.row.sweep_n == before


def test_a_disabled_stream_that_is_read_to_its_end_is_exhausted() -> None:
    @discovering(Bench)
    async def check(bench: Bench) -> None:
        bench.streams.open("s")
        bench.streams.close("s")
        bench.streams.enabled = False
        await bench.pass_time(5)
        assert bench.gauge() == 0
        assert bench.discovery.exhausted == set()
        bench.leases["s"] = replace(bench.leases["s"], checkpoint=SHARD_END)
        await bench.pass_time(400)
        assert bench.discovery.exhausted == {STREAM.key}


def test_a_stream_without_the_needed_images_is_refused() -> None:
    async def main() -> None:
        bench = Bench()
        bench.streams.view_type = ViewType.KEYS_ONLY
        bench.look()
        with pytest.raises(Misconfigured, match="KEYS_ONLY"):
            await bench.discovery.run()

    run(main)


def test_a_sweep_stops_writing_when_the_worker_drains() -> None:
    @discovering(Bench)
    async def check(bench: Bench) -> None:
        bench.streams.page_size = 1
        for number in range(20):
            bench.streams.open(f"s{number:02}")
        await bench.pass_time(1.2)
        found = len(bench.leases)
        bench.discovery.stop()
        await asyncio.sleep(20)
        assert 0 < found < 20
        assert len(bench.leases) == found


def test_a_stream_whose_row_is_gone_is_no_longer_due() -> None:
    @discovering(Bench)
    async def check(bench: Bench) -> None:
        bench.streams.open("s00")
        await bench.pass_time(5)
        row = bench.table.streams.pop(STREAM.key)
        bench.table.streams[NEWER.key] = first_row(bench.source, NEWER, [row])
        swept = bench.streams.count("describe_stream")
        await bench.pass_time(5)
        assert bench.streams.count("describe_stream") > swept
        assert set(bench.discovery._due) == {NEWER.key}
