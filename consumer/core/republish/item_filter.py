"""Which items of a table are published again, by a pattern of the operator's own.

It is asked as the filter of a route is: of the item's INSERT. What cannot be answered is taken, and
then the routes say what is wrong with the item: nothing is left out in silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.republish.item_record import ItemRecords
from consumer.core.routes.filters.filter_set import FilterSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.core.republish.table.read_item import ReadItem
    from consumer.core.routes.filters.lambda_filter import Filter


class ItemFilter:
    """A filter for a table with these key attributes, whose stream has this ARN."""

    def __init__(self, asked: Filter, keys: Iterable[str], stream_arn: str) -> None:
        self._filters = FilterSet([asked], keys)
        self._records = ItemRecords(stream_arn)
        self._stream_arn = stream_arn

    def takes(self, item: ReadItem) -> bool:
        """Return whether an item matches, or cannot be asked."""
        return bool(self._filters.taken(self._records.record_of(item), self._stream_arn))
