"""Workers beside rows that cannot be read: one row costs one shard, or one stream."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from consumer.core.leases.checkpoint import SHARD_END, UNREADABLE
from consumer.core.leases.lease import Lease, Worker
from consumer.core.leases.lease_state import LeaseState
from consumer.runtime.discovery.bootstrap import first_row
from tests.twins.fleet import Fleet, source
from tests.twins.shard_list import NEWER, STREAM
from tests.twins.virtual_time import run


def fleet_of(shards: int, check: Callable[[Fleet], Awaitable[None]]) -> None:
    async def main() -> None:
        fleet = Fleet()
        for number in range(shards):
            fleet.streams.open(f"s{number:02}")
        await check(fleet)
        await fleet.stop()

    run(main)


def damaged(lease: Lease) -> Lease:
    return replace(lease, checkpoint=UNREADABLE, unreadable="checkpoint")


@pytest.mark.parametrize("owner", [None, "a", "gone"])
def test_a_worker_that_starts_reads_all_shards_but_the_one_whose_row_is_damaged(
    owner: str | None,
) -> None:
    async def check(fleet: Fleet) -> None:
        rows = fleet.table.of(STREAM.key)
        rows["s01"] = bad = damaged(Lease("s01", None, owner, 3))
        rows["child"] = Lease("child", "s01")
        node = fleet.start("a")
        await asyncio.sleep(300)
        assert set(node.running) == {"s00", "s02", "s03"}
        assert rows["s01"] == bad, "it is left alone"
        states = {seen.lease.shard_id: seen.state for seen in node.coordinator.leases()}
        assert states["s01"] is LeaseState.UNREADABLE
        assert states["child"] is LeaseState.WAITING
        rows["s01"] = replace(bad, checkpoint="5", unreadable=None)  # an operator repairs it
        await asyncio.sleep(90)
        assert set(node.running) == {"s00", "s01", "s02", "s03"}

    fleet_of(4, check)


def test_a_row_damaged_while_its_shard_is_read_is_not_taken_by_a_peer() -> None:
    async def check(fleet: Fleet) -> None:
        node, rows = fleet.start("a"), fleet.table.of(STREAM.key)
        await asyncio.sleep(5)
        rows["s01"] = damaged(rows["s01"])
        await asyncio.sleep(70)
        assert set(node.running) == {"s00", "s01"}, "whoever holds it goes on until it writes"
        await node.kill()
        fleet.start("b")
        await asyncio.sleep(120)
        assert set(fleet.nodes["b"].running) == {"s00"}
        del fleet.table.workers["a"]

    fleet_of(2, check)


def test_the_next_stream_waits_for_a_lease_that_cannot_be_read() -> None:
    async def check(fleet: Fleet) -> None:
        old = replace(first_row(source(), STREAM, []), sweep_n=9, sweep_done=9)
        new = replace(first_row(source(), NEWER, [old]), sweep_n=9, sweep_done=9)
        fleet.table.streams.update({old.key: old, new.key: new})
        fleet.table.of(old.key)["s0"] = ended = Lease("s0", None, None, 2, SHARD_END)
        fleet.table.of(old.key)["s1"] = damaged(Lease("s1", None, None, 2))
        fleet.table.of(new.key)["n0"] = Lease("n0", None)
        node = fleet.start("a", follow_table=True, stream=NEWER)
        await asyncio.sleep(400)
        assert set(node.running) == set()
        fleet.table.of(old.key)["s1"] = replace(ended, shard_id="s1")
        await asyncio.sleep(150)
        assert set(node.running) == {"n0"}

    fleet_of(0, check)


def test_a_stream_whose_row_is_damaged_waits_and_is_not_created_anew() -> None:
    async def check(fleet: Fleet) -> None:
        old = replace(first_row(source(), STREAM, []), sweep_n=9, sweep_done=9)
        new = replace(first_row(source(), NEWER, [old]), sweep_n=9, sweep_done=9)
        bad = replace(new, fingerprint="", sweep_n=0, unreadable="fingerprint")
        fleet.table.streams.update({old.key: old, new.key: bad})
        fleet.table.of(old.key)["s0"] = Lease("s0", None, None, 2, "5")
        fleet.table.of(new.key)["n0"] = Lease("n0", None, None, 1, "5")
        fleet.streams.latest = NEWER
        node = fleet.start("a", follow_table=True, stream=NEWER)
        await asyncio.sleep(200)
        assert set(node.running) == {"s0"}, "the other stream goes on"
        assert fleet.table.streams[new.key] == bad
        assert not node.coordinator.draining
        fleet.table.streams[new.key] = new
        await asyncio.sleep(90)
        assert set(node.running) == {"s0", "n0"}

    fleet_of(0, check)


def test_a_stream_row_damaged_while_its_shards_are_read_changes_nothing_for_them() -> None:
    async def check(fleet: Fleet) -> None:
        node = fleet.start("a")
        await asyncio.sleep(60)
        row = fleet.table.streams[STREAM.key]
        fleet.table.streams[STREAM.key] = bad = replace(row, arn="", unreadable="streamArn")
        await asyncio.sleep(900)
        assert len(node.running) == 3
        assert fleet.table.streams[STREAM.key] == bad
        fleet.table.streams[STREAM.key] = row
        fleet.streams.open("s09")
        await asyncio.sleep(600)
        assert len(node.running) == 4

    fleet_of(3, check)


def test_a_note_among_the_worker_rows_takes_no_share() -> None:
    async def check(fleet: Fleet) -> None:
        note = Worker("note", 5, 0, (STREAM.key,), True, False, 0.0, 0.0, "", "")
        note = replace(note, unreadable="heartbeat")
        fleet.table.workers["note"] = note
        node = fleet.start("a")
        await asyncio.sleep(30)
        assert len(node.running) == 4
        del fleet.table.workers["note"]

    fleet_of(4, check)
