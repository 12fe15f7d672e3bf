"""What every Table does: real DynamoDB APIs, and the twin that tests trust."""

import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.tables import DynamoDbTable
from consumer.adapters.clock import SystemClock
from consumer.errors import Retryable, TableNotFound
from tests.conformance.ports.tables import Backend, InMemory, item, on_server
from tests.twins.table import wire

if TYPE_CHECKING:
    from msgspec import Raw

    from localdev.aws.process import AwsProcess

ALL_TYPES: Any = {
    "s": {"S": 'ä "quoted" \\ /'},
    "empty": {"S": ""},
    "n": {"N": "-12345678901234567890.123456789"},
    "b": {"B": "AAH/"},
    "yes": {"BOOL": True},
    "nothing": {"NULL": True},
    "m": {"M": {"l": {"L": [{"S": "a"}, {"M": {}}, {"L": []}]}}},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2.5"]},
    "bs": {"BS": ["AQ==", "Ag=="]},
}


@pytest.fixture(params=["twin", "ministack", "dynamodb_local_server"])
async def on(request: pytest.FixtureRequest, use_aws: pytest.MonkeyPatch) -> AsyncIterator[Backend]:
    if request.param == "twin":
        yield InMemory()
    else:
        server = request.getfixturevalue(request.param)
        async with on_server(server.environment(), use_aws) as backend:
            await backend.port.describe()
            yield backend


def key(number: int, text: str | None = None, pk: str = "o") -> Any:
    return {"pk": {"S": pk}, "sk": {"N": text or str(number)}}


def sort_keys(items: Any) -> list[str]:
    return [item(each.keys)["sk"]["N"] for each in items]


async def test_a_table_says_what_it_is(on: Backend) -> None:
    described = await on.port.describe()
    assert (described.name, described.keys) == (on.name, ("pk", "sk"))
    assert described.key_types == {"pk": "S", "sk": "N"}
    assert described.arn.endswith(f":table/{on.name}")
    assert (described.read_capacity, described.replicas, described.strong) == (None, (), False)
    if on.name != "twin":
        assert described.stream is not None
        assert described.stream.arn == f"{described.arn}/stream/{described.stream.label}"


async def test_an_item_has_all_its_values(on: Backend) -> None:
    await on.put({**key(1), **ALL_TYPES})
    answer = await on.port.get([wire(key(1))])
    [found] = answer.items
    image = item(found.item)
    for name in ("ss", "ns", "bs"):
        [kind] = image[name]
        image[name][kind].sort()
    assert image == {**key(1), **ALL_TYPES}
    assert abs(found.read_at - time.time()) < 60
    assert (found.twice, answer.unread) == (False, ())


async def test_what_is_absent_is_answered_too(on: Backend) -> None:
    await on.put(key(1), key(2))
    await on.delete(key(2))
    answer = await on.port.get([wire(key(n)) for n in (3, 1, 2)])
    found = {item(each.keys)["sk"]["N"]: item(each.item) for each in answer.items}
    assert found == {"1": key(1), "2": None, "3": None}


async def test_a_write_is_seen_by_the_next_read(on: Backend) -> None:
    for number in range(5):
        await on.put({**key(1), "n": {"N": str(number)}})
        [found] = (await on.port.get([wire(key(1))])).items
        assert item(found.item)["n"] == {"N": str(number)}


async def test_a_hundred_keys_can_be_asked_for(on: Backend) -> None:
    await on.put(*(key(number) for number in range(100)))
    answer = await on.port.get([wire(key(number)) for number in range(100)])
    assert sorted(map(int, sort_keys(answer.items))) == [*range(100)]
    assert answer.unread == ()


async def test_what_does_not_fit_into_an_answer_is_unread(on: Backend) -> None:
    if on.name == "twin":
        pytest.skip("it has no such limit: tests say what is left unread")
    await on.put(*({**key(n), "text": {"S": "x" * 390_000}} for n in range(60)))
    asked: list[Raw] = [wire(key(number)) for number in range(60)]
    try:
        answer = await on.port.get(asked)
    except Retryable as error:
        if "longer than" not in str(error):
            raise
        pytest.skip("this server answers with more than 16 MB: the reader asks for fewer keys then")
    assert len(answer.items) + len(answer.unread) == 60
    read = {bytes(each.keys) for each in answer.items}
    assert read | {bytes(each) for each in answer.unread} == {bytes(each) for each in asked}


async def test_a_partition_is_read_in_pages_in_its_order(on: Backend) -> None:
    await on.put(*({**key(n), "text": {"S": "x" * 300_000}} for n in range(7)), key(1, pk="x"))
    found: list[str] = []
    after: Raw | None = None
    pages = 0
    while True:
        answer = await on.port.query(wire({"pk": {"S": "o"}}), after)
        found += sort_keys(answer.items)
        pages += 1
        after = answer.after
        if after is None:
            break
    assert found == [str(number) for number in range(7)]
    assert pages > 1


async def test_a_number_is_one_key_however_it_is_written(on: Backend) -> None:
    await on.put(key(7))
    [found] = (await on.port.get([wire(key(7, "7.00"))])).items
    if item(found.item) is None:
        pytest.skip("the twin and ministack compare the text of keys")
    assert item(found.item) == key(7)


async def test_a_call_says_what_it_has_used(on: Backend) -> None:
    await on.put({**key(1), "text": {"S": "x" * 9_000}})
    answer = await on.port.get([wire(key(1))])
    assert answer.capacity >= 1


@pytest.mark.parametrize("server", ["ministack", "dynamodb_local_server"])
async def test_a_table_that_is_not_there_is_named(
    server: str, request: pytest.FixtureRequest, use_aws: pytest.MonkeyPatch
) -> None:
    process: AwsProcess = request.getfixturevalue(server)
    for name, value in process.environment().items():
        use_aws.setenv(name, value)
    async with Aws() as aws:
        table = DynamoDbTable(await aws.dynamodb(4), SystemClock(), "absent")
        with pytest.raises(TableNotFound, match="no table 'absent' in "):
            await table.describe()
        with pytest.raises(TableNotFound):
            await table.get([wire(key(1))])
