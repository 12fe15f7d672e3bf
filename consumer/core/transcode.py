"""Transcoding: stream records to events, text to text.

An event's bytes are spliced from its record's: hardly anything of an item becomes a Python number or
string on the way, so every digit and every escape stays as DynamoDB wrote it, and the same record
always gives the same bytes. A pure function of record and format: whoever is faster must give the same.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, assert_never

from msgspec import Raw, json

from consumer.core.attribute import Members, decode_item, decode_members
from consumer.core.eid import EidNamespace
from consumer.core.event import Event, EventFormat, Layout, Unbuildable, UnbuildableReason
from consumer.core.malformed import MalformedItem
from consumer.core.occurred_at import epoch_seconds, occurred_at
from consumer.core.ordering_key import ordering_key
from consumer.core.patch import diff
from consumer.core.record import MalformedRecord, StreamRecord
from consumer.core.shape import Shapes

_DATA_OP: Final = {"INSERT": b"C", "MODIFY": b"U", "REMOVE": b"D"}
_HEAD: Final = (
    b'{"metadata":{"eid":"%b","occurred_at":"%b"},"data_type":%b,"data_op":"%b","data":{%b'
)


class _ReservedAttribute(MalformedItem):
    """An attribute has a name that the event needs for itself."""


class _Content(NamedTuple):
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
            text, item = _image(record.old_image) or (record.keys, decode_members(record.keys))
        else:
            text, item = _needed("NewImage", record.new_image)
        for name in self._reserved:
            if name in item:
                raise _ReservedAttribute(f"attribute {name!r}: the event itself needs this name")
        patch: list[bytes] | None = None
        if record.event_name == "MODIFY" and self._format.patch:
            patch = diff(_needed("OldImage", record.old_image)[1], item)
        return _Content(self._shapes.plain_members(text), patch)

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


def _image(text: Raw | None) -> tuple[Raw, Members] | None:
    """An image and its members; every item has its keys, so an empty one is none."""
    members = decode_members(text) if text else None
    return (text, members) if text and members else None


def _needed(name: str, text: Raw | None) -> tuple[Raw, Members]:
    image = _image(text)
    if image is None:
        raise MalformedItem(f"it has no {name}")
    return image


def _unreadable(record: MalformedRecord) -> Unbuildable:
    return Unbuildable(
        record.sequence, None, None, None, "malformed_record", record.detail, record.raw, None
    )
