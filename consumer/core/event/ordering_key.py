"""Ordering keys: what events must share to stay in order, as text."""

from collections.abc import Sequence

from msgspec import json

from consumer.core.event.attribute import Item, plain
from consumer.core.event.malformed import MalformedItem

_decode_text = json.Decoder(str).decode


def ordering_key(keys: Item, names: Sequence[str]) -> str:
    """The key attributes `names` as a JSON array: `["o-4711",12.50]`. Raises MalformedItem.

    Strings are spelled in one way, however they were escaped; numbers have DynamoDB's digits, bare
    at any size; binary is its base64 text.
    """
    return f"[{','.join([_part(keys, name) for name in names])}]"


def _part(keys: Item, name: str) -> str:
    value = keys.get(name)
    if value is None:
        raise MalformedItem(f"Keys: attribute {name!r} is missing")
    text = plain(value)  # refuses what is no attribute value
    if "N" in value:
        return bytes(value["N"])[1:-1].decode()
    if "S" not in value and "B" not in value:
        raise MalformedItem(f"Keys: attribute {name!r} is not a string, number or binary")
    if b"\\" in text:
        return json.encode(_decode_text(text)).decode()
    return text.decode()
