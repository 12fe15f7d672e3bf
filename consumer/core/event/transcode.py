"""Transcoding: stream records to events, text to text.

An event's bytes are copied from those of its record: hardly any value of an item becomes a Python
number or string, so every digit and every escape stays as DynamoDB wrote it, and the same record
always gives the same bytes.
"""

from collections.abc import Collection
from dataclasses import replace

from msgspec import Raw

from consumer.core.event.attribute import decode_item
from consumer.core.event.eid import EidNamespace
from consumer.core.event.envelope import Envelope, ItemContent
from consumer.core.event.event import (
    DETAIL_CHARACTERS,
    Category,
    Crossing,
    Event,
    EventFormat,
    Layout,
    Unbuildable,
    UnbuildableReason,
    Withheld,
)
from consumer.core.event.event_metadata import NO_METADATA, EventMetadata, MetadataReader
from consumer.core.event.image import Image, read_image
from consumer.core.event.item_shape import Shapes
from consumer.core.event.malformed import MalformedItem, ReservedAttribute
from consumer.core.event.occurred_at import epoch_seconds
from consumer.core.event.ordering_key import ordering_key
from consumer.core.event.selection.attribute_path import AttributePath
from consumer.core.event.selection.business_body import body_members
from consumer.core.event.selection.seen_json import joined
from consumer.core.event.selection.seen_record import seen_record
from consumer.core.event.selection.selection import Selection
from consumer.core.stream.record import MalformedRecord, StreamRecord


class _Unchanged(Exception):
    """Nothing differs of what events show."""


class Transcoder:
    """Turns the records of one stream into events of one format.

    `shapes` are the known shapes of the table's items. The transcoders of a process share them:
    they make transcoding faster and change no byte.

    `metadata_left_out` counts the values that were to be metadata of an event and cannot be.
    """

    def __init__(
        self,
        format: EventFormat,  # noqa: A002 - it is the format
        stream_arn: str,
        shapes: Shapes,
    ) -> None:
        self._format = format
        self._envelope = Envelope(format)
        self._eids = EidNamespace(stream_arn, format.eid_event_type)
        metadata = MetadataReader(format.metadata, format.selection)
        self._metadata = metadata if metadata.attributes else None
        self._shapes = shapes.of(_less(format.selection, metadata.attributes))
        self._is_business = format.category is Category.BUSINESS
        needed: tuple[str | None, ...] = ()
        if self._is_business:
            needed = ("metadata", format.change_member)
        elif format.layout is Layout.FLAT:
            needed = (format.patch_member, format.change_member)
        self._reserved = dict.fromkeys(name for name in needed if name is not None).keys()
        self.metadata_left_out = 0

    def event_of(
        self,
        record: StreamRecord | MalformedRecord,
        crossing: Crossing | None = None,
        key: str | None = None,
    ) -> Event | Unbuildable:
        """Return the event of a record, or Unbuildable. A bad record raises no error.

        Where the event type shows only some items, `crossing` says whether the change makes its
        item one of them, or none any more. `key` is the ordering key if it is known, as in a letter
        whose record has lost it.
        """
        return self._event(record, crossing, key, skip_unchanged=False)

    def event_if_changed(
        self, record: StreamRecord | MalformedRecord, crossing: Crossing | None = None
    ) -> Event | Unbuildable | Withheld:
        """Return the event of a record, unless nothing differs of what events show of the item.

        What is inserted or removed, enters or leaves, has always changed.
        """
        try:
            return self._event(record, crossing, None, skip_unchanged=True)
        except _Unchanged:
            return Withheld.UNCHANGED

    def unanswered(self, record: StreamRecord, detail: str) -> Unbuildable:
        """Return poison: it cannot be said whether an event is to be made of this record."""
        try:
            key = ordering_key(decode_item(record.keys), self._format.ordering_key)
        except (MalformedItem, RecursionError):
            key = None
        eid = self._eids.eid(record.event_id)
        detail, text = detail[:DETAIL_CHARACTERS], self._kept(record.text)
        return Unbuildable(record.sequence, key, eid, "malformed_record", detail, text, None)

    def _event(
        self,
        record: StreamRecord | MalformedRecord,
        crossing: Crossing | None,
        key: str | None,
        *,
        skip_unchanged: bool,
    ) -> Event | Unbuildable:
        if isinstance(record, MalformedRecord):
            detail, raw = record.detail[:DETAIL_CHARACTERS], record.raw
            return Unbuildable(
                record.sequence, None, None, "malformed_record", detail, raw, None, unreadable=True
            )
        eid = self._eids.eid(record.event_id)
        body: bytes | None = None
        reason: UnbuildableReason = "malformed_record"
        try:
            if key is None:
                key = ordering_key(decode_item(record.keys), self._format.ordering_key)
            created_at = epoch_seconds(record.created_at)
            metadata = NO_METADATA
            if self._metadata is not None:
                metadata = self._metadata_of(self._metadata, record, crossing)
                eid = metadata.eid or eid
            if self._is_business:
                content = self._business_content(record, metadata)
            else:
                content = self._content(record, crossing, metadata, skip_unchanged=skip_unchanged)
        except ReservedAttribute as error:
            reason, detail = "reserved_attribute", str(error)
        except MalformedItem as error:
            detail = str(error)
        except RecursionError:
            detail = "its item is nested too deeply"
        else:
            body = self._envelope.body(record, eid, created_at, content, crossing)
            if len(body) <= self._format.event_bytes:
                beside = bytes(record.text) if self._format.reshapes else None
                return Event(record.sequence, key, eid, body, created_at, crossing, beside)
            reason, detail = "too_large", f"its event has {len(body)} bytes"
        detail, text = detail[:DETAIL_CHARACTERS], self._kept(record.text)
        return Unbuildable(record.sequence, key, eid, reason, detail, text, body, crossing)

    def _content(
        self,
        record: StreamRecord,
        crossing: Crossing | None,
        metadata: EventMetadata,
        *,
        skip_unchanged: bool,
    ) -> ItemContent:
        """Return the item and the patch of the event. Raises MalformedItem."""
        if crossing is Crossing.LEFT:
            item = self._needed("OldImage", record.old_image)
        elif record.event_name == "REMOVE":
            item = read_image(record.old_image, self._shapes) or self._needed("Keys", record.keys)
        else:
            item = self._needed("NewImage", record.new_image)
        if not self._reserved.isdisjoint(item.names):
            raise self._taken(item.names)
        whole = crossing is not None or record.event_name != "MODIFY"
        if whole or not (self._format.patch or skip_unchanged):
            return ItemContent(item.members(), None, metadata=metadata.members)
        try:
            old = self._needed("OldImage", record.old_image)
        except ReservedAttribute:  # it was no event, so no patch begins with it
            omitted = self._format.patch
            return ItemContent(item.members(), None, omitted, metadata.members)
        patch = item.diff(old, self._format.event_bytes)
        if skip_unchanged and patch == []:
            raise _Unchanged
        if not self._format.patch:
            return ItemContent(item.members(), None, metadata=metadata.members)
        return ItemContent(item.members(), patch, patch is None, metadata.members)

    def _business_content(self, record: StreamRecord, metadata: EventMetadata) -> ItemContent:
        """Return the members of a business event. Raises MalformedItem."""
        if record.event_name != "INSERT" or record.new_image is None:
            raise MalformedItem("a business event is made of an INSERT and its NewImage only")
        if self._format.body is None:
            item = self._needed("NewImage", record.new_image)
            if not self._reserved.isdisjoint(item.names):
                raise self._taken(item.names)
            return ItemContent(item.members(), None, metadata=metadata.members)
        members = body_members(record.new_image, self._format.body, self._shapes.selector)
        if not self._reserved.isdisjoint(members):
            raise self._taken(members)
        return ItemContent(joined(members), None, metadata=metadata.members)

    def _metadata_of(
        self, reader: MetadataReader, record: StreamRecord, crossing: Crossing | None
    ) -> EventMetadata:
        """Return the metadata that comes from the item; of a D it would be the last change's."""
        if record.event_name == "REMOVE" or crossing is Crossing.LEFT:
            return NO_METADATA
        metadata = reader.read(record.new_image)
        self.metadata_left_out += metadata.left_out
        return metadata

    def _taken(self, names: Collection[str]) -> ReservedAttribute:
        """Return the error that a name is taken which the event needs for another member."""
        name = next(name for name in self._reserved if name in names)
        return ReservedAttribute(f"attribute {name!r}: the event itself needs this name")

    def _needed(self, name: str, text: Raw | None) -> Image:
        image = read_image(text, self._shapes)
        if image is None:
            raise MalformedItem(f"it has no {name}")
        return image

    def _kept(self, text: Raw | bytes) -> bytes | None:
        """Return a record less what events do not show, None if it cannot be read so far."""
        try:
            return seen_record(bytes(text), self._format)
        except MalformedItem:
            return None


def _less(selection: Selection | None, attributes: tuple[str, ...]) -> Selection | None:
    """Return the selection that leaves out these attributes, too."""
    if not attributes:
        return selection
    shown = Selection(replication=True) if selection is None else selection
    paths = tuple(AttributePath((attribute,)) for attribute in attributes)
    return replace(shown, exclude=shown.exclude + paths)
