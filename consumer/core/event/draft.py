"""A draft: an event on its way from its record, stage by stage."""

from typing import Final

from msgspec import Struct

from consumer.core.event.event import Crossing
from consumer.core.event.event_metadata import EventMetadata
from consumer.core.event.items.image import Image
from consumer.core.event.malformed import MalformedItem, ReservedAttribute
from consumer.core.stream.record import StreamRecord


class Unchanged(Exception):
    """Nothing differs of what events show."""


ENDS: Final = (MalformedItem, ReservedAttribute, RecursionError, Unchanged)
"""What ends the way of an event."""


class Draft(Struct, gc=False):
    """An event on its way, stage by stage."""

    record: StreamRecord
    crossing: Crossing | None
    compared: bool  # with the item before its change
    key: str | None
    eid: str
    created_at: float
    metadata: EventMetadata
    error: MalformedItem | ReservedAttribute | RecursionError | Unchanged | None
    item: Image | None = None  # None for a business event out of a map
    patch: list[bytes] | None = None
    omitted: bool = False  # the patch
    touched: bool = False  # nothing has changed but our own attribute
    members: bytes = b""
    beside: bytes | None = None  # the record, if a dead letter needs it, too
