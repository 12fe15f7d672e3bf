"""The items of a table: the port Table. Reads are strongly consistent, and never tried again here.

botocore parses the answers: strings and numbers keep their text, so an item's JSON is made again
from what it has parsed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from consumer.adapters.aws.aws_errors import CALL_FAILURES, error_code, retryable
from consumer.adapters.aws.item_text import keys_of, parsed_item, text_of
from consumer.adapters.odd_answer import reading
from consumer.core.republish.item_key import identity_of
from consumer.core.republish.table.read_item import ReadItem
from consumer.core.republish.table.scan_page_size import UNIT_BYTES
from consumer.core.republish.table.table_answer import TableAnswer
from consumer.core.republish.table.table_description import TableDescription
from consumer.core.stream.stream import Stream
from consumer.errors import TableNotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from msgspec import Raw

    from consumer.ports import Clock

REQUEST_SECONDS: Final = 15.0
"""Longest request, including the wait for a connection of the pool."""


class DynamoDbTable:
    """Table port for one table. `dynamodb` is a client made by `Aws`.

    `keys` are the attributes of the table's primary key, the partition key first; without them
    `describe` is called first.
    """

    def __init__(
        self,
        dynamodb: Any,  # noqa: ANN401 - made by botocore
        clock: Clock,
        table: str,
        keys: tuple[str, ...] = (),
    ) -> None:
        self._dynamodb = dynamodb
        self._clock = clock
        self._table = table
        self.keys = keys

    async def describe(self) -> TableDescription:
        """Return what DescribeTable says of the table."""
        answer = await self.call("DescribeTable", self._dynamodb.describe_table)
        with reading("DescribeTable"):
            found = _description(answer["Table"])
        self.keys = found.keys
        return found

    async def get(self, keys: Sequence[Raw]) -> TableAnswer:
        """Return what the table holds of at most a hundred keys, each given once."""
        asked = {"Keys": [parsed_item(each) for each in keys], "ConsistentRead": True}
        answer = await self.call(
            "BatchGetItem",
            self._dynamodb.batch_get_item,
            in_table=False,
            RequestItems={self._table: asked},
        )
        with reading("BatchGetItem"):
            items = [self.item_of(item) for item in answer["Responses"].get(self._table, ())]
            left = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", ())
            unread = {identity_of(text_of(each)) for each in left}
            found = {identity_of(item.keys): item for item in items}
            read_at = self._clock.wall()
            answered = []
            for each in keys:
                identity = identity_of(each)
                if identity not in unread:
                    answered.append(found.get(identity) or ReadItem(each, None, read_at))
            return TableAnswer(
                tuple(answered),
                _units(answer.get("ConsumedCapacity", ()), answered),
                tuple(each for each in keys if identity_of(each) in unread),
            )

    async def query(self, partition: Raw, after: Raw | None) -> TableAnswer:
        """Return a page of the items with this partition key, behind the key `after` if any."""
        [(name, value)] = parsed_item(partition).items()
        start: dict[str, Any] = {}
        if after is not None:
            start["ExclusiveStartKey"] = parsed_item(after)
        answer = await self.call(
            "Query",
            self._dynamodb.query,
            ConsistentRead=True,
            KeyConditionExpression="#partition = :partition",
            ExpressionAttributeNames={"#partition": name},
            ExpressionAttributeValues={":partition": value},
            **start,
        )
        with reading("Query"):
            return self.page_of(answer)

    def page_of(self, answer: Mapping[str, Any]) -> TableAnswer:
        """Return the answer of a Query or a Scan. Call it in `reading`."""
        last = answer.get("LastEvaluatedKey")
        items = tuple(self.item_of(item) for item in answer["Items"])
        units = _units([answer.get("ConsumedCapacity", {})], items)
        return TableAnswer(items, units, after=text_of(last) if last else None)

    def item_of(self, item: Mapping[str, Any]) -> ReadItem:
        """Return an item that botocore has parsed."""
        return ReadItem(keys_of(item, self.keys), text_of(item), self._clock.wall())

    async def call(
        self,
        name: str,
        operation: Callable[..., Awaitable[dict[str, Any]]],
        *,
        in_table: bool = True,
        **arguments: Any,  # noqa: ANN401 - of any operation
    ) -> dict[str, Any]:
        """Return the answer of an operation on this table. Raise Retryable, TableNotFound."""
        if in_table:
            arguments["TableName"] = self._table
        if name != "DescribeTable":
            arguments["ReturnConsumedCapacity"] = "TOTAL"
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                return await operation(**arguments)
        except CALL_FAILURES as error:
            if error_code(error) == "ResourceNotFoundException":
                region = self._dynamodb.meta.region_name
                raise TableNotFound(f"no table {self._table!r} in {region}") from error
            raise retryable(name, error) from error


def _description(table: Mapping[str, Any]) -> TableDescription:
    schema = sorted(table["KeySchema"], key=_is_sort_key)
    keys = tuple(str(key["AttributeName"]) for key in schema)
    types = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
    arn = table.get("LatestStreamArn")
    on_demand = table.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST"
    provisioned = table.get("ProvisionedThroughput", {})
    read, written = (
        float(provisioned.get(f"{kind}CapacityUnits", 0)) for kind in ("Read", "Write")
    )
    return TableDescription(
        name=str(table["TableName"]),
        arn=str(table["TableArn"]),
        keys=keys,
        key_types={name: str(types[name]) for name in keys},
        stream=Stream.from_arn(arn) if arn else None,
        items=int(table.get("ItemCount", 0)),
        size_bytes=int(table.get("TableSizeBytes", 0)),
        read_capacity=None if on_demand or not read else read,
        replicas=tuple(str(each["RegionName"]) for each in table.get("Replicas", ())),
        strong=table.get("MultiRegionConsistency") == "STRONG",
        write_capacity=None if on_demand or not written else written,
        defined=frozenset(map(str, types)),
    )


def _is_sort_key(key: Mapping[str, str]) -> bool:
    return key["KeyType"] == "RANGE"


def _units(consumed: Iterable[Mapping[str, Any]], items: Iterable[ReadItem]) -> float:
    """Return the read units of a call, those of its items where a backend does not tell them."""
    told = sum(float(each.get("CapacityUnits") or 0.0) for each in consumed)
    return told or float(sum(-(-len(bytes(item.item or b"0")) // UNIT_BYTES) for item in items))
