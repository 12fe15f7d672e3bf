"""Transcoding: stream records to events, text to text.

An event's bytes are copied from those of its record: hardly any value of an item becomes a Python
number or string, so every digit and every escape stays as DynamoDB wrote it, and the same record
always gives the same bytes.
"""

from collections.abc import Sequence
from dataclasses import replace

from msgspec import Raw, Struct

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
from consumer.core.event.malformed import MalformedItem, ReservedAttribute
from consumer.core.event.occurred_at import epoch_seconds
from consumer.core.event.ordering_key import OrderingKeys
from consumer.core.event.selection.attribute_path import AttributePath
from consumer.core.event.selection.business_body import body_members
from consumer.core.event.selection.seen_json import joined
from consumer.core.event.selection.seen_record import seen_record
from consumer.core.event.selection.selection import Selection
from consumer.core.event.shapes import Shapes
from consumer.core.stream.record import MalformedRecord, StreamRecord

Change = tuple[StreamRecord | MalformedRecord, Crossing | None]
"""A record, and what its change does to a view, if it makes its item enter or leave."""


class _Draft(Struct):
    """An event on its way, stage by stage."""

    record: StreamRecord
    crossing: Crossing | None
    key: str | None
    eid: str = ""
    created_at: float = 0.0
    metadata: EventMetadata = NO_METADATA
    item: Image | None = None  # None for a business event out of a map
    patch: list[bytes] | None = None
    omitted: bool = False  # the patch
    members: bytes = b""
    beside: bytes | None = None  # the record, if a dead letter needs it, too
    unchanged: bool = False  # nothing differs of what events show
    error: MalformedItem | ReservedAttribute | RecursionError | None = None


class Transcoder:
    """Turns the records of one stream into events of one format.

    `shapes` are the known shapes of the table's items. The transcoders of a process share them:
    they make transcoding faster and change no byte.

    Records are taken in small batches through one stage after the other, because the code of all
    stages together does not fit into the processor's first cache: one record after the other takes
    a third longer.
    """

    def __init__(
        self,
        format: EventFormat,  # noqa: A002 - it is the format
        stream_arn: str,
        shapes: Shapes,
    ) -> None:
        self._format = format
        self._envelope = Envelope(format)
        self._keys = OrderingKeys(format.ordering_key)
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
        self._reserved = tuple(dict.fromkeys(name for name in needed if name is not None))

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
        if isinstance(record, MalformedRecord):
            return _unreadable(record)
        draft = _Draft(record, crossing, key)
        self._take_through([draft], compare=self._format.patch)
        return self._made(draft)

    def events_of(self, changes: Sequence[Change]) -> list[Event | Unbuildable]:
        """Return the events of some records, as `event_of` does. They are all held in memory."""
        return [
            _unreadable(each) if isinstance(each, MalformedRecord) else self._made(each)
            for each in self._drafts(changes, compare=self._format.patch)
        ]

    def events_if_changed(self, changes: Sequence[Change]) -> list[Event | Unbuildable | Withheld]:
        """Return the events of some records, unless nothing differs of what events show of an item.

        What is inserted or removed, enters or leaves, has always changed.
        """
        made: list[Event | Unbuildable | Withheld] = []
        for each in self._drafts(changes, compare=True):
            if isinstance(each, MalformedRecord):
                made.append(_unreadable(each))
            else:
                made.append(Withheld.UNCHANGED if each.unchanged else self._made(each))
        return made

    def unanswered(self, record: StreamRecord, detail: str) -> Unbuildable:
        """Return poison: it cannot be said whether an event is to be made of this record."""
        try:
            key = self._keys.of(record.keys)
        except (MalformedItem, RecursionError):
            key = None
        eid = self._eids.eid(record.event_id)
        detail, text = detail[:DETAIL_CHARACTERS], self._kept(record)
        return Unbuildable(record.sequence, key, eid, "malformed_record", detail, text, None)

    def _drafts(
        self, changes: Sequence[Change], *, compare: bool
    ) -> list[_Draft | MalformedRecord]:
        drafts = [
            record if isinstance(record, MalformedRecord) else _Draft(record, crossing, None)
            for record, crossing in changes
        ]
        self._take_through([each for each in drafts if isinstance(each, _Draft)], compare=compare)
        return drafts

    def _take_through(self, drafts: Sequence[_Draft], *, compare: bool) -> None:
        """Take drafts through all stages. One that fails in a stage is in none of the next ones."""
        read = self._read_business if self._is_business else self._read_item
        stages = (self._begin, read, *((self._compare,) if compare else ()), self._splice)
        for stage in stages:
            for draft in drafts:
                if draft.error is None:
                    try:
                        stage(draft)
                    except (MalformedItem, ReservedAttribute, RecursionError) as error:
                        draft.error = error

    def _begin(self, draft: _Draft) -> None:
        record = draft.record
        draft.eid = self._eids.eid(record.event_id)
        if draft.key is None:
            draft.key = self._keys.of(record.keys)
        draft.created_at = epoch_seconds(record.created_at)
        is_d = record.event_name == "REMOVE" or draft.crossing is Crossing.LEFT
        if self._metadata is not None and not is_d:  # that of a D would be the last change's
            draft.metadata = self._metadata.read(record.new_image)
            draft.eid = draft.metadata.eid or draft.eid

    def _read_item(self, draft: _Draft) -> None:
        record = draft.record
        if draft.crossing is Crossing.LEFT:
            item = self._needed("OldImage", record.old_image)
        elif record.event_name == "REMOVE":
            item = read_image(record.old_image, self._shapes) or self._needed("Keys", record.keys)
        else:
            item = self._needed("NewImage", record.new_image)
        self._refuse(item)
        draft.item = item

    def _read_business(self, draft: _Draft) -> None:
        record = draft.record
        if record.event_name != "INSERT" or record.new_image is None:
            raise MalformedItem("a business event is made of an INSERT and its NewImage only")
        if self._format.body is None:
            draft.item = self._needed("NewImage", record.new_image)
            self._refuse(draft.item)
            return
        members = body_members(record.new_image, self._format.body, self._shapes.selector)
        name = next(filter(members.__contains__, self._reserved), None)
        if name is not None:
            raise _reserved(name)
        draft.members = joined(members)

    def _compare(self, draft: _Draft) -> None:
        """Make the patch of a change that has one."""
        record, item = draft.record, draft.item
        if item is None or draft.crossing is not None or record.event_name != "MODIFY":
            return
        try:
            old = self._needed("OldImage", record.old_image, item)
            old.check()
        except ReservedAttribute:  # it was no event, so no patch begins with it
            draft.omitted = self._format.patch
            return
        patch = item.diff(old, self._format.event_bytes)
        draft.unchanged = patch == []
        if self._format.patch:
            draft.patch, draft.omitted = patch, patch is None

    def _splice(self, draft: _Draft) -> None:
        if draft.item is not None:
            draft.members = draft.item.members()
        if self._format.reshapes:
            draft.beside = bytes(draft.record.text)

    def _made(self, draft: _Draft) -> Event | Unbuildable:
        record, error, key = draft.record, draft.error, draft.key
        body: bytes | None = None
        reason: UnbuildableReason = "malformed_record"
        if error is None and key is not None:
            content = ItemContent(draft.members, draft.patch, draft.omitted, draft.metadata.members)
            created_at, crossing = draft.created_at, draft.crossing
            body = self._envelope.body(record, draft.eid, created_at, content, crossing)
            if len(body) <= self._format.event_bytes:
                return Event(
                    record.sequence,
                    key,
                    draft.eid,
                    body,
                    created_at,
                    crossing,
                    draft.beside,
                    draft.metadata.left_out,
                )
            reason, detail = "too_large", f"its event has {len(body)} bytes"
        elif isinstance(error, RecursionError):
            detail = "its item is nested too deeply"
        else:
            detail = str(error)[:DETAIL_CHARACTERS]
            if isinstance(error, ReservedAttribute):
                reason = "reserved_attribute"
        text = self._kept(record)
        return Unbuildable(
            record.sequence,
            key,
            draft.eid,
            reason,
            detail,
            text,
            body,
            draft.crossing,
            left_out=draft.metadata.left_out,
        )

    def _refuse(self, item: Image) -> None:
        """Raise ReservedAttribute if an attribute has a name that the event needs itself."""
        name = item.first_of(self._reserved)
        if name is not None:
            raise _reserved(name)

    def _needed(self, name: str, text: Raw | None, like: Image | None = None) -> Image:
        image = read_image(text, self._shapes, like)
        if image is None:
            raise MalformedItem(f"it has no {name}")
        return image

    def _kept(self, record: StreamRecord) -> bytes | None:
        """Return a record less what events do not show, None if it cannot be read so far."""
        try:
            return seen_record(bytes(record.text), self._format)
        except (MalformedItem, RecursionError):
            return None


def _unreadable(record: MalformedRecord) -> Unbuildable:
    detail, raw = record.detail[:DETAIL_CHARACTERS], record.raw
    return Unbuildable(
        record.sequence, None, None, "malformed_record", detail, raw, None, unreadable=True
    )


def _reserved(name: str) -> ReservedAttribute:
    return ReservedAttribute(f"attribute {name!r}: the event itself needs this name")


def _less(selection: Selection | None, attributes: tuple[str, ...]) -> Selection | None:
    """Return the selection that leaves out these attributes, too."""
    if not attributes:
        return selection
    shown = Selection(replication=True) if selection is None else selection
    paths = tuple(AttributePath((attribute,)) for attribute in attributes)
    return replace(shown, exclude=shown.exclude + paths)
