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
_HEAD: Final = (
    b'{"metadata":{"eid":"%b","occurred_at":"%b"%b},"data_type":%b,"data_op":"%b","data":{%b'
)
_BUSINESS_HEAD: Final = b'{"metadata":{"eid":"%b","occurred_at":"%b"%b}%b'


class ItemContent(Struct, frozen=True):
    """The content of an event: its item and its patch.

    `item` is the members of the item's JSON object, comma separated; empty if none is shown.
    `patch` is the operations of the JSON Patch, each as JSON; None if the event carries no patch.
    `patch_omitted` says that it carries none because the event would be too large with it, or
    because what the item was before has no event. `metadata` is members of the event's metadata
    that come out of the item, each after a comma.
    """

    item: bytes
    patch: list[bytes] | None
    patch_omitted: bool = False
    metadata: bytes = b""


class Envelope:
    """Makes events of one format from their contents.

    `stream` is what `change` says of the stream: events are in order by stream, then by sequence.
    """

    def __init__(self, format: EventFormat, stream: str) -> None:  # noqa: A002 - it is the format
        self._is_business = format.category is Category.BUSINESS
        self._data_type = json.encode(format.data_type)
        self._patch_field = json.encode(format.patch_field)
        self._change_field = json.encode(format.change_field)
        self._stream = b',"stream":' + json.encode(stream)
        self._has_change = format.change_member is not None
        self._is_flat = format.layout is Layout.FLAT
        self._event_bytes = format.event_bytes
        self._end = b"}}" if self._is_business else b"}}}"

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
        item, at = content.item, occurred_at(created_at).encode()
        if self._is_business:
            members = b"," + item if item else b""
            head = _BUSINESS_HEAD % (eid.encode(), at, content.metadata, members)
            if not self._has_change:
                return head + b"}"
        else:
            operation = _DATA_OP[record.event_name] if crossing is None else _CROSSED[crossing]
            members = item if self._is_flat else b'"item":{%b}' % item
            head = _HEAD % (
                eid.encode(), at, content.metadata, self._data_type, operation, members
            )  # fmt: skip
        comma = b"," if members or self._is_business else b""
        change = b'%b:{"sequence":"%040d"%b' % (self._change_field, record.sequence, self._stream)
        if record.is_ttl and record.event_name == "REMOVE":
            change += b',"ttl":true'
        if crossing is not None:
            change += b',"%b":true' % crossing.encode()
        omitted = content.patch_omitted
        if content.patch is not None:
            omitted = len(head) + sum(map(len, content.patch)) > self._event_bytes
            if not omitted:  # as far as it is known before the parts are joined
                patch = b"%b:[%b]" % (self._patch_field, b",".join(content.patch))
                body = b"%b%b%b,%b%b" % (head, comma, patch, change, self._end)
                if len(body) <= self._event_bytes:
                    return body
                omitted = True
        if omitted:
            change += b',"patch_omitted":true'
        return b"%b%b%b%b" % (head, comma, change, self._end)
