"""As much of DynamoDB as a workload and the search for a table's stream need.

What is not supported is refused, so that no test relies on something that was ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from localdev.streams.errors import invalid
from localdev.streams.http.arguments import Arguments
from localdev.streams.http.streams_api import Operation
from localdev.streams.http.update_expression import read_update
from localdev.streams.model.key_schema import KeySchema
from localdev.streams.model.record import ViewType
from localdev.streams.model.streams_model import StreamsModel
from localdev.streams.model.table import Table

BATCH_WRITES: Final = 25  # AWS: BatchWriteItem


@dataclass(frozen=True, slots=True)
class TablesApi:
    """`initial_shards` is how many shards a new stream starts with, whichever its table."""

    initial_shards: int = 1

    def operations(self) -> Mapping[str, Operation]:
        """Return the operations by name."""
        return {
            "CreateTable": self._create_table,
            "DescribeTable": _describe_table,
            "UpdateTable": _update_table,
            "DeleteTable": _delete_table,
            "PutItem": _put_item,
            "UpdateItem": _update_item,
            "DeleteItem": _delete_item,
            "BatchWriteItem": _batch_write_item,
        }

    def _create_table(self, model: StreamsModel, asked: Arguments, now: float) -> bytes:
        table = model.create_table(
            asked.text("TableName"),
            _key_schema(asked),
            now,
            _view_type(asked.optional_inner("StreamSpecification")),
            self.initial_shards,
        )
        return orjson.dumps({"TableDescription": _description(table)})


def _describe_table(model: StreamsModel, asked: Arguments, now: float) -> bytes:  # noqa: ARG001 - one shape for all operations
    return orjson.dumps({"Table": _description(model.table(asked.text("TableName")))})


def _update_table(model: StreamsModel, asked: Arguments, now: float) -> bytes:
    asked.only("TableName", "StreamSpecification")
    name = asked.text("TableName")
    view_type = _view_type(asked.inner("StreamSpecification"))
    if view_type is None:
        model.disable_stream(name, now)
    else:
        model.enable_stream(name, view_type, now)
    return orjson.dumps({"TableDescription": _description(model.table(name))})


def _delete_table(model: StreamsModel, asked: Arguments, now: float) -> bytes:
    asked.only("TableName")
    table = model.delete_table(asked.text("TableName"), now)
    return orjson.dumps({"TableDescription": _description(table)})


def _put_item(model: StreamsModel, asked: Arguments, now: float) -> bytes:
    asked.only("TableName", "Item")
    model.table(asked.text("TableName")).put(asked.attributes("Item"), now)
    return b"{}"


def _update_item(model: StreamsModel, asked: Arguments, now: float) -> bytes:
    names, values = "ExpressionAttributeNames", "ExpressionAttributeValues"
    asked.only("TableName", "Key", "UpdateExpression", names, values)
    sets, removes = read_update(
        asked.text("UpdateExpression"), asked.values(names), asked.values(values)
    )
    table = model.table(asked.text("TableName"))
    table.update(asked.attributes("Key"), sets, removes, now)
    return b"{}"


def _delete_item(model: StreamsModel, asked: Arguments, now: float) -> bytes:
    asked.only("TableName", "Key")
    model.table(asked.text("TableName")).delete(asked.attributes("Key"), now)
    return b"{}"


def _batch_write_item(model: StreamsModel, asked: Arguments, now: float) -> bytes:
    asked.only("RequestItems")
    tables = asked.inner("RequestItems")
    writes = [(model.table(name), write) for name in tables.members for write in tables.each(name)]
    if not 1 <= len(writes) <= BATCH_WRITES:
        raise invalid(f"A batch has 1 to {BATCH_WRITES} writes")
    for table, write in writes:
        if (put := write.optional_inner("PutRequest")) is not None:
            table.put(put.attributes("Item"), now)
        else:
            table.delete(write.inner("DeleteRequest").attributes("Key"), now)
    return b'{"UnprocessedItems":{}}'


def _key_schema(asked: Arguments) -> KeySchema:
    types = {
        definition.text("AttributeName"): definition.text("AttributeType")
        for definition in asked.each("AttributeDefinitions")
    }
    keys = {key.text("KeyType"): key.text("AttributeName") for key in asked.each("KeySchema")}
    if "HASH" not in keys or not set(keys.values()) <= types.keys():
        raise invalid("KeySchema needs a HASH key, and AttributeDefinitions for each of its keys")
    return KeySchema(keys["HASH"], keys.get("RANGE"), types)


def _view_type(specification: Arguments | None) -> ViewType | None:
    if specification is None or not specification.flag("StreamEnabled"):
        return None
    return specification.choice("StreamViewType", ViewType)


def _description(table: Table) -> dict[str, object]:
    schema = table.key_schema
    description: dict[str, object] = {
        "TableName": table.name,
        "TableStatus": "ACTIVE",
        "TableArn": table.arn,
        "CreationDateTime": round(table.created_at, 3),
        "ItemCount": len(table.items),
        "KeySchema": schema.wire(),
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in schema.types.items()
        ],
    }
    stream = table.stream
    if stream is not None and not stream.gone:
        description |= {"LatestStreamArn": stream.arn, "LatestStreamLabel": stream.label}
        if stream.enabled:
            description["StreamSpecification"] = {
                "StreamEnabled": True,
                "StreamViewType": stream.view_type,
            }
    return description
