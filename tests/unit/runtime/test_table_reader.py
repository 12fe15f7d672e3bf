"""Reading the table: in order, at a rate, and again after a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from consumer.core.republish.rate_limit import RateLimit
from consumer.core.republish.table.table_description import TableDescription
from consumer.errors import Retryable
from consumer.runtime.republish.table_reader import TRIES, TableReader
from tests.twins.table import TableTwin, wire
from tests.twins.virtual_time import HalfChance, VirtualClock, run
from tests.unit.core.republish.items import TABLE_ARN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.republish.table.read_item import ReadItem


class Desk:
    def __init__(self, rate: float = 1_000_000) -> None:
        self.clock = VirtualClock()
        described = TableDescription("t", TABLE_ARN, ("pk", "sk"), {"pk": "S", "sk": "N"})
        self.table = TableTwin(self.clock, described)
        self.limit = RateLimit(rate)
        self.seconds = 0.0

    @property
    def reader(self) -> TableReader:
        return TableReader(self.table, self.limit, self.clock, HalfChance())

    def get(self, *items: Any) -> list[ReadItem]:
        async def main() -> list[ReadItem]:
            try:
                return await self.reader.get([wire(each) for each in items])
            finally:
                self.seconds = self.clock.now()

        return run(main)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def key(number: int, text: str | None = None) -> Any:
    return {"pk": {"S": "o"}, "sk": {"N": text or str(number)}}


def numbers(found: Sequence[ReadItem]) -> list[str]:
    return [bytes(each.keys).decode().split('"')[-2] for each in found]


def test_the_answer_has_the_order_of_the_keys_also_of_those_given_twice(desk: Desk) -> None:
    desk.table.put(*(key(number) for number in range(250)))
    asked = [key(number % 251) for number in range(300)]
    found = desk.get(*asked)
    assert numbers(found) == [str(number % 251) for number in range(300)]
    assert [each.item is None for each in found].index(True) == 250
    assert desk.table.gets == [100, 100, 51]


def test_what_was_not_read_is_asked_again_and_halves_the_rate(desk: Desk) -> None:
    desk.table.put(*(key(number) for number in range(10)))
    desk.table.reads.extend([4, 0, 3])
    assert numbers(desk.get(*(key(number) for number in range(10)))) == [*map(str, range(10))]
    assert desk.table.gets == [10, 6, 6, 3]
    assert desk.limit.rate(desk.seconds) == pytest.approx(1_000_000 / 8, rel=0.2)


def test_the_rate_is_kept() -> None:
    desk = Desk(rate=100)
    desk.get(*(key(number) for number in range(500)))
    assert 4 <= desk.seconds < 5


def test_a_call_that_fails_is_made_again(desk: Desk) -> None:
    desk.table.put(key(1))
    desk.table.fails.extend([Retryable("x", "timeout"), Retryable("x", "throttled")])
    assert numbers(desk.get(key(1))) == ["1"]
    assert desk.limit.rate(desk.seconds) == pytest.approx(500_000, rel=0.1)


def test_a_call_that_fails_is_made_again_with_fewer_keys(desk: Desk) -> None:
    """The answer may have been longer than any that we take."""
    desk.table.put(*(key(number) for number in range(100)))
    desk.table.fails.extend([Retryable("longer than", "malformed_answer")] * 2)
    assert numbers(desk.get(*(key(n) for n in range(100)))) == [str(n) for n in range(100)]
    assert desk.table.gets == [100, 50, 25, 50, 25]


@pytest.mark.parametrize("reason", ["timeout", "throttled"])
def test_a_call_that_always_fails_ends_the_reading(desk: Desk, reason: str) -> None:
    desk.table.fails.extend([Retryable("no answer", reason)] * 99)
    with pytest.raises(Retryable, match="no answer"):
        desk.get(key(1))
    assert len(desk.table.gets) == TRIES
    assert 10 < desk.seconds < 120


def test_a_denied_call_ends_the_reading_at_once(desk: Desk) -> None:
    desk.table.fails.extend([Retryable("AccessDenied", "access_denied")] * 99)
    with pytest.raises(Retryable, match="AccessDenied"):
        desk.get(key(1))
    assert (len(desk.table.gets), desk.seconds) == (1, 0.0)


def test_a_table_that_reads_nothing_ends_the_reading(desk: Desk) -> None:
    desk.table.reads.extend([0] * 99)
    with pytest.raises(Retryable, match="none of the keys"):
        desk.get(key(1))
    assert len(desk.table.gets) == TRIES


def test_a_partition_is_read_page_by_page(desk: Desk) -> None:
    desk.table.put(*(key(number) for number in range(7)), {**key(1), "pk": {"S": "other"}})

    async def main() -> list[list[str]]:
        pages = desk.reader.query(wire({"pk": {"S": "o"}}))
        return [numbers(page) async for page in pages]

    assert run(main) == [["0", "1", "2"], ["3", "4", "5"], ["6"]]
