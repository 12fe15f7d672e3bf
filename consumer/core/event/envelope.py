"""The envelope: the parts of a Nakadi data change event around the item.

This module knows where the members of an event go. It does not know how the item and its patch are
made.
"""

from typing import Final

from msgspec import Struct, json

from consumer.core.event.event import Category, Crossing, EventFormat, Layout
from consumer.core.event.occurred_at import occurred_at
from consumer.core.stream.record import StreamRecord

_DATA_OP: Final = {"INSERT": b"C", "MODIFY": b"U", "REMOVE": b"D"}
_CROSSED: Final = {Crossing.ENTERED: b"C", Crossing.LEFT: b"D"}


class ItemContent(Struct, frozen=True):
    """The content of an event: its item and its patch.

    `item` is the members of the item's JSON object, comma separated; empty if none is shown.
    `patch` is the operations of the JSON Patch, each as JSON: one, or as many as an event has room
    for; None if the event carries no patch.
    `patch_omitted` says that it carries none because the event would be too large with it, or
    because what the item was before has no event. `metadata` is members of the event's metadata
    that come out of the item, each after a comma. `touched` says that nothing has changed but our
    own attribute.
    """

    item: bytes
    patch: list[bytes] | None
    patch_omitted: bool = False
    metadata: bytes = b""
    touched: bool = False


class Envelope:
    """Makes events of one format from their contents.

    `stream` is what `change` says of the stream: events are in order by stream, then by sequence.
    """

    def __init__(self, format: EventFormat, stream: str) -> None:  # noqa: A002 - it is the format
        self._event_bytes = format.event_bytes
        self._is_business = format.category is Category.BUSINESS
        self._is_flat = format.layout is Layout.FLAT
        self._has_change = format.change_member is not None
        data_type, patch_field, change_field, stream_label = (
            json.encode(text).replace(b"%", b"%%")
            for text in (format.data_type, format.patch_field, format.change_field, stream)
        )
        head = b'{"metadata":{"eid":"%b","occurred_at":"%b"%b}'
        change = change_field + b':{"sequence":"%040d","stream":' + stream_label + b"%b}"
        end = b"}}"
        if self._is_business:
            head, end = head + b"%b%b%b", b"}"
        else:
            head += b',"data_type":' + data_type + b',"data_op":"%b","data":{'
            head += b"%b%b" if self._is_flat else b'"item":{%b}%b'
        self._plain = head + change + end
        self._patched = head + patch_field + b":[%b]," + change + end
        self._unchanged = head + end  # a business event that does not say which change it is

    def body(
        self,
        record: StreamRecord,
        eid: str,
        created_at: float,
        content: ItemContent,
        crossing: Crossing | None = None,
    ) -> bytes:
        """Return the event as JSON; its patch is left out if the event is too large with it.

        `created_at` is the record's creation time in epoch seconds.
        """
        item, patch, omitted = content.item, content.patch, content.patch_omitted
        name, at = eid.encode(), occurred_at(created_at).encode()
        metadata, sequence = content.metadata, record.sequence
        rest = b""
        if record.is_ttl and record.event_name == "REMOVE":
            rest = b',"ttl":true'
        if crossing is not None:
            rest += b',"%b":true' % crossing.encode()
        elif content.touched:
            rest += b',"touched":true'
        if self._is_business:
            comma = b"," if item else b""
            if not self._has_change:
                return self._unchanged % (name, at, metadata, comma, item, b"")
            return self._plain % (name, at, metadata, comma, item, b",", sequence, rest)
        operation = _DATA_OP[record.event_name] if crossing is None else _CROSSED[crossing]
        comma = b"," if item or not self._is_flat else b""
        if patch is not None:
            made = b",".join(patch)
            parts = (name, at, metadata, operation, item, comma, made, sequence, rest)
            body = self._patched % parts
            if len(body) <= self._event_bytes:
                return body
            omitted = True
        if omitted:
            rest += b',"patch_omitted":true'
        return self._plain % (name, at, metadata, operation, item, comma, sequence, rest)

    def body_of_reading(
        self, operation: str, eid: str, read_at: float, content: ItemContent, members: bytes
    ) -> bytes:
        """Return the event of an item that was read at `read_at` (epoch seconds), as JSON.

        It has the lowest place of its stream, and no patch. `members` are further members of
        `change`, each after a comma. Business events are not made of what was read.
        """
        item = content.item
        comma = b"," if item or not self._is_flat else b""
        at = occurred_at(read_at).encode()
        head = (eid.encode(), at, content.metadata, operation.encode(), item, comma)
        return self._plain % (*head, 0, members)
