"""JSON Patch (RFC 6902) from one item to the next.

A value whose DynamoDB text is the same has not changed and is not decoded. Other values are
compared as the plain JSON of the event, so a patch has no difference that its reader cannot see.

Rules
- `add`, `replace` and `remove` only; paths are relative to the item.
- Maps are compared member by member. Operations come in the order of the new item's members, then
  those that remove members, in the order of the old item.
- Lists: equal elements at both ends stay; the rest is compared one by one, then grows or shrinks.
- Sets, like scalars, are replaced as a whole.
- If several operations inside a list take more bytes than replacing the list, it is replaced.

The path of each operation repeats all names above it, so a patch can be a thousand times as long as
its item. Operations are made only while they stay within a limit.
"""

import re
from collections.abc import Sequence
from typing import Final

from msgspec import DecodeError, Raw

from consumer.core.event.attribute import (
    Members,
    decode_array,
    decode_object,
    decode_value,
    is_same,
    plain,
)
from consumer.core.event.items.plain_gaps import NUMBER
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.member_names import pointer_step

_ADD: Final = b'{"op":"add","path":"'
_REPLACE: Final = b'{"op":"replace","path":"'
_VALUE: Final = b'","value":'


_scalar = re.compile(rb'\{"(?:S":("[^"\\]*+")|N":"(' + NUMBER + rb')")\}').fullmatch
"""Most values: strings without escapes, and numbers. If their texts differ, they do, too."""


class _Operations:
    """Operations that take at most `limit` bytes together, or the fact that they take more.

    A single operation may exceed the limit: it is not much longer than the item. After the limit is
    exceeded by several, this is `full`: it holds none and takes none, and paths are not made. The
    items are still compared to their end, because a malformed value is reported wherever it is.
    """

    __slots__ = ("full", "limit", "made", "size")

    def __init__(self, limit: int, *, full: bool = False) -> None:
        self.made: list[bytes] = []
        self.size = 0
        self.limit = limit
        self.full = full

    def path(self, above: bytes, name: str) -> bytes:
        return b"" if self.full else above + pointer_step(name)

    def index(self, above: bytes, index: int) -> bytes:
        return b"" if self.full else b"%b/%d" % (above, index)

    def put(self, operation: bytes, path: bytes, value: bytes) -> None:
        """Append an operation that has a value; `operation` is its text in front of the path."""
        if not self.full:
            self.append(operation + path + _VALUE + value + b"}")

    def remove(self, path: bytes) -> None:
        if not self.full:
            self.append(b'{"op":"remove","path":"' + path + b'"}')

    def append(self, operation: bytes) -> None:
        self.made.append(operation)
        self.size += len(operation)
        if self.size > self.limit and len(self.made) > 1:
            self.full = True
            self.made = []


def diff(old: Members, new: Members, limit: int) -> list[bytes] | None:
    """Return the operations, as JSON, that turn `old` into `new`. Raises MalformedItem.

    Return None if they are several, and take more than `limit` bytes without the commas between.
    """
    patch = _Operations(limit)
    _diff_map(b"", old, new, patch)
    return None if patch.full else patch.made


def _diff_map(path: bytes, old: Members, new: Members, patch: _Operations) -> None:
    for name in [name for name, value in new.items() if old.get(name) != value]:
        before, after, step = old.get(name), new[name], patch.path(path, name)
        try:
            if before is None:
                patch.put(_ADD, step, _plain(after))
                continue
            found = _scalar(after)
            if found is not None:
                other = _scalar(before)
                if other is not None and other.lastindex == found.lastindex:
                    patch.put(_REPLACE, step, found[found.lastindex or 0])
                    continue
            _diff_value(step, before, after, patch)
        except (MalformedItem, DecodeError) as error:
            raise MalformedItem(f"attribute {name!r}: {error}") from None
    if not old.keys() <= new.keys():
        for name in old:
            if name not in new:
                patch.remove(patch.path(path, name))


def _diff_list(path: bytes, old: Sequence[Raw], new: Sequence[Raw], patch: _Operations) -> None:
    shorter = min(len(old), len(new))
    head = 0
    while head < shorter and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shorter and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    common = shorter - tail  # may be less than `head`: then no element before it differs
    for index in range(head, common):
        if old[index] != new[index]:
            _diff_value(patch.index(path, index), old[index], new[index], patch)
    for index in range(common, len(new) - tail):
        patch.put(_ADD, patch.index(path, index), _plain(new[index]))
    for index in reversed(range(common, len(old) - tail)):  # last first: other indexes stay
        patch.remove(patch.index(path, index))


def _diff_value(path: bytes, old: Raw, new: Raw, patch: _Operations) -> None:
    before, after = decode_value(old), decode_value(new)
    if "M" in before and "M" in after and len(before) == len(after) == 1:
        _diff_map(path, decode_object(before["M"]), decode_object(after["M"]), patch)
    elif "L" in before and "L" in after and len(before) == len(after) == 1:
        # The plain list is not longer than its text, so parts that exceed this limit exceed it.
        longest = len(_REPLACE) + len(path) + len(_VALUE) + len(after["L"]) + 1
        parts = _Operations(longest, full=patch.full)
        _diff_list(path, decode_array(before["L"]), decode_array(after["L"]), parts)
        if patch.full:
            return
        if parts.full:
            parts.made = [replace(path, plain(after))]
        elif len(parts.made) > 1 and parts.size > len(whole := replace(path, plain(after))):
            parts.made = [whole]
        for operation in parts.made:
            patch.append(operation)
    else:
        value = plain(after)
        if not is_same(plain(before), value):
            patch.put(_REPLACE, path, value)


def _plain(value: Raw) -> bytes:
    return plain(decode_value(value))


def replace(path: bytes, value: bytes) -> bytes:
    """Return the operation that puts `value` (JSON) at `path` (an escaped JSON pointer)."""
    return replaced(path) + value + b"}"


def replaced(path: bytes) -> bytes:
    """Return the operation that replaces the value at `path`, up to that value."""
    return _REPLACE + path + _VALUE
