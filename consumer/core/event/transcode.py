"""Transcoding: stream records to events, text to text.

An event's bytes are copied from those of its record: hardly any value of an item becomes a Python
number or string, so every digit and every escape stays as DynamoDB wrote it, and the same record
always gives the same bytes.
"""

from collections.abc import Callable, Sequence
from typing import NoReturn

from consumer.core.event.draft import ENDS, Draft, Unchanged
from consumer.core.event.eid import EidNamespace
from consumer.core.event.envelope import Envelope, ItemContent
from consumer.core.event.event import (
    DETAIL_CHARACTERS,
    Category,
    Crossing,
    Event,
    EventFormat,
    Unbuildable,
    UnbuildableReason,
    Withheld,
)
from consumer.core.event.event_metadata import NO_METADATA, MetadataReader
from consumer.core.event.items.image import Image, read_image
from consumer.core.event.items.shapes import Shapes
from consumer.core.event.malformed import MalformedItem, ReservedAttribute, check_names
from consumer.core.event.occurred_at import epoch_seconds
from consumer.core.event.ordering_key import OrderingKeys
from consumer.core.event.selection.business_body import body_members
from consumer.core.event.selection.seen_json import joined
from consumer.core.event.selection.seen_record import seen_record
from consumer.core.event.selection.selection import less, without
from consumer.core.event.touch import touch_attribute
from consumer.core.stream.record import MalformedRecord, StreamRecord
from consumer.core.stream.stream import Stream

Change = tuple[StreamRecord | MalformedRecord, Crossing | None]
"""A record, and what its change does to a view, if it makes its item enter or leave."""


_Stage = Callable[[Draft], None]


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
        self._envelope = Envelope(format, format.stream_prefix + Stream.from_arn(stream_arn).label)
        self._keys = OrderingKeys(format.ordering_key)
        self._eids = EidNamespace(stream_arn, format.eid_event_type)
        self._touch = touch_attribute(format.touch_attribute)
        metadata = MetadataReader(format.metadata, without(format.selection, (self._touch.name,)))
        self._metadata = metadata if metadata.attributes else None
        self._shapes = shapes.of(less(format.selection, metadata.attributes), self._touch.name)
        self._is_business = format.category is Category.BUSINESS
        self._keeps_records = format.reshapes
        self._reserved = frozenset(format.reserved)

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
        compare = self._compare if self._format.patch else None
        draft = self._begun(record, crossing, key, compare)
        self._take_through([draft], compare)
        return self._made(draft)

    def events_of(self, changes: Sequence[Change]) -> list[Event | Unbuildable]:
        """Return the events of some records, as `event_of` does. They are all held in memory."""
        return [
            _unreadable(each) if isinstance(each, MalformedRecord) else self._made(each)
            for each in self._drafts(changes, self._compare if self._format.patch else None)
        ]

    def events_if_changed(self, changes: Sequence[Change]) -> list[Event | Unbuildable | Withheld]:
        """Return the events of some records, unless nothing differs of what events show of an item.

        What is inserted or removed, enters or leaves, has always changed.
        """
        made: list[Event | Unbuildable | Withheld] = []
        for each in self._drafts(changes, self._compare_and_stop):
            if isinstance(each, MalformedRecord):
                made.append(_unreadable(each))
            elif isinstance(each.error, Unchanged):
                made.append(Withheld.UNCHANGED)
            else:
                made.append(self._made(each))
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
        self, changes: Sequence[Change], compare: _Stage | None
    ) -> list[Draft | MalformedRecord]:
        drafts = [
            record
            if isinstance(record, MalformedRecord)
            else self._begun(record, crossing, None, compare)
            for record, crossing in changes
        ]
        self._take_through([each for each in drafts if isinstance(each, Draft)], compare)
        return drafts

    def _take_through(self, drafts: Sequence[Draft], compare: _Stage | None) -> None:
        """Take drafts through all stages. One that fails in a stage is in none of the next ones."""
        read = self._read_business if self._is_business else self._read_item
        for stage in filter(None, (read, compare, self._splice)):
            for draft in drafts:
                if draft.error is None:
                    try:
                        stage(draft)
                    except ENDS as error:
                        draft.error = error

    def _begun(
        self,
        record: StreamRecord,
        crossing: Crossing | None,
        key: str | None,
        compare: _Stage | None,
    ) -> Draft:
        compared = compare is not None and crossing is None and record.event_name == "MODIFY"
        eid, created_at, metadata = self._eids.eid(record.event_id), 0.0, NO_METADATA
        error = None
        try:
            if key is None:
                key = self._keys.of(record.keys)
            created_at = epoch_seconds(record.created_at)
            if self._metadata is not None:
                is_d = record.event_name == "REMOVE" or crossing is Crossing.LEFT
                if not is_d:  # that of a D would be the last change's
                    metadata = self._metadata.read(record.new_image)
                    eid = metadata.eid or eid
        except ENDS as found:
            error = found
        return Draft(record, crossing, compared, key, eid, created_at, metadata, error)

    def _read_item(self, draft: Draft) -> None:
        record, shapes = draft.record, self._shapes
        if draft.crossing is Crossing.LEFT:
            item = read_image(record.old_image, shapes) or _missing("OldImage")
        elif record.event_name == "REMOVE":
            old = read_image(record.old_image, shapes)
            item = old or read_image(record.keys, shapes) or _missing("Keys")
        else:
            before = record.old_image if draft.compared else None
            item = read_image(record.new_image, shapes, before) or _missing("NewImage")
            draft.touched = record.touched or self._is_touched(record, item)
        names = item.names
        if not self._reserved.isdisjoint(names):
            check_names(names, self._format.reserved)
        draft.item = item

    def _is_touched(self, record: StreamRecord, item: Image) -> bool:
        there = item.has(self._touch.name)
        if not there and item.before is not None:
            return False  # nor was it there before, because the item had the same shape
        return self._touch.has_changed_alone(record, there=there)

    def _read_business(self, draft: Draft) -> None:
        record = draft.record
        if record.event_name != "INSERT" or record.new_image is None:
            raise MalformedItem("a business event is made of an INSERT and its NewImage only")
        if self._format.body is None:
            draft.item = read_image(record.new_image, self._shapes) or _missing("NewImage")
            check_names(draft.item.names, self._format.reserved)
            return
        members = body_members(record.new_image, self._format.body, self._shapes.selector)
        check_names(members, self._format.reserved)
        draft.members = joined(members)

    def _compare(self, draft: Draft) -> None:
        """Make the patch of a change that has one."""
        item = draft.item
        if item is None or not draft.compared:
            return
        try:
            draft.patch = item.patch_since(draft.record.old_image, self._format.event_bytes)
        except ReservedAttribute:  # it was no event, so no patch begins with it
            draft.omitted = True
        else:
            draft.omitted = draft.patch is None

    def _compare_and_stop(self, draft: Draft) -> None:
        """Raise Unchanged if nothing differs of what events show of the item, and of ours."""
        self._compare(draft)
        if draft.patch == [] and not draft.touched:
            raise Unchanged
        if not self._format.patch:
            draft.patch, draft.omitted = None, False

    def _splice(self, draft: Draft) -> None:
        if draft.item is not None:
            draft.members = draft.item.members()
        if self._keeps_records:
            draft.beside = bytes(draft.record.text)

    def _made(self, draft: Draft) -> Event | Unbuildable:
        record, error, key = draft.record, draft.error, draft.key
        body: bytes | None = None
        reason: UnbuildableReason = "malformed_record"
        if error is None and key is not None:
            content = ItemContent(
                draft.members, draft.patch, draft.omitted, draft.metadata.members, draft.touched
            )
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

    def _kept(self, record: StreamRecord) -> bytes | None:
        """Return a record less what events do not show, None if it cannot be read so far."""
        try:
            return seen_record(bytes(record.text), self._format)
        except (MalformedItem, RecursionError):
            return None


def _missing(name: str) -> NoReturn:
    raise MalformedItem(f"it has no {name}")


def _unreadable(record: MalformedRecord) -> Unbuildable:
    detail, raw = record.detail[:DETAIL_CHARACTERS], record.raw
    return Unbuildable(
        record.sequence, None, None, "malformed_record", detail, raw, None, unreadable=True
    )
