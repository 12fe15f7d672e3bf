"""The content of a dead letter, whole and shortened.

The steps are named in `truncated`. A record beside an event stands there only if both fit. An event
first loses its `patch`, and its change then has `patch_omitted`, as in a published event; the next
step is `item`: `event` is null, and the primary key is under `keys`. A stream record alone first
loses its `images`; in the next step `record` is null. All that is kept is copied as text, so every
digit stays.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from msgspec import DecodeError, Raw, Struct, json

from consumer.core.event.attribute import decode_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


RECORD = "record"
"""The part that is lost where nothing of a record can be kept."""


class EventMembers(Struct, frozen=True):
    """Names in an event that are needed to shorten a letter.

    `patch` and `change` are members of `data`, `keys` the table's key attributes as the event calls
    those that it shows. Without a `patch`, a member of any name belongs to the item. A business
    event has no `data`: the members of the item are its own.
    """

    patch: str | None = "patch"
    change: str = "change"
    keys: tuple[str, ...] = ()
    business: bool = False


LetterContent = dict[str, Raw | str | list[str] | dict[str, Raw] | None]


def contents(
    event: bytes | None,
    record: bytes | None,
    members: EventMembers,
    limit: int,
    lost: Sequence[str] = (),
) -> Iterator[LetterContent]:
    """Yield the contents that a letter may have: first the whole, then ever shorter ones.

    A content that alone exceeds `limit` is left out unless it is the last, the shortest: encoding
    it would take several times its size.
    """
    if event is not None:
        if record is not None and len(event) + len(record) <= limit and _is_text(record):
            yield {"event": Raw(event), "record": Raw(record)}
        if len(event) <= limit:
            yield {"event": Raw(event)}
        without_patch = _without_patch(event, members, limit)
        if without_patch is not None:
            yield {"event": without_patch, "truncated": ["patch"]}
        keys = _keys(event, members)
        yield {"event": None, "keys": keys, "truncated": ["patch", "item"]}
    elif record is not None:
        if len(record) <= limit and (whole := _record(record, limit)) is not None:
            yield {"event": None, **whole}
        without_images = _without_images(record)
        if without_images is not None:
            yield {"event": None, "record": without_images, "truncated": ["images"]}
        yield {"event": None, "record": None, "truncated": [RECORD]}
    elif lost:
        yield {"event": None, "record": None, "truncated": list(lost)}
    else:
        yield {"event": None}


def _record(record: bytes, limit: int) -> LetterContent | None:
    """Return the record as read; if it is not UTF-8, as text with replacements and as base64.

    Return None if these two, of which the text is at least as long as the record, exceed `limit`.
    """
    if not _is_text(record):
        if len(record) + _base64_bytes(record) > limit:
            return None
        text = record.decode(errors="replace").encode()
        return {"record": Raw(text), "record_base64": b64encode(record).decode()}
    return {"record": Raw(record)}


def _is_text(record: bytes) -> bool:
    try:
        record.decode()
    except UnicodeDecodeError:
        return False
    return True


def _base64_bytes(data: bytes) -> int:
    return (len(data) + 2) // 3 * 4


def _without_patch(event: bytes, names: EventMembers, limit: int) -> Raw | None:
    """Return the event without its patch; None if it has no patch, or exceeds `limit` without."""
    if names.patch is None or names.business:
        return None
    members = decode_object(event)
    data = decode_object(members["data"])
    if data.pop(names.patch, None) is None or sum(map(len, data.values())) > limit:
        return None
    change = decode_object(data[names.change])
    change["patch_omitted"] = Raw(b"true")
    data[names.change] = Raw(json.encode(change))
    members["data"] = Raw(json.encode(data))
    return Raw(json.encode(members))


def _keys(event: bytes, names: EventMembers) -> dict[str, Raw]:
    """Return the primary key from `data` or, in the nested layout, from `data.item`."""
    item = decode_object(event)
    if not names.business:
        item = decode_object(item["data"])
    found = _named(item, names.keys)
    if not found and "item" in item and not names.business:
        found = _named(decode_object(item["item"]), names.keys)
    return found


def _named(item: Mapping[str, Raw], names: Sequence[str]) -> dict[str, Raw]:
    return {name: item[name] for name in names if name in item}


def _without_images(record: bytes) -> Raw | None:
    """Return the record without its images; None if it does not have the form of a record."""
    try:
        members = decode_object(record)
        change = decode_object(members["dynamodb"])
    except (DecodeError, KeyError):
        return None
    kept = {name: text for name, text in change.items() if not name.endswith("Image")}
    members["dynamodb"] = Raw(json.encode(kept))
    return Raw(json.encode(members))
