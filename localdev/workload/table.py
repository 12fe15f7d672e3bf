"""The table of a workload, written through boto3."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, assert_never

from boto3.dynamodb.types import TypeSerializer

from localdev.workload.aws_client import aws_client
from localdev.workload.change import Change, Delete, Insert, Update, Value
from localdev.workload.order import KEY

_KEY_TYPES = ("HASH", "RANGE")
_wire = TypeSerializer().serialize


class OrderTable:
    """One table, at the endpoint that the environment names; `keys` are its key attributes."""

    def __init__(self, name: str, environ: Mapping[str, str], keys: Sequence[str] = (KEY,)) -> None:
        self.name = name
        self._keys = keys
        self._client = aws_client("dynamodb", environ)

    def create(self) -> str:
        """Create the table with a stream of both images unless it exists; return its stream."""
        with suppress(self._client.exceptions.ResourceInUseException):
            self._client.create_table(
                TableName=self.name,
                KeySchema=[
                    {"AttributeName": name, "KeyType": kind}
                    for name, kind in zip(self._keys, _KEY_TYPES, strict=False)
                ],
                AttributeDefinitions=[
                    {"AttributeName": name, "AttributeType": "S"} for name in self._keys
                ],
                BillingMode="PAY_PER_REQUEST",
                StreamSpecification={
                    "StreamEnabled": True,
                    "StreamViewType": "NEW_AND_OLD_IMAGES",
                },
            )
        return self.stream_arn()

    def stream_arn(self) -> str:
        """Return the ARN of the table's latest stream."""
        arn: str = self._client.describe_table(TableName=self.name)["Table"]["LatestStreamArn"]
        return arn

    def write(self, change: Change) -> None:
        """Write one change."""
        match change:
            case Insert(item):
                self._client.put_item(TableName=self.name, Item=_attributes(item))
            case Update():
                self._client.update_item(TableName=self.name, **_update(change))
            case Delete(key):
                self._client.delete_item(TableName=self.name, Key=_attributes(key))
            case _ as never:
                assert_never(never)


def _attributes(item: Mapping[str, Value]) -> dict[str, Any]:
    return {name: _wire(value) for name, value in item.items()}


def _update(change: Update) -> dict[str, Any]:
    """Return UpdateItem's parameters; names and values as placeholders, for reserved words."""
    names = {f"#{name}": name for name in (*change.sets, *change.removes)}
    expression = "SET " + ", ".join(f"#{name} = :{name}" for name in change.sets)
    if change.removes:
        expression += " REMOVE " + ", ".join(f"#{name}" for name in change.removes)
    return {
        "Key": _attributes(change.key),
        "UpdateExpression": expression,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {f":{name}": _wire(v) for name, v in change.sets.items()},
    }
