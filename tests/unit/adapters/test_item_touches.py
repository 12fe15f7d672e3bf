"""The ItemTouches port: what is asked of DynamoDB, and what its answers mean."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from consumer.adapters.aws.item_touches import DynamoDbTouches
from consumer.adapters.aws.tables import DynamoDbTable
from consumer.core.republish.touch_answer import CONFLICT, TouchAnswer, TouchOutcome
from consumer.errors import Retryable, TableNotFound
from tests.twins.set_clock import SetClock
from tests.twins.table import wire

KEY = {"pk": {"S": "o"}, "sk": {"B": "YQ=="}}


class Client:
    meta = SimpleNamespace(region_name="eu-central-1")

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: dict[str, Any] = {}

    async def update_item(self, **arguments: Any) -> Any:
        self.asked = arguments
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def touched(answer: Any) -> tuple[TouchAnswer, dict[str, Any]]:
    client = Client(answer)
    table = DynamoDbTable(client, SetClock(), "orders", ("pk", "sk"))
    return await DynamoDbTouches(table, client, "consumer:touch").touch(wire(KEY), "run"), (
        client.asked
    )


def refused(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "UpdateItem")


async def test_it_writes_one_attribute_of_an_item_that_is_there_and_reads_nothing_back() -> None:
    answer, asked = await touched({"ConsumedCapacity": {"CapacityUnits": 3.0}})
    assert answer == TouchAnswer(TouchOutcome.WRITTEN, 3.0)
    assert asked == {
        "TableName": "orders",
        "Key": {"pk": {"S": "o"}, "sk": {"B": b"a"}},
        "UpdateExpression": "SET #touch = :value",
        "ConditionExpression": "attribute_exists(#key)",
        "ExpressionAttributeNames": {"#touch": "consumer:touch", "#key": "pk"},
        "ExpressionAttributeValues": {":value": {"S": "run"}},
        "ReturnConsumedCapacity": "TOTAL",
    }
    answer, _ = await touched({})
    assert answer.capacity == 1.0


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (refused("ConditionalCheckFailedException"), TouchOutcome.GONE),
        (
            refused(
                "ValidationException", "Item size to update has exceeded the maximum allowed size"
            ),
            TouchOutcome.TOO_LARGE,
        ),
        (refused("ItemCollectionSizeLimitExceededException"), TouchOutcome.FULL),
    ],
)
async def test_what_is_said_of_the_item(error: Exception, outcome: TouchOutcome) -> None:
    assert (await touched(error))[0].outcome is outcome


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (refused("TransactionConflictException"), CONFLICT),
        (refused("ReplicatedWriteConflictException"), CONFLICT),
        (refused("ProvisionedThroughputExceededException"), "throttled"),
        (refused("AccessDeniedException"), "access_denied"),
        (refused("ValidationException", "the update expression"), "validation"),
        (TimeoutError(), "timeout"),
    ],
)
async def test_what_says_nothing_of_it(error: Exception, reason: str) -> None:
    with pytest.raises(Retryable) as found:
        await touched(error)
    assert found.value.reason == reason


async def test_a_table_that_is_not_there_is_a_fact() -> None:
    with pytest.raises(TableNotFound):
        await touched(refused("ResourceNotFoundException"))
