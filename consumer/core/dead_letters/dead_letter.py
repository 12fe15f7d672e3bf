"""A dead letter: an event or a record that could not be published, the reason, and its origin.

Its body is one JSON object (public interface, `version` 1). A letter that is too long is shortened
in steps, each named in `truncated`. An event first loses its `patch`, and its change then has
`patch_omitted`, as in a published event; the next step is `item`: `event` is null, and the primary
key is under `keys`. A stream record first loses its `images`; in the next step `record` is null.
All that is kept is copied as text, so every digit stays. `decode` reads a body back, for redrive.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from msgspec import DecodeError, Raw, Struct, json

from consumer.core.stream.record import SEQUENCE_DIGITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


VERSION: Final = 1

MAX_DETAIL: Final = 2_000
"""Most characters of `detail`."""

REASONS: Final = (
    "validation",
    "partitioning",
    "enriching",
    "too_large",
    "reserved_attribute",
    "malformed_record",
    "expired",
    "attempts_exhausted",
    "rejected",
)
"""Every `reason` of version 1."""

_decode_members = json.Decoder(dict[str, Raw]).decode

# SQS accepts no body with these characters, which XML does not allow: they are escaped.
_NOT_IN_XML: Final = ((b"\xef\xbf\xbe", rb"\ufffe"), (b"\xef\xbf\xbf", rb"\uffff"))


@dataclass(frozen=True, slots=True)
class EventMembers:
    """Names in an event that are needed to shorten a letter.

    `patch` and `change` are members of `data`, `keys` the table's key attributes. Without a
    `patch`, a member of any name belongs to the item.
    """

    patch: str | None = "patch"
    change: str = "change"
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One refused event or record. Times are epoch seconds, None if it was never sent.

    `event` is the event as it would be published (JSON bytes). If it is None, `record` is the
    stream record as read (JSON bytes). `truncated` names the parts that a body has lost that was
    read back. `members` is not in the body: it is needed to shorten it.
    """

    reason: str
    detail: str
    event_type: str
    stream_arn: str
    shard_id: str
    sequence: int | None
    eid: str | None
    ordering_key: str | None
    attempts: int
    first_attempt: float | None
    last_attempt: float | None
    event: bytes | None
    record: bytes | None
    truncated: tuple[str, ...] = ()
    members: EventMembers = field(default=EventMembers(), compare=False)


def encode(letter: DeadLetter, limit: int) -> bytes:
    """Return the message body, at most `limit` bytes of UTF-8 if any shortening reaches that."""
    body = b""
    for content in _contents(letter, limit):
        body = _encode(letter, content)
        if len(body) <= limit:
            break
    return body


class _Version(Struct):
    version: int


class _Body(Struct):
    reason: str
    detail: str
    event_type: str
    stream_arn: str
    shard_id: str
    sequence_number: str | None
    eid: str | None
    ordering_key: str | None
    attempts: int
    first_attempt: datetime | None
    last_attempt: datetime | None
    event: Raw
    record: Raw = Raw(b"null")
    truncated: tuple[str, ...] = ()


_decode_version = json.Decoder(_Version).decode
_decode_body = json.Decoder(_Body).decode


def decode(body: bytes) -> DeadLetter:
    """Return the letter in a message body; unknown members are ignored.

    Raises ValueError if it is not a dead letter of this version; its text has no value of the body.
    """
    try:
        version = _decode_version(body).version
        if version != VERSION:
            raise ValueError(f"a dead letter of version {version}, known is {VERSION}")
        found = _decode_body(body)
        sequence = _sequence(found.sequence_number)
    except (DecodeError, RecursionError) as error:
        raise ValueError(f"no dead letter: {error}") from None
    return DeadLetter(
        reason=found.reason,
        detail=found.detail,
        event_type=found.event_type,
        stream_arn=found.stream_arn,
        shard_id=found.shard_id,
        sequence=sequence,
        eid=found.eid,
        ordering_key=found.ordering_key,
        attempts=found.attempts,
        first_attempt=_epoch(found.first_attempt),
        last_attempt=_epoch(found.last_attempt),
        event=_object(found.event, "event"),
        record=_object(found.record, "record"),
        truncated=found.truncated,
    )


def _sequence(number: str | None) -> int | None:
    if number is None:
        return None
    if not (number.isascii() and number.isdigit() and len(number) <= SEQUENCE_DIGITS):
        raise ValueError("no dead letter: its sequence_number is none")
    return int(number)


def _epoch(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()


def _object(text: Raw, name: str) -> bytes | None:
    content = bytes(text)
    if content == b"null":
        return None
    if not content.startswith(b"{"):
        raise ValueError(f"no dead letter: its {name} is no object")
    return content


LetterContent = dict[str, Raw | str | list[str] | dict[str, Raw] | None]


def _contents(letter: DeadLetter, limit: int) -> Iterator[LetterContent]:
    """Yield the contents that the letter may have: first the whole, then ever shorter ones.

    A content that alone exceeds `limit` is left out unless it is the last, the shortest: encoding
    it would take several times its size.
    """
    if letter.event is not None:
        if len(letter.event) <= limit:
            yield {"event": Raw(letter.event)}
        without_patch = _without_patch(letter.event, letter.members, limit)
        if without_patch is not None:
            yield {"event": without_patch, "truncated": ["patch"]}
        keys = _keys(letter.event, letter.members.keys)
        yield {"event": None, "keys": keys, "truncated": ["patch", "item"]}
    elif letter.record is not None:
        if len(letter.record) <= limit and (whole := _record(letter.record, limit)) is not None:
            yield {"event": None, **whole}
        without_images = _without_images(letter.record)
        if without_images is not None:
            yield {"event": None, "record": without_images, "truncated": ["images"]}
        yield {"event": None, "record": None, "truncated": ["record"]}
    else:
        yield {"event": None}


def _record(record: bytes, limit: int) -> LetterContent | None:
    """Return the record as read; if it is not UTF-8, as text with replacements and as base64.

    Return None if these two, of which the text is at least as long as the record, exceed `limit`.
    """
    try:
        record.decode()
    except UnicodeDecodeError:
        if len(record) + _base64_bytes(record) > limit:
            return None
        text = record.decode(errors="replace").encode()
        return {"record": Raw(text), "record_base64": b64encode(record).decode()}
    return {"record": Raw(record)}


def _base64_bytes(data: bytes) -> int:
    return (len(data) + 2) // 3 * 4


def _encode(letter: DeadLetter, content: LetterContent) -> bytes:
    body = json.encode(
        {
            "version": VERSION,
            "reason": letter.reason,
            "detail": letter.detail[:MAX_DETAIL],
            "event_type": letter.event_type,
            "stream_arn": letter.stream_arn,
            "shard_id": letter.shard_id,
            "sequence_number": None if letter.sequence is None else str(letter.sequence),
            "eid": letter.eid,
            "ordering_key": letter.ordering_key,
            "attempts": letter.attempts,
            "first_attempt": _time(letter.first_attempt),
            "last_attempt": _time(letter.last_attempt),
            **content,
        }
    )
    for character, escaped in _NOT_IN_XML:
        body = body.replace(character, escaped)
    return body


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _without_patch(event: bytes, names: EventMembers, limit: int) -> Raw | None:
    """Return the event without its patch; None if it has no patch, or exceeds `limit` without."""
    if names.patch is None:
        return None
    members = _decode_members(event)
    data = _decode_members(members["data"])
    if data.pop(names.patch, None) is None or sum(map(len, data.values())) > limit:
        return None
    change = _decode_members(data[names.change])
    change["patch_omitted"] = Raw(b"true")
    data[names.change] = Raw(json.encode(change))
    members["data"] = Raw(json.encode(data))
    return Raw(json.encode(members))


def _keys(event: bytes, key_attributes: Sequence[str]) -> dict[str, Raw]:
    """Return the primary key from `data` or, in the nested layout, from `data.item`."""
    data = _decode_members(_decode_members(event)["data"])
    found = {name: data[name] for name in key_attributes if name in data}
    if not found and "item" in data:
        nested = _decode_members(data["item"])
        found = {name: nested[name] for name in key_attributes if name in nested}
    return found


def _without_images(record: bytes) -> Raw | None:
    """Return the record without its images; None if it does not have the form of a record."""
    try:
        members = _decode_members(record)
        change = _decode_members(members["dynamodb"])
    except (DecodeError, KeyError):
        return None
    kept = {name: text for name, text in change.items() if not name.endswith("Image")}
    members["dynamodb"] = Raw(json.encode(kept))
    return Raw(json.encode(members))
