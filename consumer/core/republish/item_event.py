"""The S or D of an item that was read, as one route shows it.

It is the event that the transcoder makes of the item's INSERT or REMOVE, the same bytes, but for
`data_op`, eid and `change`. S has the lowest place of its stream, so it takes nothing back that a
reader knows of a change. Its eid follows from run, key and what is shown: the same run over an
unchanged item gives the same eid.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec import Struct, json

from consumer.core.event.attribute import decode_members
from consumer.core.event.eid import EidNamespace
from consumer.core.event.envelope import Envelope, ItemContent
from consumer.core.event.event import DETAIL_CHARACTERS, Event
from consumer.core.event.event_metadata import NO_METADATA, MetadataReader
from consumer.core.event.items.image import read_image
from consumer.core.event.malformed import MalformedItem, ReservedAttribute, check_names
from consumer.core.event.occurred_at import epoch_seconds, occurred_at
from consumer.core.event.ordering_key import OrderingKeys
from consumer.core.event.selection.selection import less, without
from consumer.core.republish.canonical import canonical

if TYPE_CHECKING:
    from consumer.core.event.event import EventFormat
    from consumer.core.event.items.image import Image
    from consumer.core.event.items.shapes import Shapes
    from consumer.core.republish.table.read_item import ReadItem
    from consumer.core.stream.stream import Stream

TOO_DEEP = "its item is nested too deeply"


class Run(Struct, frozen=True):
    """What the events of one run have in common.

    `id` names it in `change.snapshot` and goes into the eids. `stream` is the table's latest
    stream, asked for before the first read: `change.stream` has its label.
    """

    id: str
    table_arn: str
    stream: Stream


class Refusal(Struct, frozen=True):
    """Why an event type gets no event of an item. `detail` has names, never values."""

    event_type: str
    reason: str
    detail: str = ""


class ItemEventMaker:
    """Makes the events of one route. `shapes` are those of the table's items."""

    def __init__(self, event_type: str, form: EventFormat, run: Run, shapes: Shapes) -> None:
        self._event_type = event_type
        self._format = form
        self._keys = OrderingKeys(form.ordering_key)
        self._eids = EidNamespace(run.table_arn + run.id, form.eid_event_type)
        hidden = form.touch_attribute
        metadata = MetadataReader(form.metadata, without(form.selection, (hidden,)))
        self._metadata = metadata if metadata.attributes else None
        self._shapes = shapes.of(less(form.selection, metadata.attributes), hidden)
        self._envelope = Envelope(form, form.stream_prefix + run.stream.label)
        self._snapshot = b',"snapshot":' + json.encode(run.id)

    def event_of(self, item: ReadItem) -> Event | Refusal:
        """Return the event of an item, or why there is none."""
        try:
            return self._event(item)
        except ReservedAttribute as error:
            return self._refusal("reserved_attribute", str(error))
        except MalformedItem as error:
            return self._refusal("malformed_record", str(error))
        except RecursionError:
            return self._refusal("malformed_record", TOO_DEEP)

    def shown(self, item: ReadItem) -> bytes:
        """Return what the route shows of an item that is there, in one spelling.

        Raise MalformedItem or RecursionError.
        """
        metadata = NO_METADATA
        if self._metadata is not None:
            metadata = self._metadata.read(item.item)
        spelled = canonical(self._image(item).shown)
        return b"\n".join((spelled, metadata.members, (metadata.eid or "").encode()))

    def _event(self, item: ReadItem) -> Event | Refusal:
        key = self._keys.of(item.keys)
        made_at = epoch_seconds(item.read_at)
        metadata = NO_METADATA
        if self._metadata is not None and item.item is not None:
            metadata = self._metadata.read(item.item)
        image = self._image(item)
        check_names(image.names, self._format.reserved)
        eid = metadata.eid or self._eid(item, image)
        content = ItemContent(image.members(), None, metadata=metadata.members)
        operation = "D" if item.item is None else "S"
        members = self._snapshot
        if item.twice:
            members += b',"read_at":"%b"' % occurred_at(made_at).encode()
        body = self._envelope.body_of_reading(operation, eid, made_at, content, members)
        if len(body) > self._format.event_bytes:
            return self._refusal("too_large", f"its event has {len(body)} bytes")
        return Event(0, key, eid, body, made_at, left_out=metadata.left_out)

    def _image(self, item: ReadItem) -> Image:
        text = item.last_image if item.item is None else item.item
        image = read_image(text, self._shapes)
        if image is None and item.item is None:
            image = read_image(item.keys, self._shapes)
        if image is None:
            raise MalformedItem("it has no attributes")
        return image

    def _eid(self, item: ReadItem, image: Image) -> str:
        digest = sha256(canonical(image.shown)).hexdigest()
        return self._eids.eid(canonical(decode_members(item.keys)).decode() + digest)

    def _refusal(self, reason: str, detail: str) -> Refusal:
        return Refusal(self._event_type, reason, detail[:DETAIL_CHARACTERS])
