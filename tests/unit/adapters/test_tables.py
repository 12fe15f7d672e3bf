"""The Table port: what is asked of DynamoDB, and what its answers mean."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from consumer.adapters.aws.tables import DynamoDbTable
from consumer.errors import Retryable, TableNotFound
from tests.twins.set_clock import SetClock
from tests.twins.table import wire

ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders"
DESCRIBED = {
    "TableName": "orders",
    "TableArn": ARN,
    "KeySchema": [
        {"AttributeName": "sk", "KeyType": "RANGE"},
        {"AttributeName": "pk", "KeyType": "HASH"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": "other", "AttributeType": "S"},
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "B"},
    ],
    "ProvisionedThroughput": {"ReadCapacityUnits": 500, "WriteCapacityUnits": 5},
    "LatestStreamArn": f"{ARN}/stream/2026-11-01T09:30:00.000",
    "ItemCount": 7,
    "TableSizeBytes": 7000,
    "Replicas": [{"RegionName": "eu-west-1"}],
    "MultiRegionConsistency": "STRONG",
}


class Client:
    """A client of DynamoDB that answers as it is told, and remembers what it was asked."""

    meta = SimpleNamespace(region_name="eu-central-1")

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: dict[str, Any] = {}

    def __getattr__(self, _: str) -> Any:
        async def call(**arguments: Any) -> Any:
            self.asked = arguments
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        return call


def table(answer: Any) -> tuple[DynamoDbTable, Client]:
    client = Client(answer)
    return DynamoDbTable(client, SetClock(), "orders", ("pk", "sk")), client


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


def key(text: str) -> Any:
    return {"pk": {"S": "o"}, "sk": {"B": text}}


async def test_a_description_has_the_partition_key_first() -> None:
    on, client = table({"Table": DESCRIBED})
    found = await on.describe()
    assert client.asked == {"TableName": "orders"}
    assert (found.keys, found.key_types) == (("pk", "sk"), {"pk": "S", "sk": "B"})
    assert (found.read_capacity, found.items, found.size_bytes) == (500, 7, 7000)
    assert (found.replicas, found.strong) == (("eu-west-1",), True)
    assert (found.write_capacity, sorted(found.defined)) == (5, ["other", "pk", "sk"])
    assert found.stream is not None
    assert found.stream.label == "2026-11-01T09:30:00.000"


async def test_a_table_on_demand_has_no_capacity() -> None:
    demand = {**DESCRIBED, "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
    on, _ = table({"Table": {**demand, "LatestStreamArn": None}})
    found = await on.describe()
    assert (found.read_capacity, found.write_capacity, found.stream) == (None, None, None)


async def test_items_are_read_strongly_consistent_by_binary_keys_too() -> None:
    item = {"pk": {"S": "o"}, "sk": {"B": b"a"}, "bs": {"BS": [b"b"]}}
    on, client = table(
        {
            "Responses": {"orders": [item]},
            "UnprocessedKeys": {"orders": {"Keys": [{"pk": {"S": "o"}, "sk": {"B": b"c"}}]}},
            "ConsumedCapacity": [{"TableName": "orders", "CapacityUnits": 1.5}],
        }
    )
    answer = await on.get([wire(key(text)) for text in ("YQ==", "Yg==", "Yw==")])
    asked = client.asked["RequestItems"]["orders"]
    assert asked["ConsistentRead"] is True
    assert [each["sk"]["B"] for each in asked["Keys"]] == [b"a", b"b", b"c"]
    assert client.asked["ReturnConsumedCapacity"] == "TOTAL"
    there, absent = answer.items
    assert json.loads(bytes(there.item or b"")) == {**key("YQ=="), "bs": {"BS": ["Yg=="]}}
    assert (json.loads(bytes(absent.keys)), absent.item) == (key("Yg=="), None)
    assert [json.loads(bytes(each)) for each in answer.unread] == [key("Yw==")]
    assert answer.capacity == 1.5


async def test_a_partition_is_read_strongly_consistent_from_a_key_on() -> None:
    item = {"pk": {"S": "o"}, "sk": {"B": b"a"}, "text": {"S": "x" * 9000}}
    last = {"pk": {"S": "o"}, "sk": {"B": b"a"}}
    on, client = table({"Items": [item], "LastEvaluatedKey": last})
    answer = await on.query(wire({"pk": {"S": "o"}}), wire(key("AA==")))
    assert client.asked["ConsistentRead"] is True
    assert client.asked["ExclusiveStartKey"]["sk"] == {"B": b"\0"}
    assert client.asked["ExpressionAttributeValues"] == {":partition": {"S": "o"}}
    assert answer.after is not None
    assert json.loads(bytes(answer.after)) == key("YQ==")
    assert answer.capacity == 3  # by the size of the item, where a backend does not tell it


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ProvisionedThroughputExceededException", "throttled"),
        ("AccessDeniedException", "access_denied"),
        ("InternalServerError", "refused"),
    ],
)
async def test_a_refusal_may_be_tried_again(code: str, reason: str) -> None:
    on, _ = table(refused(code))
    with pytest.raises(Retryable) as error:
        await on.get([wire(key("YQ=="))])
    assert error.value.reason == reason


async def test_a_table_that_is_not_there_is_a_fact() -> None:
    on, _ = table(refused("ResourceNotFoundException"))
    with pytest.raises(TableNotFound, match="no table 'orders' in eu-central-1"):
        await on.describe()


@pytest.mark.parametrize("answer", [{}, {"Responses": []}, {"Responses": {"orders": [{}]}}])
async def test_an_odd_answer_proves_nothing(answer: Any) -> None:
    on, _ = table(answer)
    with pytest.raises(Retryable, match="cannot be read"):
        await on.get([wire(key("YQ=="))])


@pytest.mark.parametrize("answer", [{}, {"Table": {}}, {"Table": {**DESCRIBED, "KeySchema": 7}}])
async def test_an_odd_description_proves_nothing(answer: Any) -> None:
    on, _ = table(answer)
    with pytest.raises(Retryable, match="cannot be read"):
        await on.describe()
