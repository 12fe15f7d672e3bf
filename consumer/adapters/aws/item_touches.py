"""Touches of the table's items: the port ItemTouches. They are never tried again here.

A request sets no ReturnValues, and names the key attributes and ours only: the policy of
`consumer iam-policy --for touch` allows no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from consumer.adapters.aws.aws_errors import error_code
from consumer.adapters.aws.item_text import parsed_item
from consumer.adapters.odd_answer import reading
from consumer.core.republish.touch_answer import CONFLICT, TouchAnswer, TouchOutcome
from consumer.errors import Retryable

if TYPE_CHECKING:
    from msgspec import Raw

    from consumer.adapters.aws.tables import DynamoDbTable

REFUSED_UNITS: Final = 1.0
"""Least that a write costs whose condition fails; its answer does not say it."""

_TOO_LARGE: Final = "maximum allowed size"
"""In the message of the ValidationException for an item that would exceed 400 KB."""


_CONFLICTS: Final = ("TransactionConflictException", "ReplicatedWriteConflictException")
"""A transaction works on the item, or another Region of a table that is strongly consistent."""


class DynamoDbTouches:
    """ItemTouches port. `table` was described before; `dynamodb` is a client made by `Aws`."""

    def __init__(
        self,
        table: DynamoDbTable,
        dynamodb: Any,  # noqa: ANN401 - made by botocore
        attribute: str,
    ) -> None:
        self._table = table
        self._dynamodb = dynamodb
        self._attribute = attribute

    async def touch(self, keys: Raw, value: str) -> TouchAnswer:
        """Write the attribute to the item with these keys, if there is one."""
        try:
            answer = await self._table.call(
                "UpdateItem",
                self._dynamodb.update_item,
                Key=parsed_item(keys),
                UpdateExpression="SET #touch = :value",
                ConditionExpression="attribute_exists(#key)",
                ExpressionAttributeNames={"#touch": self._attribute, "#key": self._table.keys[0]},
                ExpressionAttributeValues={":value": {"S": value}},
            )
        except Retryable as error:
            return _refused(error)
        with reading("UpdateItem"):
            units = float(answer.get("ConsumedCapacity", {}).get("CapacityUnits") or REFUSED_UNITS)
        return TouchAnswer(TouchOutcome.WRITTEN, units)


def _refused(error: Retryable) -> TouchAnswer:
    """Return what an error says of the item. Raise Retryable if it says nothing of it."""
    cause = error.__cause__
    code = error_code(cause) if isinstance(cause, Exception) else None
    if code == "ConditionalCheckFailedException":
        return TouchAnswer(TouchOutcome.GONE, REFUSED_UNITS)
    if code == "ValidationException" and _TOO_LARGE in str(error):
        return TouchAnswer(TouchOutcome.TOO_LARGE, REFUSED_UNITS)
    if code == "ItemCollectionSizeLimitExceededException":
        return TouchAnswer(TouchOutcome.FULL, REFUSED_UNITS)
    if code in _CONFLICTS:
        raise Retryable(str(error), CONFLICT) from cause
    raise error
