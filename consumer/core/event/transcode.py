"""Transcoding: stream records to events, text to text.

An event's bytes are copied from those of its record: hardly any value of an item becomes a Python
number or string, so every digit and every escape stays as DynamoDB wrote it, and the same record
always gives the same bytes.
"""

from msgspec import Raw

from consumer.core.event.attribute import decode_item
from consumer.core.event.eid import EidNamespace
from consumer.core.event.envelope import Envelope, ItemContent
from consumer.core.event.event import (
    DETAIL_CHARACTERS,
    Crossing,
    Event,
    EventFormat,
    Layout,
    Unbuildable,
    UnbuildableReason,
)
from consumer.core.event.image import Image, read_image
from consumer.core.event.item_shape import Shapes
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.occurred_at import epoch_seconds
from consumer.core.event.ordering_key import ordering_key
from consumer.core.stream.record import MalformedRecord, StreamRecord


class _ReservedAttribute(MalformedItem):
    """An attribute has a name that the event uses for another member."""


class Transcoder:
    """Turns the records of one stream into events of one format.

    `shapes` are the known shapes of the table's items. The transcoders of a process share them:
    they make transcoding faster and change no byte.
    """

    def __init__(
        self,
        format: EventFormat,  # noqa: A002 - it is the format
        stream_arn: str,
        shapes: Shapes,
    ) -> None:
        self._format = format
        self._envelope = Envelope(format)
        self._eids = EidNamespace(stream_arn)
        self._shapes = shapes
        is_flat = format.layout is Layout.FLAT
        self._reserved = (format.patch_member, format.change_field) if is_flat else ()

    def event_of(
        self, record: StreamRecord | MalformedRecord, crossing: Crossing | None = None
    ) -> Event | Unbuildable:
        """Return the event of a record, or Unbuildable. A bad record raises no error.

        Where the event type shows only some items, `crossing` says whether the change makes its
        item one of them, or none any more.
        """
        if isinstance(record, MalformedRecord):
            detail = record.detail[:DETAIL_CHARACTERS]
            return Unbuildable(
                record.sequence,
                None,
                None,
                "malformed_record",
                detail,
                record.raw,
                None,
                unreadable=True,
            )
        eid = self._eids.eid(record.event_id)
        key: str | None = None
        body: bytes | None = None
        reason: UnbuildableReason = "malformed_record"
        try:
            keys = decode_item(record.keys)
            key = ordering_key(keys, self._format.ordering_key)
            created_at = epoch_seconds(record.created_at)
            content = self._content(record, crossing)
        except _ReservedAttribute as error:
            reason, detail = "reserved_attribute", str(error)
        except MalformedItem as error:
            detail = str(error)
        except RecursionError:
            detail = "its item is nested too deeply"
        else:
            body = self._envelope.body(record, eid, created_at, content, crossing)
            if len(body) <= self._format.event_bytes:
                text = bytes(record.text) if self._format.reshapes else None
                return Event(record.sequence, key, eid, body, created_at, crossing, text)
            reason, detail = "too_large", f"its event has {len(body)} bytes"
        detail = detail[:DETAIL_CHARACTERS]
        text = bytes(record.text)
        return Unbuildable(record.sequence, key, eid, reason, detail, text, body, crossing)

    def unanswered(self, record: StreamRecord, detail: str) -> Unbuildable:
        """Return poison: it cannot be said whether an event is to be made of this record."""
        try:
            key = ordering_key(decode_item(record.keys), self._format.ordering_key)
        except (MalformedItem, RecursionError):
            key = None
        eid = self._eids.eid(record.event_id)
        detail, text = detail[:DETAIL_CHARACTERS], bytes(record.text)
        return Unbuildable(record.sequence, key, eid, "malformed_record", detail, text, None)

    def _content(self, record: StreamRecord, crossing: Crossing | None) -> ItemContent:
        """Return the item and the patch of the event. Raises MalformedItem."""
        if crossing is Crossing.LEFT:
            item = self._needed("OldImage", record.old_image)
        elif record.event_name == "REMOVE":
            item = read_image(record.old_image, self._shapes) or self._needed("Keys", record.keys)
        else:
            item = self._needed("NewImage", record.new_image)
        for name in self._reserved:
            if name in item.names:
                raise _ReservedAttribute(f"attribute {name!r}: the event itself needs this name")
        whole = crossing is not None or record.event_name != "MODIFY"
        if whole or not self._format.patch:
            return ItemContent(item.members(), None)
        old = self._needed("OldImage", record.old_image)
        patch = item.diff(old, self._format.event_bytes)
        return ItemContent(item.members(), patch, patch_omitted=patch is None)

    def _needed(self, name: str, text: Raw | None) -> Image:
        image = read_image(text, self._shapes)
        if image is None:
            raise MalformedItem(f"it has no {name}")
        return image
