"""Two reads of a key, some seconds apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from consumer.core.republish.rate_limit import RateLimit
from consumer.core.republish.table.read_item import Busy, ReadItem
from consumer.core.republish.table.table_description import TableDescription
from consumer.runtime.republish.table_reader import TableReader
from consumer.runtime.republish.two_reads import APART_SECONDS, READ_AGAIN, TwoReads
from tests.twins.table import TableTwin, wire
from tests.twins.virtual_time import EPOCH, HalfChance, VirtualClock, run
from tests.unit.core.republish.items import TABLE_ARN, item_events, route

if TYPE_CHECKING:
    from collections.abc import Sequence


class Desk:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        facts = TableDescription("orders", TABLE_ARN, ("id",), {"id": "S"})
        self.table = TableTwin(self.clock, facts)

    def read(self, *keys: str, apart: float = APART_SECONDS) -> list[ReadItem | Busy]:
        async def main() -> list[ReadItem | Busy]:
            reader = TableReader(self.table, RateLimit(1000), self.clock, HalfChance())
            reads = TwoReads(reader, item_events(route("all")), self.clock, apart)
            first = await reads.first([wire({"id": {"S": key}}) for key in keys])
            return await reads.confirm(first)

        return run(main)

    def changing(self, key: str, times: Sequence[int]) -> None:
        def change(number: int) -> None:
            if number in times:
                self.table.put(item(key, n=number))

        self.table.before_get = change


def item(key: str, n: int = 0) -> Any:
    return {"id": {"S": key}, "n": {"N": str(n)}}


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.table.put(item("a"), item("b"), item("c"))
    return made


def test_what_is_equal_twice_has_the_middle_of_both_as_its_time(desk: Desk) -> None:
    found = desk.read("a", "none", "b")
    middle = EPOCH + desk.table.seconds + APART_SECONDS / 2
    read = [each for each in found if isinstance(each, ReadItem)]
    assert [each.item for each in read] == [wire(item("a")), None, wire(item("b"))]
    assert [each.keys for each in read] == [wire({"id": {"S": key}}) for key in ("a", "none", "b")]
    assert all(each.twice for each in read)
    assert [each.read_at for each in read] == pytest.approx([middle] * 3, abs=1e-3)
    assert desk.table.gets == [3, 3]
    assert desk.table.got_at[1] - desk.table.got_at[0] >= APART_SECONDS


def test_another_spelling_is_the_same(desk: Desk) -> None:
    def spell(number: int) -> None:
        tags = ["x", "y"] if number % 2 else ["y", "x"]
        desk.table.put({**item("a"), "tags": {"SS": tags}})

    desk.table.before_get = spell
    [found] = desk.read("a")
    assert isinstance(found, ReadItem)
    assert desk.table.gets == [1, 1]


def test_what_differs_is_read_again_alone(desk: Desk) -> None:
    desk.changing("b", [1, 2])
    found = desk.read("a", "b", "c")
    assert desk.table.gets == [3, 3, 1, 1]
    b = found[1]
    assert isinstance(b, ReadItem)
    assert b.item == wire(item("b", 2))
    later = EPOCH + 2 * (APART_SECONDS + desk.table.seconds)
    assert later < b.read_at < later + APART_SECONDS + 1
    assert [isinstance(each, ReadItem) and each.twice for each in found] == [True] * 3


def test_what_differs_each_time_is_busy(desk: Desk) -> None:
    desk.changing("b", range(99))
    found = desk.read("a", "b")
    assert isinstance(found[0], ReadItem)
    assert found[1] == Busy(wire({"id": {"S": "b"}}), 2 + READ_AGAIN)
    assert desk.table.gets == [2] + [2] + [1] * READ_AGAIN


def test_what_goes_and_what_comes_meanwhile_differs(desk: Desk) -> None:
    def change(number: int) -> None:
        if number == 1:
            desk.table.delete({"id": {"S": "a"}})
            desk.table.put(item("d"))

    desk.table.before_get = change
    a, d = desk.read("a", "d")
    assert isinstance(a, ReadItem)
    assert isinstance(d, ReadItem)
    assert (a.item, d.item, a.twice, d.twice) == (None, wire(item("d")), True, True)
    assert desk.table.gets == [2, 2, 2]


def test_clocks_that_differ_more_need_more_time(desk: Desk) -> None:
    desk.read("a", apart=10)
    assert desk.table.got_at[1] - desk.table.got_at[0] >= 10


def test_nothing_is_read_where_nothing_is_asked(desk: Desk) -> None:
    assert desk.read() == []
