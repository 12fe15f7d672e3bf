"""Members of an event's metadata that come out of its item.

Nakadi refuses an event whose metadata has a member of the wrong form. Such a value is left out and
counted; only an eid that is none is poison, because readers recognise events by it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import DecodeError, Raw, Struct, json

from consumer.core.event.attribute import (
    decode_list,
    decode_map,
    decode_members,
    decode_text,
    decode_texts,
    decode_value,
)
from consumer.core.event.malformed import MalformedItem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from consumer.core.event.attribute import AttributeValue
    from consumer.core.event.event import MetadataSources
    from consumer.core.event.selection.selection import Selection

_decode_object_of_texts = json.Decoder(dict[str, str]).decode

_is_uuid = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch


class EventMetadata(Struct, frozen=True):
    """What an item says of an event's metadata.

    `eid` is None if the item has none. `members` are the others, each after a comma. `left_out` is
    how many values were left out because Nakadi would refuse them.
    """

    eid: str | None = None
    members: bytes = b""
    left_out: int = 0


NO_METADATA: Final = EventMetadata()


class MetadataReader:
    """Reads metadata out of items. What the selection excludes is in no event, nor here."""

    def __init__(self, sources: MetadataSources, selection: Selection | None) -> None:
        self._sources = sources.shown(selection)

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that are moved into the metadata."""
        return tuple(self._sources.values())

    def read(self, image: Raw | None) -> EventMetadata:
        """Return what an image says. Raise MalformedItem."""
        if image is None:
            return NO_METADATA
        item = decode_members(image)
        eid, members, left_out = None, b"", 0
        for member, attribute in self._sources.items():
            text = item.get(attribute)
            if text is None:
                continue
            try:
                value = _FORMS[member](decode_value(text))
            except (DecodeError, MalformedItem):
                value = None
            if member == "eid":
                if value is None:
                    raise MalformedItem(
                        f"attribute {attribute!r}: it is to be the eid, and no UUID"
                    )
                eid = value[1:-1].decode()
            elif value is None:
                left_out += 1
            else:
                members += b',"%b":%b' % (member.encode(), value)
        return EventMetadata(eid, members, left_out)


def _text(value: AttributeValue) -> bytes | None:
    """Return a string as JSON; None if the value is none."""
    if [*value] != ["S"]:
        return None
    return json.encode(decode_text(value["S"]))


def _uuid(value: AttributeValue) -> bytes | None:
    text = _text(value)
    return text if text is not None and _is_uuid(text[1:-1].decode()) else None


def _uuids(value: AttributeValue) -> bytes | None:
    """Return a list or a set of UUIDs as JSON."""
    if [*value] == ["SS"]:
        texts = sorted(decode_texts(value["SS"]))
        return json.encode(texts) if all(map(_is_uuid, texts)) else None
    if [*value] != ["L"]:
        return None
    found = [_uuid(each) for each in decode_list(value["L"])]
    uuids = [each for each in found if each is not None]
    return b"[%b]" % b",".join(uuids) if len(uuids) == len(found) else None


def _texts_by_name(value: AttributeValue) -> bytes | None:
    """Return a map of strings, or a string that holds a JSON object of strings, as JSON."""
    if [*value] == ["S"]:
        return json.encode(_decode_object_of_texts(decode_text(value["S"])))
    if [*value] != ["M"]:
        return None
    found = {}
    for name, each in decode_map(value["M"]).items():
        if [*each] != ["S"]:
            return None
        found[name] = decode_text(each["S"])
    return json.encode(found)


_FORMS: Final[Mapping[str, Callable[[AttributeValue], bytes | None]]] = {
    "eid": _uuid,
    "flow_id": _text,
    "span_ctx": _texts_by_name,
    "parent_eids": _uuids,
}
