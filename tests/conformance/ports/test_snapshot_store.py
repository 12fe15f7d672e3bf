"""What every SnapshotStore does: real DynamoDB APIs, and the twin that tests trust."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import pytest
from msgspec.structs import replace

from consumer.adapters.aws.aws import Aws
from consumer.adapters.clock import SystemClock
from consumer.adapters.lease_table.lease_table import LeaseTable
from consumer.adapters.lease_table.snapshot_table import SnapshotTable
from consumer.core.republish.snapshot import Counts, Mode, Segment, Snapshot, Terms, written
from consumer.snapshot_ports import SnapshotStore
from tests.twins.snapshot_store import SnapshotRows, SnapshotStoreTwin

TABLE = "conformance-leases"
TERMS = Terms(4, '{"a": [1]}', ("a.b", "a.c"), "f1", "2026-11-01T09:30:00.000", Mode.TWICE)
SNAPSHOT = Snapshot("orders", "first", "run-1", TERMS, 1793525400.123456)
FRESH = Segment(2, "run-1")
COUNTS = Counts(5, 1, 3, 2)

_applications = count()


@asynccontextmanager
async def on_server(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, application: str
) -> AsyncIterator[tuple[LeaseTable, SnapshotTable]]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    async with Aws() as aws:
        dynamodb, clock = await aws.dynamodb(4), SystemClock()
        leases = LeaseTable(
            dynamodb, clock, table=TABLE, application=application, request_seconds=60.0
        )
        await leases.ensure_table(create=True)
        yield (
            leases,
            SnapshotTable(
                dynamodb, clock, table=TABLE, application=application, request_seconds=60.0
            ),
        )


@pytest.fixture(params=["twin", "ministack", "dynamodb_local_server"])
async def store(
    request: pytest.FixtureRequest, use_aws: pytest.MonkeyPatch
) -> AsyncIterator[SnapshotStore]:
    if request.param == "twin":
        yield SnapshotStoreTwin(SnapshotRows(), delay=0.0)
        return
    server = request.getfixturevalue(request.param)
    application = f"snapshots-{next(_applications)}"
    async with on_server(server.environment(), use_aws, application) as (_, snapshots):
        yield snapshots


async def test_an_id_that_was_never_begun(store: SnapshotStore) -> None:
    assert await store.read_snapshot("orders", "first") is None
    assert list(await store.read_segments(SNAPSHOT)) == []


async def test_a_snapshot_is_begun_once(store: SnapshotStore) -> None:
    assert await store.begin_snapshot(None, SNAPSHOT) == SNAPSHOT
    other = replace(SNAPSHOT, run="run-2", terms=replace(TERMS, segments=8, filter=None))
    assert await store.begin_snapshot(None, other) == SNAPSHOT
    assert await store.read_snapshot("orders", "first") == SNAPSHOT


async def test_a_snapshot_ends_once(store: SnapshotStore) -> None:
    await store.begin_snapshot(None, SNAPSHOT)
    ended = SNAPSHOT.ended(1793529000.5, COUNTS)
    assert await store.end_snapshot(ended) == ended
    assert await store.end_snapshot(SNAPSHOT.ended(1793529001.5, Counts())) == ended
    assert await store.read_snapshot("orders", "first") == ended


async def test_a_run_that_is_not_the_present_one_does_not_end(store: SnapshotStore) -> None:
    stranger = replace(SNAPSHOT, run="run-0").ended(1793529000.5, COUNTS)
    assert await store.end_snapshot(stranger) is None
    assert await store.read_snapshot("orders", "first") is None
    await store.begin_snapshot(None, SNAPSHOT)
    assert await store.end_snapshot(stranger) == SNAPSHOT


async def test_an_ended_snapshot_is_begun_anew_by_one(store: SnapshotStore) -> None:
    await store.begin_snapshot(None, SNAPSHOT)
    ended = SNAPSHOT.ended(1793529000.5, COUNTS)
    again = replace(SNAPSHOT, run="run-2", terms=replace(TERMS, segments=8, filter=None))
    assert await store.begin_snapshot(ended, again) == SNAPSHOT  # it has not ended yet
    await store.end_snapshot(ended)
    assert await store.begin_snapshot(ended, again) == again
    assert await store.begin_snapshot(ended, replace(again, run="run-3")) == again
    assert await store.read_snapshot("orders", "first") == again


async def test_a_segment_is_taken_by_one(store: SnapshotStore) -> None:
    mine, its = FRESH.taken("me", "run-1"), FRESH.taken("other", "run-1")
    assert await store.write_segment(SNAPSHOT, FRESH, mine) == mine
    found = await store.write_segment(SNAPSHOT, FRESH, its)
    assert found == mine
    assert not written(its, found)
    assert list(await store.read_segments(SNAPSHOT)) == [mine]


async def test_a_segment_goes_on_and_ends(store: SnapshotStore) -> None:
    taken = FRESH.taken("me", "run-1")
    await store.write_segment(SNAPSHOT, FRESH, taken)
    once = taken.settled('{"pk":{"S":"é\\n"},"sk":{"B":"AAA="}}', COUNTS)
    assert await store.write_segment(SNAPSHOT, taken, once) == once
    assert await store.write_segment(SNAPSHOT, taken, once) == once  # sent again
    beat = once.beating()
    assert await store.write_segment(SNAPSHOT, once, beat) == beat
    done = beat.settled(None, COUNTS)
    assert await store.write_segment(SNAPSHOT, beat, done) == done
    assert list(await store.read_segments(SNAPSHOT)) == [done]


async def test_whoever_was_taken_over_writes_nothing(store: SnapshotStore) -> None:
    taken = FRESH.taken("me", "run-1")
    await store.write_segment(SNAPSHOT, FRESH, taken)
    over = taken.taken("other", "run-1")
    assert await store.write_segment(SNAPSHOT, taken, over) == over
    for late in (taken.beating(), taken.settled("k", COUNTS), taken.settled(None, COUNTS)):
        assert await store.write_segment(SNAPSHOT, taken, late) == over
    assert list(await store.read_segments(SNAPSHOT)) == [over]


async def test_an_earlier_write_of_the_same_owner_that_comes_late_changes_nothing(
    store: SnapshotStore,
) -> None:
    taken = FRESH.taken("me", "run-1")
    await store.write_segment(SNAPSHOT, FRESH, taken)
    once = taken.settled("k", COUNTS)
    await store.write_segment(SNAPSHOT, taken, once)
    assert await store.write_segment(SNAPSHOT, taken, taken.beating()) == once
    stranger = replace(once, owner="other")
    assert await store.write_segment(SNAPSHOT, stranger, stranger.beating()) == once
    assert list(await store.read_segments(SNAPSHOT)) == [once]


async def test_a_released_segment_is_taken_again(store: SnapshotStore) -> None:
    taken = FRESH.taken("me", "run-1")
    await store.write_segment(SNAPSHOT, FRESH, taken)
    free = taken.released()
    assert await store.write_segment(SNAPSHOT, taken, free) == free
    again = free.taken("other", "run-1")
    assert await store.write_segment(SNAPSHOT, free, again) == again


async def test_the_run_counts_too(store: SnapshotStore) -> None:
    taken = FRESH.taken("me", "run-1")
    await store.write_segment(SNAPSHOT, FRESH, taken)
    other = replace(taken, run="run-0")
    assert await store.write_segment(SNAPSHOT, other, other.beating()) == taken
    anew = taken.taken("me", "run-2")
    assert await store.write_segment(SNAPSHOT, taken, anew) == anew


async def test_a_row_that_is_gone_is_not_written(store: SnapshotStore) -> None:
    taken = FRESH.taken("me", "run-1")
    assert await store.write_segment(SNAPSHOT, taken, taken.beating()) is None
    assert list(await store.read_segments(SNAPSHOT)) == []


async def test_segments_come_with_their_own_snapshot(store: SnapshotStore) -> None:
    """The id of one may be the beginning of the id of another."""
    longer = replace(SNAPSHOT, id="first-2", run="run-9")
    for snapshot, number in ((SNAPSHOT, 1), (SNAPSHOT, 999_999), (longer, 2)):
        fresh = Segment(number, snapshot.run)
        await store.write_segment(snapshot, fresh, fresh.taken("me", snapshot.run))
    assert sorted(row.number for row in await store.read_segments(SNAPSHOT)) == [1, 999_999]
    assert [row.number for row in await store.read_segments(longer)] == [2]
    assert await store.read_snapshot("orders", "first") is None


@pytest.mark.parametrize("server", ["ministack", "dynamodb_local_server"])
async def test_no_other_reader_of_the_table_meets_these_rows(
    request: pytest.FixtureRequest, use_aws: pytest.MonkeyPatch, server: str
) -> None:
    """Workers and commands read by prefixes, and versions before this one do the same."""
    environment = request.getfixturevalue(server).environment()
    application = f"snapshots-{next(_applications)}"
    async with on_server(environment, use_aws, application) as (leases, snapshots):
        await snapshots.begin_snapshot(None, SNAPSHOT)
        await snapshots.write_segment(SNAPSHOT, FRESH, FRESH.taken("me", "run-1"))
        assert [list(rows) for rows in await leases.read_peers()] == [[], []]
        for key in ("orders", "orders/first", "orders/2026-11-01T09:30:00.000"):
            assert list(await leases.read_leases(key)) == []
            assert list(await leases.read_gaps(key)) == []
            assert list(await leases.read_commands(key, 0)) == []
