"""The body of a business event: the map in an item that is the event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import DecodeError, Raw, json

from consumer.core.event.attribute import (
    decode_map,
    decode_members,
    decode_text,
    decode_value,
    plain,
)
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.selection.seen_json import joined, seen_object
from consumer.core.event.selection.selector import Part, seen_value

if TYPE_CHECKING:
    from consumer.core.event.selection.selector import Selector, Shown

_WANTED: Final = "it is to be the event, and is no map and no JSON object"


def body_members(image: Raw, attribute: str, selector: Selector | None) -> dict[str, bytes]:
    """Return the plain members of the body, a map or a JSON object as text, by name.

    Raise MalformedItem if the attribute is anything else, or is not shown.
    """
    text = decode_members(image).get(attribute)
    shown: Shown = True if selector is None else selector.of_attribute(attribute)
    if text is None or shown is False:
        raise MalformedItem(f"attribute {attribute!r}: it is to be the event, and is not there")
    try:
        value = decode_value(text)
        if [*value] == ["S"]:
            return seen_object(decode_text(value["S"]), shown)
        if isinstance(shown, Part):
            value = decode_value(seen_value(text, shown) or text)
        if [*value] != ["M"]:
            raise MalformedItem(_WANTED)
        return {name: plain(each) for name, each in decode_map(value["M"]).items()}
    except (MalformedItem, DecodeError) as error:
        raise MalformedItem(f"attribute {attribute!r}: {error}") from None


def seen_text(value: Raw, part: Part) -> Raw:
    """Return a body that is text, as an attribute value, less what is not shown of it.

    Any other value is returned as it is. Raise MalformedItem if the text is no JSON object.
    """
    try:
        held = decode_value(value)
        if [*held] != ["S"]:
            return value
        seen = b"{%b}" % joined(seen_object(decode_text(held["S"]), part))
    except DecodeError as error:
        raise MalformedItem(str(error)) from None
    return Raw(b'{"S":%b}' % json.encode(seen.decode()))
