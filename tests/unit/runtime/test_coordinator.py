"""Workers that share shards: who runs what, and when."""

import asyncio

from tests.twins.fleet import Fleet
from tests.twins.shard_list import STREAM
from tests.twins.virtual_time import run


def twelve_shards() -> Fleet:
    fleet = Fleet()
    for number in range(12):
        fleet.streams.open(f"shard-{number:02}")
    return fleet


def test_an_empty_table_is_at_work_within_a_second() -> None:
    async def main() -> None:
        fleet = twelve_shards()
        node = fleet.start("a")
        await asyncio.sleep(1)
        assert len(node.running) == 12
        assert max(at for at, _, _ in fleet.takes) < 1
        await fleet.stop()
        assert set(fleet.table.owners(STREAM.key).values()) == {None}
        assert fleet.table.workers == {}

    run(main)


def test_two_workers_that_join_one_share_with_it() -> None:
    async def main() -> None:
        fleet = twelve_shards()
        fleet.start("a")
        await asyncio.sleep(5)
        fleet.start("b")
        fleet.start("c")
        await asyncio.sleep(20)
        assert fleet.spread() == {"a": 4, "b": 4, "c": 4}
        await fleet.stop()

    run(main)


def test_a_killed_worker_is_replaced_within_fifteen_seconds() -> None:
    async def main() -> None:
        fleet = twelve_shards()
        for name in "abc":
            fleet.start(name)
        await asyncio.sleep(30)
        assert fleet.spread() == {"a": 4, "b": 4, "c": 4}
        killed_at = asyncio.get_running_loop().time()
        await fleet.nodes["b"].kill()
        await asyncio.sleep(20)
        assert fleet.spread() == {"a": 6, "b": 0, "c": 6}
        late = [at - killed_at for at, _, _ in fleet.takes if at > killed_at]
        assert len(late) == 4
        assert 8 < min(late)
        assert max(late) <= 15
        await fleet.stop()

    run(main)
