"""Attribute values: DynamoDB's typed JSON (`{"S":"x"}`) spliced into plain JSON (`"x"`).

The input and the output are text: msgspec finds where a value begins and ends (`Raw`) and checks
that it is strict JSON, so strings are copied as they were sent. Only maps, lists and sets are
decoded further.
White space between tokens is never part of the result.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import DecodeError, Raw, json

from consumer.core.event.malformed import MalformedItem
from consumer.core.event.member_names import MEMBER_NAMES
from consumer.core.event.number import by_value, number

AttributeValue = Mapping[str, Raw]
"""One type descriptor and the text of its value: `{"S": Raw(b'"x"')}`."""

Item = Mapping[str, AttributeValue]
"""Attribute values by attribute name, in the order in which they were sent."""

Members = Mapping[str, Raw]
"""The text of attribute values by attribute name."""

decode_map = json.Decoder(dict[str, dict[str, Raw]]).decode
"""The attributes of a map (M). Raises msgspec's DecodeError."""

decode_value = json.Decoder(dict[str, Raw]).decode
"""One attribute value. Raises msgspec's DecodeError."""

decode_list = json.Decoder(list[dict[str, Raw]]).decode
"""The elements of a list (L). Raises msgspec's DecodeError."""

decode_object = decode_value
"""The members of a JSON object as text. Raises msgspec's DecodeError."""

decode_array = json.Decoder(list[Raw]).decode
"""The elements of a JSON array as text. Raises msgspec's DecodeError."""

decode_texts = json.Decoder(list[str]).decode
"""The strings of a JSON array. Raises msgspec's DecodeError."""

decode_text = json.Decoder(str).decode
"""A JSON string. Raises msgspec's DecodeError."""

BACKSLASH: Final = 0x5C
"""As a number: Python looks for a byte twenty times as fast as for a text of one byte."""

_QUOTE: Final = 0x22


def decode_members(text: Raw) -> Members:
    """Return the members of an image or of `Keys` as text. Raises MalformedItem."""
    try:
        return decode_object(text)
    except DecodeError as error:
        raise MalformedItem(f"not an item: {error}") from None


def decode_item(text: Raw) -> Item:
    """Return the attributes of an image or of `Keys`. Raises MalformedItem."""
    try:
        return decode_map(text)
    except DecodeError as error:
        raise MalformedItem(f"not an item: {error}") from None


def plain_item(item: Item) -> list[bytes]:
    """Return the members of the plain JSON object, `"name":value`, in the item's order.

    Raises MalformedItem, which names the attribute.
    """
    members = []
    name = ""
    try:
        for name, value in item.items():
            if "S" in value and len(value) == 1:  # most values are strings: this saves a call
                text = bytes(value["S"])
                if text[0] != _QUOTE:
                    raise MalformedItem("its S is not a string")
            else:
                text = plain(value)
            members.append(MEMBER_NAMES[name] + text)
    except (MalformedItem, DecodeError) as error:
        raise MalformedItem(f"attribute {name!r}: {error}") from None
    return members


def plain(value: AttributeValue) -> bytes:
    """Return the plain JSON of one attribute value; the same text always gives the same JSON.

    Raises MalformedItem, and msgspec's DecodeError where M, L or a set holds something else.
    """
    try:
        [kind] = value
    except ValueError:
        raise MalformedItem("it has not exactly one type") from None
    raw = value[kind]
    if kind == "M":
        return b"{" + b",".join(plain_item(decode_map(raw))) + b"}"
    if kind == "L":
        return b"[" + b",".join([plain(element) for element in decode_list(raw)]) + b"]"
    return plain_text(kind, bytes(raw))


def plain_text(kind: str, text: bytes) -> bytes:
    """Return the plain JSON of a value that holds no others, as `plain` does."""
    match kind:
        case "S" | "B":
            return _string(text)
        case "N":
            return number(_string(text)[1:-1])
        case "SS" | "BS":
            return json.encode(sorted(decode_texts(text)))
        case "BOOL" if text in {b"true", b"false"}:
            return text
        case "NULL" if text == b"true":
            return b"null"
        case "NS":
            plain_of = {digits: number(digits) for digits in map(str.encode, decode_texts(text))}
            return b"[%b]" % b",".join(
                plain_of[digits] for digits in sorted(plain_of, key=by_value)
            )
        case _:
            raise MalformedItem("its type or value is none that DynamoDB has")


def is_same(before: bytes, after: bytes) -> bool:
    """Return whether two plain values are equal, as text or as strings with different escapes."""
    return before == after or (
        before[0] == after[0] == _QUOTE
        and (BACKSLASH in before or BACKSLASH in after)
        and decode_text(before) == decode_text(after)
    )


def _string(text: bytes) -> bytes:
    if text[0] != _QUOTE:
        raise MalformedItem("its value is not a string")
    return text
