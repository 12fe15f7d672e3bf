"""A parallel Scan on real DynamoDB APIs."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.table_scan import DynamoDbScan
from consumer.adapters.aws.tables import DynamoDbTable
from consumer.adapters.clock import SystemClock
from consumer.core.republish.table.read_item import ReadItem
from consumer.errors import TableNotFound
from tests.conformance.ports.tables import OnServer, item

ITEMS = 40


class Scanned(OnServer):
    """A table with items, and the Scan of it."""

    def __init__(self, dynamodb: Any) -> None:
        super().__init__(dynamodb)
        assert isinstance(self.port, DynamoDbTable)
        self.scan = DynamoDbScan(self.port, dynamodb)

    async def segment(self, number: int, segments: int, limit: int) -> list[ReadItem]:
        """All items of a segment, page by page."""
        found: list[ReadItem] = []
        after = None
        for _ in range(2 * ITEMS):
            page = await self.scan.page(number, segments, after, limit)
            assert len(page.items) <= limit
            found += page.items
            after = page.after
            if after is None:
                return found
        raise AssertionError("the segment does not end")


@pytest.fixture(params=["ministack", "dynamodb_local_server"])
async def table(
    request: pytest.FixtureRequest, use_aws: pytest.MonkeyPatch
) -> AsyncIterator[Scanned]:
    server = request.getfixturevalue(request.param)
    for name, value in server.environment().items():
        use_aws.setenv(name, value)
    async with Aws() as aws:
        made = Scanned(await aws.dynamodb(4))
        await made.create()
        await made.port.describe()
        yield made


def numbers(items: list[ReadItem]) -> list[tuple[str, str]]:
    keys = [item(each.keys) for each in items]
    return sorted((key["pk"]["S"], key["sk"]["N"]) for key in keys)


def row(number: int, **more: Any) -> Any:
    return {"pk": {"S": f"o-{number}"}, "sk": {"N": str(number % 3)}, **more}


async def test_an_empty_table_ends_at_once(table: Scanned) -> None:
    page = await table.scan.page(0, 1, None, 10)
    assert (page.items, page.after, page.unread) == ((), None, ())


@pytest.mark.parametrize("segments", [1, 4])
async def test_segments_together_are_the_table_each_item_once(
    table: Scanned, segments: int
) -> None:
    await table.put(*(row(number) for number in range(ITEMS)))
    found = [await table.segment(number, segments, 7) for number in range(segments)]
    wanted = sorted((f"o-{number}", str(number % 3)) for number in range(ITEMS))
    assert numbers([each for items in found for each in items]) == wanted


async def test_an_item_comes_whole_with_its_key_and_what_the_page_cost(table: Scanned) -> None:
    whole = row(1, b={"B": "AAH/"}, n={"N": "12.50"}, text={"S": "x" * 9_000})
    await table.put(whole)
    page = await table.scan.page(0, 1, None, 10)
    [found] = page.items
    assert item(found.item)["b"] == {"B": "AAH/"}
    assert item(found.item).keys() == whole.keys()
    assert item(found.keys) == {"pk": {"S": "o-1"}, "sk": {"N": "1"}}
    assert page.capacity >= 1.0


async def test_what_was_just_written_is_seen(table: Scanned) -> None:
    """Strongly consistent: rule 4 of readers builds on it."""
    for number in range(5):
        await table.put(row(number))
        assert len(await table.segment(0, 1, 100)) == number + 1


async def test_a_key_goes_through_text_and_the_scan_goes_on_behind_it(table: Scanned) -> None:
    await table.put(*(row(number) for number in range(6)))
    first = await table.scan.page(0, 1, None, 4)
    assert first.after is not None
    second = await table.scan.page(0, 1, type(first.after)(bytes(first.after)), 4)
    assert numbers([*first.items, *second.items]) == numbers(await table.segment(0, 1, 100))


async def test_a_table_that_is_gone(use_aws: pytest.MonkeyPatch, ministack: Any) -> None:
    for name, value in ministack.environment().items():
        use_aws.setenv(name, value)
    async with Aws() as aws:
        dynamodb = await aws.dynamodb(4)
        scan = DynamoDbScan(DynamoDbTable(dynamodb, SystemClock(), "absent"), dynamodb)
        with pytest.raises(TableNotFound):
            await scan.page(0, 1, None, 10)
