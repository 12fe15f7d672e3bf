"""A dead letter: an event or a record that could not be published, the reason, and its origin.

Its body is one JSON object (public interface, `version` 1). A letter that is too long is shortened
in steps (`letter_content`), each named in `truncated`. `decode` reads a body back, for redrive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from msgspec import DecodeError, Raw, Struct, json

from consumer.core.dead_letters.letter_content import EventMembers, LetterContent, contents
from consumer.core.event.event import Crossing
from consumer.core.stream.record import SEQUENCE_DIGITS

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

# SQS accepts no body with these characters, which XML does not allow: they are escaped.
_NOT_IN_XML: Final = ((b"\xef\xbf\xbe", rb"\ufffe"), (b"\xef\xbf\xbf", rb"\uffff"))


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One refused event or record. Times are epoch seconds, None if it was never sent.

    `route` is the name of the route, and `rules` the digest of how it made events then; None in a
    letter of a version without it. Both say nothing, and `event_type` is empty, if the record could
    not be read at all. `ordering_key` is a digest if the route does not show the key.

    `event` is the event as it would be published (JSON bytes). `record` is the stream record as
    read (JSON bytes), less what the route leaves out. It stands where there is no event; with an
    event, it says of what another one can be made. `crossing` is what the change did to the route's
    view. `truncated` names the parts that are lost. `stream_prefix` is what stood before the
    stream's label then: an event that is made again keeps its place among those of its key.
    `members` is not in the body: it is needed to shorten it.
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
    route: str = ""
    rules: str | None = None
    crossing: Crossing | None = None
    truncated: tuple[str, ...] = ()
    stream_prefix: str = ""
    members: EventMembers = field(default=EventMembers(), compare=False)


def encode(letter: DeadLetter, limit: int) -> bytes:
    """Return the message body, at most `limit` bytes of UTF-8 if any shortening reaches that."""
    body = b""
    for content in contents(letter.event, letter.record, letter.members, limit, letter.truncated):
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
    route: str = ""
    rules: str | None = None
    crossing: str | None = None
    truncated: tuple[str, ...] = ()
    stream_prefix: str = ""


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
        route=found.route,
        rules=found.rules,
        crossing=None if found.crossing is None else _crossing(found.crossing),
        truncated=found.truncated,
        stream_prefix=found.stream_prefix,
    )


def _sequence(number: str | None) -> int | None:
    if number is None:
        return None
    if not (number.isascii() and number.isdigit() and len(number) <= SEQUENCE_DIGITS):
        raise ValueError("no dead letter: its sequence_number is none")
    return int(number)


def _crossing(word: str) -> Crossing:
    try:
        return Crossing(word)
    except ValueError:
        raise ValueError("no dead letter: its crossing is none") from None


def _epoch(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()


def _object(text: Raw, name: str) -> bytes | None:
    content = bytes(text)
    if content == b"null":
        return None
    if not content.startswith(b"{"):
        raise ValueError(f"no dead letter: its {name} is no object")
    return content


def _encode(letter: DeadLetter, content: LetterContent) -> bytes:
    body = json.encode(
        {
            "version": VERSION,
            "reason": letter.reason,
            "detail": letter.detail[:MAX_DETAIL],
            "event_type": letter.event_type,
            "route": letter.route,
            "rules": letter.rules,
            "stream_arn": letter.stream_arn,
            "shard_id": letter.shard_id,
            "sequence_number": None if letter.sequence is None else str(letter.sequence),
            "eid": letter.eid,
            "ordering_key": letter.ordering_key,
            "attempts": letter.attempts,
            "first_attempt": _time(letter.first_attempt),
            "last_attempt": _time(letter.last_attempt),
            **({"stream_prefix": letter.stream_prefix} if letter.stream_prefix else {}),
            **({} if letter.crossing is None else {"crossing": letter.crossing.value}),
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
