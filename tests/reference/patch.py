"""JSON Patch without a limit: all operations are made, then compared with the limit.

`consumer.core.event.patch` must give the same operations, or none where they exceed the limit.
"""

from collections.abc import Sequence

from msgspec import DecodeError, Raw, json

from consumer.core.event.attribute import Members, decode_value, is_same, plain
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.member_names import pointer_step

_decode_members = json.Decoder(dict[str, Raw]).decode
_decode_elements = json.Decoder(list[Raw]).decode


def diff(old: Members, new: Members) -> list[bytes]:
    """Return the operations that turn `old` into `new`, however many bytes they take."""
    patch: list[bytes] = []
    _diff_map(b"", old, new, patch)
    return patch


def _diff_map(path: bytes, old: Members, new: Members, patch: list[bytes]) -> None:
    for name in [name for name, value in new.items() if old.get(name) != value]:
        step = path + pointer_step(name)
        try:
            if name in old:
                _diff_value(step, old[name], new[name], patch)
            else:
                patch.append(_add(step, _plain(new[name])))
        except (MalformedItem, DecodeError) as error:
            raise MalformedItem(f"attribute {name!r}: {error}") from None
    patch += [_remove(path + pointer_step(name)) for name in old if name not in new]


def _diff_list(path: bytes, old: Sequence[Raw], new: Sequence[Raw], patch: list[bytes]) -> None:
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
            _diff_value(b"%b/%d" % (path, index), old[index], new[index], patch)
    grown = range(common, len(new) - tail)
    patch += [_add(b"%b/%d" % (path, index), _plain(new[index])) for index in grown]
    shrunk = reversed(range(common, len(old) - tail))  # last first: other indexes do not change
    patch += [_remove(b"%b/%d" % (path, index)) for index in shrunk]


def _diff_value(path: bytes, old: Raw, new: Raw, patch: list[bytes]) -> None:
    before, after = decode_value(old), decode_value(new)
    if "M" in before and "M" in after and len(before) == len(after) == 1:
        _diff_map(path, _decode_members(before["M"]), _decode_members(after["M"]), patch)
    elif "L" in before and "L" in after and len(before) == len(after) == 1:
        parts: list[bytes] = []
        _diff_list(path, _decode_elements(before["L"]), _decode_elements(after["L"]), parts)
        if len(parts) > 1 and sum(map(len, parts)) > len(whole := _replace(path, plain(after))):
            parts = [whole]
        patch += parts
    else:
        value = plain(after)
        if not is_same(plain(before), value):
            patch.append(_replace(path, value))


def _plain(value: Raw) -> bytes:
    return plain(decode_value(value))


def _add(path: bytes, value: bytes) -> bytes:
    return b'{"op":"add","path":"' + path + b'","value":' + value + b"}"


def _replace(path: bytes, value: bytes) -> bytes:
    return b'{"op":"replace","path":"' + path + b'","value":' + value + b"}"


def _remove(path: bytes) -> bytes:
    return b'{"op":"remove","path":"' + path + b'"}'
