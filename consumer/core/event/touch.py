"""A touch: a write of an attribute of ours, by which a change of nothing else comes by the stream.

Rules
- No event has the attribute, nor has anything that is kept of a record: each format leaves it out
  as a selection does, whatever its routes say.
- Whether a change is a touch is asked only where the attribute is, or has gone: items that were
  never touched cost nothing.
- A version before knows of no such attribute: an event in a letter of it may show it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import DecodeError, json

from consumer.core.event.attribute import decode_object
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.patch import diff

if TYPE_CHECKING:
    from consumer.core.stream.record import StreamRecord


_decode = json.Decoder(dict[str, object]).decode


class TouchAttribute:
    """The attribute of this name, of ASCII characters that JSON need not escape."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._least_bytes = len(f'"{name}":{{}}')  # that it takes in an item
        self._name = name.encode()
        self._plain = b'"%b"' % self._name
        letters = b"|".join(b"%02x" % code for code in sorted(set(name.encode())))
        self._escaped = re.compile(rb"\\u00(?:%b)" % letters, re.IGNORECASE).search

    def may_be_in(self, text: bytes) -> bool:
        """Return whether the name may stand in a JSON text, in any spelling."""
        return self._plain in text or (b"\\u00" in text and self._escaped(text) is not None)

    def is_shown_by(self, event: bytes) -> bool:
        """Return whether an event shows it, as one that a version before has made may do."""
        if self._name not in event:
            return False
        try:
            body = _decode(event)
        except (DecodeError, RecursionError):
            return True  # nobody can say that it does not
        data = body.get("data")
        members = data if isinstance(data, dict) else body  # those of a business event
        item = members.get("item")  # in the nested layout
        if self.name in members or (isinstance(item, dict) and self.name in item):
            return True
        return any(
            isinstance(each, dict) and f"{each.get('path')}/".startswith(f"/{self.name}/")
            for value in members.values()
            if isinstance(value, list)
            for each in value
        )

    def has_changed_alone(self, record: StreamRecord, *, there: bool) -> bool:
        """Return whether nothing differs but the attribute, as readers of events see it.

        `there` says whether the item has it after the change. A record that has not both images
        does not say it.
        """
        new, old = record.new_image, record.old_image
        if new is None or old is None:
            return False
        if not there and (
            len(old) < len(new) + self._least_bytes or not self.may_be_in(bytes(old))
        ):
            return False  # nor has it gone
        try:
            before, after = decode_object(old), decode_object(new)
            was, is_now = before.pop(self.name, None), after.pop(self.name, None)
            return was != is_now and diff(before, after, limit=0) == []
        except (DecodeError, MalformedItem, RecursionError):
            return False


@lru_cache(maxsize=4)
def touch_attribute(name: str) -> TouchAttribute:
    """Return the attribute of this name."""
    return TouchAttribute(name)
