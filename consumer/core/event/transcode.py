"""Transcoding: stream records to events, text to text.

An event's bytes are spliced from its record's: hardly anything of an item becomes a Python number
or string on the way, so every digit and every escape stays as DynamoDB wrote it, and the same
record always gives the same bytes. What a transcoder remembers makes it faster and changes no byte.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Raw, Struct, json

from consumer.core.event.attribute import decode_item
from consumer.core.event.eid import EidNamespace
from consumer.core.event.event import Event, EventFormat, Layout, Unbuildable, UnbuildableReason
from consumer.core.event.image import Image, read_image
from consumer.core.event.item_shape import Shapes
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.occurred_at import epoch_seconds, occurred_at
from consumer.core.event.ordering_key import ordering_key
from consumer.core.stream.record import MalformedRecord, StreamRecord

_DATA_OP: Final = {"INSERT": b"C", "MODIFY": b"U", "REMOVE": b"D"}
_HEAD: Final = (
    b'{"metadata":{"eid":"%b","occurred_at":"%b"},"data_type":%b,"data_op":"%b","data":{%b'
)


class _ReservedAttribute(MalformedItem):
    """An attribute has a name that the event needs for itself."""


class _Content(Struct, frozen=True):
    item: bytes  # the members of its JSON object
    patch: list[bytes] | None  # its operations, as JSON; None where there is no patch


class Transcoder:
    """Turns the records of one stream into events of one format."""

    def __init__(self, format: EventFormat) -> None:  # noqa: A002 - it is the format
        self._format = format
        self._eids = EidNamespace(format.stream_arn)
        self._data_type = json.encode(format.data_type)
        self._shapes = Shapes()
        self._patch_field = json.encode(format.patch_field)
        self._change_field = json.encode(format.change_field)
        self._is_flat = format.layout is Layout.FLAT
        self._reserved = (format.patch_field, format.change_field) if self._is_flat else ()

    def transcode(
        self, records: Sequence[StreamRecord | MalformedRecord]
    ) -> list[Event | Unbuildable]:
        """What to publish for each of `records`, in their order; a bad record raises nothing."""
        return [
            _unreadable(record) if isinstance(record, MalformedRecord) else self._transcode(record)
            for record in records
        ]

    def _transcode(self, record: StreamRecord) -> Event | Unbuildable:
        eid = self._eids.eid(record.event_id)
        key: str | None = None
        created_at: float | None = None
        body: bytes | None = None
        reason: UnbuildableReason = "malformed_record"
        try:
            keys = decode_item(record.keys)
            key = ordering_key(keys, self._format.ordering_key)
            created_at = epoch_seconds(record.created_at)
            content = self._content(record)
        except _ReservedAttribute as error:
            reason, detail = "reserved_attribute", str(error)
        except MalformedItem as error:
            detail = str(error)
        except RecursionError:
            detail = "its item is nested too deeply"
        else:
            body = self._body(record, eid, occurred_at(created_at), content)
            if len(body) <= self._format.event_bytes:
                return Event(record.sequence, key, eid, body, created_at)
            reason, detail = "too_large", f"its event has {len(body)} bytes"
        text = bytes(record.text)
        return Unbuildable(record.sequence, key, eid, created_at, reason, detail, text, body)

    def _content(self, record: StreamRecord) -> _Content:
        """What the event says of the item. Raises MalformedItem."""
        if record.event_name == "REMOVE":
            item = read_image(record.old_image, self._shapes) or self._needed("Keys", record.keys)
        else:
            item = self._needed("NewImage", record.new_image)
        for name in self._reserved:
            if name in item.names:
                raise _ReservedAttribute(f"attribute {name!r}: the event itself needs this name")
        patch: list[bytes] | None = None
        if record.event_name == "MODIFY" and self._format.patch:
            patch = item.diff(self._needed("OldImage", record.old_image))
        return _Content(item.members(), patch)

    def _needed(self, name: str, text: Raw | None) -> Image:
        image = read_image(text, self._shapes)
        if image is None:
            raise MalformedItem(f"it has no {name}")
        return image

    def _body(self, record: StreamRecord, eid: str, time: str, content: _Content) -> bytes:
        """The event, without its patch if it is too large with it."""
        head = _HEAD % (
            eid.encode(),
            time.encode(),
            self._data_type,
            _DATA_OP[record.event_name],
            content.item if self._is_flat else b'"item":{%b}' % content.item,
        )
        change = b'%b:{"sequence":"%040d"' % (self._change_field, record.sequence)
        if record.is_ttl and record.event_name == "REMOVE":
            change += b',"ttl":true'
        if content.patch is not None:
            patch = b"%b:[%b]" % (self._patch_field, b",".join(content.patch))
            body = b"%b,%b,%b}}}" % (head, patch, change)
            if len(body) <= self._format.event_bytes:
                return body
            change += b',"patch_omitted":true'
        return b"%b,%b}}}" % (head, change)


def _unreadable(record: MalformedRecord) -> Unbuildable:
    return Unbuildable(
        record.sequence, None, None, None, "malformed_record", record.detail, record.raw, None
    )
