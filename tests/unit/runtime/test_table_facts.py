"""A fact about the table, or about its newest stream, ends the reading of no stream."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from consumer.core.lasting import REMIND_SECONDS
from consumer.core.leases.checkpoint import SHARD_END
from consumer.core.leases.lease import ALL_SHARDS, Gap, Lease, StreamRow
from consumer.core.shard.gap import made_at
from consumer.core.stream.stream import Stream, ViewType
from consumer.errors import ConsumerError, Misconfigured, Retryable
from consumer.runtime.discovery.bootstrap import first_row
from tests.twins.fleet import Fleet, Node, source
from tests.twins.shard_list import NEWER, NEWEST, STREAM, ShardListTwin, stream
from tests.twins.virtual_time import run

UNFIT, MENDED = NEWER, NEWEST
DAY = 24 * 3600.0

Logs = list[Any]


class TableTwin(ShardListTwin):
    """One whose table refuses to be described, as long as `refusal` is set."""

    refusal: ConsumerError | None = None
    meanwhile: Callable[[], None] | None = None
    """What peers do just before it is described."""

    async def latest_stream(self, table: str) -> Stream | None:
        if self.meanwhile is not None:
            self.meanwhile()
        found = await super().latest_stream(table)
        if self.refusal is not None:
            raise self.refusal
        return found


def of_table(check: Callable[[Fleet, TableTwin, Logs], Awaitable[None]]) -> None:
    """Run a check on a table with one open shard, and the log of it."""

    async def main() -> None:
        streams = TableTwin()
        streams.open("s00")
        fleet = Fleet(streams=streams)
        with capture_logs() as logs:
            await check(fleet, streams, logs)
            for node in fleet.nodes.values():
                if node.task is not None and not node.task.done():
                    node.coordinator.stop()
                    await node.stopped()
        assert fleet.violations == []

    run(main)


def named(logs: Logs, event: str) -> Logs:
    return [log for log in logs if log["event"] == event]


def lost(fleet: Fleet, *, holes: bool = False) -> dict[str, list[Gap]]:
    """The gaps of streams that were not read, or those between streams, by stream."""
    told = {
        key: [gap for gap in gaps.values() if (gap.reason == "between_streams") == holes]
        for key, gaps in fleet.table.gaps.items()
    }
    return {key: gaps for key, gaps in told.items() if gaps}


async def reads_on(node: Node) -> None:
    """It reads, and what opens now is found."""
    await asyncio.sleep(400)
    assert node.task is not None
    assert not node.task.done()
    assert set(node.running) == {"s00", "late"}


@pytest.mark.parametrize(
    ("fact", "reason"),
    [
        ("deleted", "table_gone"),
        ("without a stream", "no_stream"),
        (Retryable("DescribeTable", "access_denied"), "access_denied"),
        (Retryable("DescribeTable", "throttled"), "throttled"),
    ],
)
def test_whatever_the_table_says_its_known_stream_is_read_on(
    fact: str | Retryable, reason: str
) -> None:
    async def check(fleet: Fleet, streams: TableTwin, logs: Logs) -> None:
        node = fleet.start("a", follow_table=True)
        await asyncio.sleep(5)
        if isinstance(fact, Retryable):
            streams.refusal = fact
        elif fact == "deleted":
            streams.table_gone = True
        else:
            streams.latest = None
        streams.enabled = False
        streams.open("late")
        await reads_on(node)
        told, *_ = named(logs, "successor_unknown")
        assert (told["log_level"], told["stream"], told["reason"]) == ("error", STREAM.key, reason)
        assert told["action"]
        before = len(named(logs, "successor_unknown"))
        await asyncio.sleep(REMIND_SECONDS)
        assert len(named(logs, "successor_unknown")) == before + 1, "it is repeated now and then"
        # It goes on by itself once the table has a stream again.
        streams.table_gone, streams.refusal, streams.latest = False, None, MENDED
        await asyncio.sleep(310)
        assert fleet.table.streams[MENDED.key].after == STREAM.label

    of_table(check)


def test_a_drained_stream_of_a_deleted_table_is_waited_with_and_told_of() -> None:
    async def check(fleet: Fleet, streams: TableTwin, logs: Logs) -> None:
        node = fleet.start("a", follow_table=True)
        await asyncio.sleep(5)
        streams.table_gone, streams.enabled = True, False
        streams.close("s00")
        node.running["s00"].end()
        await asyncio.sleep(600)
        assert node.task is not None
        assert not node.task.done()
        told, *_ = named(logs, "stream_disabled")
        assert "enable a stream" in told["action"]
        gauge = {"stream": STREAM.key}
        assert node.metrics.registry.get_sample_value("consumer_stream_enabled", gauge) == 0

    of_table(check)


def began_with(fleet: Fleet, *leases: Lease, **changes: Any) -> StreamRow:
    row = replace(first_row(source(), STREAM, []), sweep_n=9, sweep_done=9, **changes)
    fleet.table.streams[row.key] = row
    fleet.table.of(row.key).update({lease.shard_id: lease for lease in leases})
    return row


def test_an_unfit_newest_stream_ends_nobody_and_is_passed_by_once_it_is_its_turn() -> None:
    async def check(fleet: Fleet, streams: TableTwin, logs: Logs) -> None:
        streams.unfit = {UNFIT.label: ViewType.KEYS_ONLY}
        node = fleet.start("a", follow_table=True)
        await asyncio.sleep(5)
        streams.latest = UNFIT
        await asyncio.sleep(400)
        assert set(node.running) == {"s00"}
        assert fleet.table.of(UNFIT.key) == {}, "nothing of it is to be read"
        told, *_ = named(logs, "stream_unfit")
        assert (told["stream"], told["reason"]) == (UNFIT.key, "view_type")
        gauge = {"stream": UNFIT.key}
        assert node.metrics.registry.get_sample_value("consumer_stream_enabled", gauge) == 0
        # It is mended, and the third waits for both.
        streams.latest = MENDED
        await asyncio.sleep(60)
        third = fleet.table.streams[MENDED.key]
        assert third.after == UNFIT.label
        assert lost(fleet) == {}, "its turn has not come"
        assert set(node.running) == {"s00"}
        streams.close("s00")
        node.running["s00"].end()
        await asyncio.sleep(120)
        (gap,) = lost(fleet)[UNFIT.key]
        assert (gap.shard_id, gap.from_, gap.to, gap.reason) == (
            ALL_SHARDS,
            "TRIM_HORIZON",
            None,
            "view_type",
        )
        assert (
            node.metrics.registry.get_sample_value("consumer_gaps_total", {"reason": "view_type"})
            == 1
        )
        assert fleet.table.streams[UNFIT.key].passed_by == "view_type"
        log = fleet.table.log
        mark = max(at for at, entry in enumerate(log) if entry == ("replace_stream", UNFIT.key))
        assert max(at for at, entry in enumerate(log) if entry == ("put_gap", ALL_SHARDS)) < mark
        assert {seen.stream_key for seen in node.coordinator.leases() if seen.lease.owner} == {
            MENDED.key
        }
        told = [log["reason"] for log in named(logs, "stream_lost_unread")]
        assert told.count("view_type") == 1

    of_table(check)


def test_a_note_among_the_leases_of_an_unfit_stream_ends_nobody() -> None:
    async def check(fleet: Fleet, streams: TableTwin, logs: Logs) -> None:
        streams.unfit = {UNFIT.label: ViewType.KEYS_ONLY}
        fleet.table.of(UNFIT.key)["note"] = Lease("note", None, unreadable="checkpoint")
        node = fleet.start("a", follow_table=True)
        await asyncio.sleep(5)
        streams.latest = UNFIT
        await asyncio.sleep(400)
        assert set(node.running) == {"s00"}
        told, *_ = named(logs, "stream_unfit")
        assert told["stream"] == UNFIT.key

    of_table(check)


def test_the_newest_stream_is_not_passed_by_while_settings_may_still_be_changed() -> None:
    async def check(fleet: Fleet, streams: TableTwin, logs: Logs) -> None:
        streams.unfit = {UNFIT.label: ViewType.NEW_IMAGE}
        began_with(fleet, Lease("s00", None, None, 2, SHARD_END))
        streams.latest = UNFIT
        streams.close("s00")
        node = fleet.start("a", follow_table=True, stream=UNFIT)
        await asyncio.sleep(1200)
        assert lost(fleet) == {}
        assert node.task is not None
        assert not node.task.done(), "it waits for its operator"
        node.coordinator.stop()
        await node.stopped()
        both = frozenset({ViewType.NEW_IMAGE, ViewType.NEW_AND_OLD_IMAGES})
        after = fleet.start("b", follow_table=True, stream=UNFIT, view_types=both)
        streams.shards.clear()
        streams.open("u00")
        await asyncio.sleep(120)
        assert set(after.running) == {"u00"}

    of_table(check)


def test_an_unfit_stream_is_passed_by_although_its_start_at_latest_was_never_made() -> None:
    """Its row was made with other settings, by who died before a lease of it existed."""

    async def check(fleet: Fleet, streams: TableTwin, logs: Logs) -> None:
        first = first_row(source(start_position="LATEST"), STREAM, [])
        fleet.table.streams[first.key] = first
        streams.unfit = {STREAM.label: ViewType.NEW_IMAGE}
        node = fleet.start("a", follow_table=True)
        await asyncio.sleep(60)
        assert node.task is not None
        assert not node.task.done(), "it waits for its operator"
        assert fleet.table.of(first.key) == {}, "nothing of it is to be read"
        assert named(logs, "stream_unfit")
        streams.latest = MENDED
        await asyncio.sleep(400)
        assert fleet.table.streams[first.key].passed_by == "view_type"
        assert [gap.reason for gap in lost(fleet)[first.key]] == ["view_type"]
        assert {seen.stream_key for seen in node.coordinator.leases() if seen.lease.owner} == {
            MENDED.key
        }

    of_table(check)


@pytest.mark.parametrize("begun", [1, 0])
def test_a_stream_listed_for_reading_with_other_settings_is_refused(begun: int) -> None:
    """The settings have changed, and may be changed back: it would be lost."""

    async def check(fleet: Fleet, streams: TableTwin, _logs: Logs) -> None:
        streams.view_type = ViewType.NEW_IMAGE
        began_with(fleet, Lease("s00", None, None, begun, "5" if begun else "TRIM_HORIZON"))
        node = fleet.start("a", follow_table=True)
        await asyncio.sleep(400)
        with pytest.raises(Misconfigured, match="NEW_IMAGE"):
            await node.stopped()
        assert lost(fleet) == {}

    of_table(check)


def test_a_stream_read_to_its_end_with_other_settings_is_in_nobodys_way() -> None:
    async def check(fleet: Fleet, streams: TableTwin, logs: Logs) -> None:
        streams.unfit = {STREAM.label: ViewType.NEW_IMAGE}
        began_with(fleet, Lease("s00", None, None, 2, SHARD_END))
        streams.close("s00")
        streams.latest = MENDED
        node = fleet.start("a", follow_table=True, stream=MENDED)
        await asyncio.sleep(400)
        assert node.task is not None
        assert not node.task.done()
        assert lost(fleet) == {}
        assert named(logs, "stream_unfit") == []

    of_table(check)


def test_an_unfit_stream_of_an_arn_is_refused() -> None:
    async def check(fleet: Fleet, streams: TableTwin, _logs: Logs) -> None:
        streams.view_type = ViewType.KEYS_ONLY
        node = fleet.start("a")
        await asyncio.sleep(60)
        with pytest.raises(Misconfigured, match="KEYS_ONLY"):
            await node.stopped()

    of_table(check)


def test_a_stream_that_was_gone_before_its_first_listing_leaves_a_gap() -> None:
    async def check(fleet: Fleet, streams: TableTwin, logs: Logs) -> None:
        streams.gone = True
        old = stream("2020-01-01T00:00:00.000")
        young = stream("2999-01-01T00:00:00.000")
        for each in (old, young):
            rows = list(fleet.table.streams.values())
            fleet.table.streams[each.key] = first_row(source(), each, rows)
        streams.latest = young
        fleet.start("a", follow_table=True, stream=young)
        await asyncio.sleep(120)
        (gap,) = lost(fleet)[old.key]
        assert (gap.shard_id, gap.reason) == (ALL_SHARDS, "stream_gone")
        assert young.key not in lost(fleet), "it cannot have been forgotten: it does not show"
        assert [
            log["stream"]
            for log in named(logs, "stream_lost_unread")
            if log["reason"] == "stream_gone"
        ] == [old.key]

    of_table(check)


def test_three_streams_who_waits_long_says_for_which() -> None:
    async def check(fleet: Fleet, streams: TableTwin, logs: Logs) -> None:
        first = began_with(fleet, Lease("s00", None))
        second = first_row(source(), UNFIT, [first])
        third = first_row(source(), MENDED, [first, second])
        fleet.table.streams |= {second.key: second, third.key: third}
        streams.latest = MENDED
        node = fleet.start("a", follow_table=True, stream=MENDED)
        await asyncio.sleep(2 * node.timing.discovery)
        assert named(logs, "stream_waits") == []
        await asyncio.sleep(10)
        waiting = [(log["stream"], log["after"]) for log in named(logs, "stream_waits")]
        assert waiting == [(second.key, first.key), (third.key, first.key)]
        await asyncio.sleep(2 * REMIND_SECONDS)
        assert len(named(logs, "stream_waits")) == 2 + 2 * 2

    of_table(check)


def test_a_gap_that_was_written_without_an_answer_is_written_again() -> None:
    async def check(fleet: Fleet, streams: TableTwin, _logs: Logs) -> None:
        first = began_with(fleet, Lease("s00", None, None, 2, SHARD_END))
        second = first_row(source(), UNFIT, [first])
        third = first_row(source(), MENDED, [first, second])
        fleet.table.streams |= {second.key: second, third.key: third}
        fleet.table.gaps[second.key] = {
            (ALL_SHARDS, "TRIM_HORIZON"): Gap(ALL_SHARDS, "TRIM_HORIZON", None, "view_type", 1.0)
        }
        streams.unfit = {UNFIT.label: ViewType.KEYS_ONLY}
        streams.close("s00")
        streams.latest = MENDED
        fleet.start("a", follow_table=True, stream=MENDED)
        await asyncio.sleep(120)
        assert fleet.table.streams[second.key].passed_by == "view_type"
        assert len(lost(fleet)[second.key]) == 1

    of_table(check)


def test_the_hole_between_two_streams_is_told_once_by_whoever_lists_the_second_first() -> None:
    async def check(fleet: Fleet, streams: TableTwin, logs: Logs) -> None:
        first = began_with(fleet, Lease("s00", None, None, 2, SHARD_END, record_at=77.5))
        fleet.table.streams[MENDED.key] = first_row(source(), MENDED, [first])
        streams.close("s00")
        streams.latest = MENDED
        node = fleet.start("a", follow_table=True, stream=MENDED)
        await asyncio.sleep(120)
        (gap,) = lost(fleet, holes=True)[first.key]
        assert (gap.shard_id, gap.from_, gap.to) == (ALL_SHARDS, SHARD_END, None)
        assert gap.changed_between == (77.5, made_at(MENDED.label))
        log = fleet.table.log
        done = [at for at, entry in enumerate(log) if entry == ("replace_stream", MENDED.key)]
        assert log.index(("put_gap", ALL_SHARDS)) < done[1], "before the first listing is done"
        count = node.metrics.registry.get_sample_value
        assert count("consumer_gaps_total", {"reason": "between_streams"}) == 1
        assert [log["stream"] for log in named(logs, "stream_lost_unread")] == [first.key]
        after = fleet.start("b", follow_table=True, stream=MENDED)
        await asyncio.sleep(700)
        assert lost(fleet, holes=True)[first.key] == [gap]
        assert count("consumer_gaps_total", {"reason": "between_streams"}) == 1
        assert after.task is not None

    of_table(check)


def test_the_hole_before_a_stream_that_cannot_be_read_is_told_once() -> None:
    async def check(fleet: Fleet, streams: TableTwin, logs: Logs) -> None:
        streams.unfit = {UNFIT.label: ViewType.KEYS_ONLY}
        first = began_with(fleet, Lease("s00", None, None, 2, SHARD_END))
        streams.close("s00")
        streams.latest = UNFIT
        for name in ("a", "b"):
            fleet.start(name, follow_table=True, stream=UNFIT)
            await asyncio.sleep(300)
        (gap,) = lost(fleet, holes=True)[first.key]
        assert gap.from_time == made_at(STREAM.label)
        assert fleet.table.log.count(("put_gap", ALL_SHARDS)) == 1, "its first listing never ends"
        assert fleet.table.log.count(("read_gaps", first.key)) <= 2, "each worker looks once"

    of_table(check)


def test_a_stream_comes_after_one_that_whoever_made_its_row_did_not_know() -> None:
    async def check(fleet: Fleet, streams: TableTwin, _logs: Logs) -> None:
        first = began_with(fleet, Lease("s00", None, None, 2, SHARD_END))
        second, third = (first_row(source(), each, [first]) for each in (UNFIT, MENDED))
        assert second.after == third.after == first.label
        fleet.table.streams |= {second.key: second, third.key: third}
        streams.unfit = {UNFIT.label: ViewType.KEYS_ONLY}
        streams.close("s00")
        streams.latest = MENDED
        fleet.start("a", follow_table=True, stream=MENDED)
        await asyncio.sleep(300)
        assert fleet.table.streams[second.key].passed_by == "view_type"
        assert set(lost(fleet, holes=True)) == {first.key, second.key}

    of_table(check)


def test_a_worker_that_makes_a_stream_known_looks_for_the_newest_before_it() -> None:
    async def check(fleet: Fleet, streams: TableTwin, logs: Logs) -> None:
        first = began_with(fleet, Lease("s00", None, None, 2, SHARD_END))

        def peer_finds_another() -> None:
            second = first_row(source(), UNFIT, [first])
            fleet.table.streams.setdefault(second.key, second)

        streams.meanwhile = peer_finds_another
        streams.unfit = {UNFIT.label: ViewType.KEYS_ONLY}
        streams.close("s00")
        streams.latest = MENDED
        fleet.start("a", follow_table=True)
        await asyncio.sleep(300)
        assert fleet.table.streams[MENDED.key].after == UNFIT.label
        (told,) = named(logs, "new_stream")
        assert (told["stream"], told["after"]) == (MENDED.key, UNFIT.key)

    of_table(check)


def test_a_stream_that_is_known_later_than_the_next_one_has_its_holes_told() -> None:
    async def check(fleet: Fleet, streams: TableTwin, _logs: Logs) -> None:
        first = began_with(fleet, Lease("s00", None, None, 2, SHARD_END))
        third = replace(first_row(source(), MENDED, [first]), sweep_n=9, sweep_done=9)
        fleet.table.streams[third.key] = third
        fleet.table.of(third.key)["n0"] = Lease("n0", None)
        streams.close("s00")
        streams.latest = MENDED
        fleet.start("a", follow_table=True, stream=MENDED)
        await asyncio.sleep(60)
        assert lost(fleet, holes=True) == {}, "whoever listed the third stream had to tell it"
        second = first_row(source(), UNFIT, [first])
        fleet.table.streams[second.key] = second
        await asyncio.sleep(60)
        found = {key: gaps[0].changed_between for key, gaps in lost(fleet, holes=True).items()}
        assert found == {
            first.key: (made_at(STREAM.label), made_at(UNFIT.label)),
            second.key: (made_at(UNFIT.label), made_at(MENDED.label)),
        }

    of_table(check)
