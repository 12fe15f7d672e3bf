"""What a worker knows of the table's streams: only what it reads may change that."""

import asyncio
from collections.abc import Hashable, Sequence

from msgspec.structs import replace

from consumer.core.leases.checkpoint import SHARD_END
from consumer.core.leases.lease import Lease, StreamRow
from consumer.runtime.discovery.bootstrap import first_row
from consumer.runtime.discovery.known_streams import KnownStreams
from consumer.runtime.leases.stream_leases import StreamLeases
from tests.twins.fleet import TIMING, Fleet, Node, source
from tests.twins.shard_list import NEWER, STREAM
from tests.twins.virtual_time import run

FIRST = first_row(source(), STREAM, [])
SECOND = first_row(source(), NEWER, [FIRST])
ENDED = Lease("f", None, None, 2, SHARD_END)
FRESH = Lease("s", None)
TAKEN = Lease("s", None, "b", 1)

Known = tuple[Sequence[str], Hashable, KnownStreams]


def what_it_knows(leases: StreamLeases) -> Known:
    return leases.active(), leases.version(), leases.known()


def rows(sweep: int) -> tuple[StreamRow, StreamRow]:
    return (
        replace(FIRST, sweep_n=sweep, sweep_done=sweep),
        replace(SECOND, sweep_n=9, sweep_done=9),
    )


async def hand_over(*, looks: int) -> list[Known]:
    """What is known at each step of a hand-over from the first stream to the second."""
    leases = Node(Fleet(), "a", TIMING, source()).coordinator._leases
    known: list[Known] = []

    def look() -> None:
        for _ in range(looks):
            leases.views()
        known.append(what_it_knows(leases))

    for sweep in range(1, 9):
        old, new = rows(sweep)
        leases.observe((old, new), asyncio.get_running_loop().time())
        look()
        for row, found in ((old, ENDED), (new, FRESH if sweep < 8 else TAKEN)):
            leases.plan(row, [found], 0)
            look()
        await asyncio.sleep(10)
        look()
    return known


def test_a_thousand_looks_change_nothing() -> None:
    async def main() -> None:
        assert await hand_over(looks=1000) == await hand_over(looks=0)

    run(main)


def test_a_hand_over_comes_to_its_end() -> None:
    async def main() -> None:
        known = await hand_over(looks=0)
        assert known[0][0] == (FIRST.key, SECOND.key)
        assert known[-1][0] == (SECOND.key,)
        assert known[-1][2].retired == {FIRST.key}

    run(main)


def test_leases_of_a_stream_without_a_row_are_left_alone() -> None:
    """Its row was deleted by hand between the two reads."""

    async def main() -> None:
        leases = Node(Fleet(), "a", TIMING, source()).coordinator._leases
        old, new = rows(1)
        leases.observe((new,), 0)
        assert leases.plan(old, [FRESH], 0).take == ()
        assert leases.active() == (SECOND.key,)

    run(main)
