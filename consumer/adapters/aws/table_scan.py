"""A parallel Scan of a table: the port TableScan. Pages are strongly consistent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consumer.adapters.aws.item_text import parsed_item
from consumer.adapters.odd_answer import reading

if TYPE_CHECKING:
    from msgspec import Raw

    from consumer.adapters.aws.tables import DynamoDbTable
    from consumer.core.republish.table.table_answer import TableAnswer


class DynamoDbScan:
    """TableScan port. `table` was described before; `dynamodb` is a client made by `Aws`."""

    def __init__(
        self,
        table: DynamoDbTable,
        dynamodb: Any,  # noqa: ANN401 - made by botocore
    ) -> None:
        self._table = table
        self._dynamodb = dynamodb

    async def page(self, segment: int, segments: int, after: Raw | None, limit: int) -> TableAnswer:
        """Return the page of a segment behind the key `after` if any, of at most `limit` items."""
        start: dict[str, Any] = {}
        if after is not None:
            start["ExclusiveStartKey"] = parsed_item(after)
        answer = await self._table.call(
            "Scan",
            self._dynamodb.scan,
            ConsistentRead=True,
            Segment=segment,
            TotalSegments=segments,
            Limit=limit,
            **start,
        )
        with reading("Scan"):
            return self._table.page_of(answer)
