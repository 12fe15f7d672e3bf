"""The stream record as which an item that was read is matched: its INSERT, or its REMOVE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Raw, json

from consumer.core.stream.record import EventName, StreamRecord

if TYPE_CHECKING:
    from consumer.core.republish.table.read_item import ReadItem

EVENT_SOURCE = "aws:dynamodb"


class ItemRecords:
    """Makes the records for the items of one table, whose stream has this ARN.

    They say what Lambda sees of a record, less what only a change has: no eventID, SequenceNumber,
    SizeBytes, StreamViewType or userIdentity, and an INSERT has no OldImage.
    """

    def __init__(self, stream_arn: str) -> None:
        text = {"eventSource": EVENT_SOURCE, "awsRegion": region_of(stream_arn), "dynamodb": {}}
        self._texts = (Raw(json.encode(text)),)

    def record_of(self, item: ReadItem) -> StreamRecord:
        """Return the INSERT of an item that is there, the REMOVE of one that is not."""
        name: EventName = "REMOVE" if item.item is None else "INSERT"
        old = item.last_image if item.item is None else None
        return StreamRecord(
            self._texts, 0, "", name, 0, item.read_at, item.keys, item.item, old, is_ttl=False
        )


def region_of(arn: str) -> str:
    """Return the Region that an ARN names, empty if it names none."""
    parts = arn.split(":")
    return parts[3] if len(parts) > 3 else ""
