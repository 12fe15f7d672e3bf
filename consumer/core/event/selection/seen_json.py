"""JSON that an item holds as text, as an event has it: checked, and less what is not shown.

An outbox often keeps its event as a string. Nakadi answers 400 to a whole request if one event in
it has a key twice, an integer beyond 64 bit, or half a surrogate pair; so it is read value by
value. Strings are copied, numbers are written as those of DynamoDB are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import DecodeError

from consumer.core.event.attribute import decode_array, decode_object
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.member_names import MEMBER_NAMES
from consumer.core.event.number import number
from consumer.core.event.selection.selector import Part

if TYPE_CHECKING:
    from consumer.core.event.selection.selector import Shown


_WORDS = frozenset((b"true", b"false", b"null"))


def seen_object(text: str, shown: Shown) -> dict[str, bytes]:
    """Return the members of a JSON object that are shown. Raise MalformedItem."""
    try:
        members = decode_object(text.encode())
    except (DecodeError, UnicodeEncodeError):
        raise MalformedItem("it is no JSON object") from None
    found = {}
    for name, value in members.items():
        below = shown.of_member(name) if isinstance(shown, Part) else shown
        try:
            seen = _seen(bytes(value), below)
        except (MalformedItem, DecodeError) as error:
            raise MalformedItem(f"member {name!r}: {error}") from None
        if seen is not None:
            found[name] = seen
    return found


def joined(members: dict[str, bytes]) -> bytes:
    """Return members of a JSON object as they stand in it, comma separated."""
    return b",".join([MEMBER_NAMES[name] + value for name, value in members.items()])


def _seen(text: bytes, shown: Shown) -> bytes | None:
    """Return what is shown of a JSON value, None if it is nothing. May raise DecodeError."""
    if shown is False:
        return None
    first = text[:1]
    if first == b"{":
        return b"{%b}" % joined(seen_object(text.decode(), shown))
    if first == b"[":
        elements = [_seen(bytes(each), shown) for each in decode_array(text)]
        found = [each for each in elements if each is not None]
        return b"[%b]" % b",".join(found) if len(found) == len(elements) else None
    if isinstance(shown, Part) and not shown.others:
        return None
    return text if first == b'"' or text in _WORDS else number(text)
