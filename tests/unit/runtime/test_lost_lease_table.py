"""The lease table is deleted, emptied, made again or restored while workers run."""

import asyncio
from collections.abc import Callable
from copy import deepcopy

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from consumer.errors import Unreachable
from tests.twins.fleet import Fleet
from tests.twins.lease_table import LeaseTable
from tests.twins.shard_list import STREAM
from tests.twins.virtual_time import run

SHARDS = 6


def replaced(table: LeaseTable) -> None:
    """Between any two calls: nobody is told that there was no table."""
    table.drop()
    table.make()


def one_stream_row_deleted(table: LeaseTable) -> None:
    del table.streams[STREAM.key]
    table.of(STREAM.key).clear()


@pytest.mark.parametrize("seconds", [0.0, 1.0, 12.0, 27.0])
@pytest.mark.parametrize("lose", [replaced, one_stream_row_deleted])
def test_nobody_sends_for_shards_whose_rows_are_gone(
    lose: Callable[[LeaseTable], None], seconds: float
) -> None:
    async def main() -> None:
        fleet = await reading("a", "b")
        before = len(fleet.takes)
        if seconds:
            fleet.table.drop()
            await asyncio.sleep(seconds)
            fleet.table.make()
        else:
            lose(fleet.table)
        await asyncio.sleep(1)
        fleet.start("c")  # it knows of no earlier table
        await asyncio.sleep(60)
        assert sorted(fleet.spread().values()) == [2, 2, 2]
        assert len(fleet.takes) >= before + SHARDS  # none is held on without a new take
        await fleet.stop()

    run(main)


def test_a_restored_table_is_begun_from_anew() -> None:
    async def main() -> None:
        fleet = await reading("a")
        table = fleet.table
        backup = deepcopy((table.streams, table.leases))
        await asyncio.sleep(400)  # a sweep more
        before = len(fleet.takes)
        table.streams, table.leases = backup
        await asyncio.sleep(20)
        assert len(fleet.takes) == before + SHARDS
        await fleet.stop()

    with capture_logs() as logs:
        run(main)
    told = [log for log in logs if log["event"] == "stream_row_gone"]
    assert [(log["log_level"], log["stream"]) for log in told] == [("error", STREAM.key)]


def test_the_row_of_a_stream_that_is_not_read_may_go() -> None:
    async def main() -> None:
        fleet = await reading("a")
        before = len(fleet.takes)
        (row,) = fleet.table.streams.values()
        fleet.table.streams["orders/0"] = replace(row, label="0")
        await asyncio.sleep(5)
        del fleet.table.streams["orders/0"]
        await asyncio.sleep(20)
        assert len(fleet.takes) == before
        await fleet.stop()

    with capture_logs() as logs:
        run(main)
    assert [log for log in logs if log["event"] == "stream_row_gone"] == []


def test_every_worker_ends_when_the_table_stays_away_and_nothing_is_told_call_by_call() -> None:
    async def main() -> None:
        fleet = await reading("a", "b")
        fleet.table.drop()
        await asyncio.sleep(4)
        assert set(fleet.spread().values()) == {0}
        for node in fleet.nodes.values():
            async with asyncio.timeout(30):
                with pytest.raises(Unreachable):
                    await node.stopped()
        assert fleet.violations == []

    with capture_logs() as logs:
        run(main)
    told = [log["event"] for log in logs if log["log_level"] in ("warning", "error")]
    assert sorted(told) == sorted(
        2 * ["stream_started", "lease_table_gone", "fence_passed"] + SHARDS * ["shard_left"]
    )


async def reading(*names: str) -> Fleet:
    """A fleet whose workers share all shards."""
    fleet = Fleet()
    for number in range(SHARDS):
        fleet.streams.open(f"s{number}")
    for name in names:
        fleet.start(name)
    await asyncio.sleep(30)
    assert sum(fleet.spread().values()) == SHARDS
    return fleet
