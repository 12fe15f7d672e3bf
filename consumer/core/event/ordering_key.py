"""Ordering keys: events with the same ordering key stay in order."""

from collections.abc import Sequence
from typing import Final

from msgspec import json

from consumer.core.event.attribute import Item, decode_text, plain
from consumer.core.event.malformed import MalformedItem

_KEY_TYPES: Final = ("S", "N", "B")


def ordering_key(keys: Item, names: Sequence[str]) -> str:
    """Return the key attributes `names` as a JSON array: `["o-4711",12.50]`.

    A string has one spelling, whatever escapes it was sent with; a number has DynamoDB's digits and
    is never quoted; binary is its base64 text. Raises MalformedItem.
    """
    return f"[{','.join([_part(keys, name) for name in names])}]"


def _part(keys: Item, name: str) -> str:
    value = keys.get(name)
    if value is None:
        raise MalformedItem(f"Keys: attribute {name!r} is missing")
    if value.keys().isdisjoint(_KEY_TYPES):
        raise MalformedItem(f"Keys: attribute {name!r} is not a string, number or binary")
    text = plain(value)  # raises if it is not an attribute value
    if "N" in value:
        return bytes(value["N"])[1:-1].decode()
    if b"\\" in text:
        return json.encode(decode_text(text)).decode()
    return text.decode()
