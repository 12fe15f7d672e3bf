"""Recordings: stream records in a file, as people have them.

A record a line, as GetRecords answers them; the event of a Lambda function, or an answer of
GetRecords, which both have `Records`. The AWS command line writes times as text: they are read,
too.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from msgspec import UNSET, DecodeError, Raw, Struct, UnsetType, field, json

from consumer.core.stream.page import PageIncomplete, decode_page
from consumer.core.stream.record import MalformedRecord, StreamRecord
from consumer.core.stream.stream import ViewType


class NoRecording(ValueError):
    """A text has no stream records. The message says where, and quotes nothing of it."""


class RecordedRecord(Struct, frozen=True):
    """A record, and what it says of its stream; None or empty where it says nothing.

    `number` is its SequenceNumber as written.
    """

    record: StreamRecord | MalformedRecord
    number: str | None
    key_names: tuple[str, ...] = ()
    view_type: ViewType | None = None
    stream_arn: str | None = None


class _Change(Struct, frozen=True):
    number: str | UnsetType = field(default=UNSET, name="SequenceNumber")
    keys: dict[str, Raw] | UnsetType = field(default=UNSET, name="Keys")
    view_type: ViewType | UnsetType = field(default=UNSET, name="StreamViewType")


class _Source(Struct, frozen=True):
    change: _Change = field(name="dynamodb")
    stream_arn: str | UnsetType = field(default=UNSET, name="eventSourceARN")


class _Numbered(Struct, frozen=True):
    number: str = field(name="SequenceNumber")


class _Positioned(Struct, frozen=True):
    change: _Numbered = field(name="dynamodb")


_decode_source = json.Decoder(_Source).decode
_decode_positioned = json.Decoder(_Positioned).decode
_time_as_text = re.compile(rb'("ApproximateCreationDateTime"\s*:\s*)"([0-9T:.+Z-]{1,40})"')


def read_recording(lines: Iterable[bytes]) -> Iterator[RecordedRecord]:
    """Yield the records of a text; if each line is whole, as soon as it is read.

    Raise NoRecording for what holds no stream records.
    """
    texts = (line.removeprefix(BOM_UTF8) for line in lines)
    numbered = ((number, line) for number, line in enumerate(texts, 1) if line.strip())
    first = next(numbered, None)
    if first is None:
        raise NoRecording("it is empty")
    try:
        found = _records(first[1])
    except PageIncomplete:
        # A document over several lines, or nothing that can be read.
        yield from _read(b"".join((first[1], *(line for _, line in numbered))), "it")
        return
    yield from _checked(found, f"line {first[0]}")
    for number, line in numbered:
        yield from _read(line, f"line {number}")


def described(record: StreamRecord | MalformedRecord) -> RecordedRecord:
    """Return a record with what it says of its stream."""
    text = record.raw if isinstance(record, MalformedRecord) else bytes(record.text)
    number: str | None
    try:
        source = _decode_source(text)
    except (DecodeError, RecursionError):
        try:
            number = _decode_positioned(text).change.number
        except (DecodeError, RecursionError):
            number = None if record.sequence is None else str(record.sequence)
        return RecordedRecord(record, number)
    change = source.change
    return RecordedRecord(
        record,
        None if change.number is UNSET else change.number,
        () if change.keys is UNSET else tuple(change.keys),
        None if change.view_type is UNSET else change.view_type,
        None if source.stream_arn is UNSET else source.stream_arn,
    )


def _read(text: bytes, place: str) -> Iterator[RecordedRecord]:
    try:
        found = _records(text)
    except PageIncomplete:
        raise NoRecording(f"{place} is no JSON object") from None
    yield from _checked(found, place)


def _checked(
    records: Sequence[StreamRecord | MalformedRecord], place: str
) -> Iterator[RecordedRecord]:
    """Yield the records. One without a number is none of a stream; any other is shown as it is."""
    for record in records:
        if isinstance(record, MalformedRecord) and record.sequence is None:
            raise NoRecording(f"{place} is no stream record: {record.detail}")
        yield described(record)


def _records(text: bytes) -> Sequence[StreamRecord | MalformedRecord]:
    """Return the records of one JSON object: a record, or an object with `Records`."""
    text = _time_as_text.sub(_seconds, text)
    found = decode_page(b'{"Records":[%b]}' % text).records
    if len(found) != 1:
        raise PageIncomplete("not one JSON object")
    if isinstance(found[0], MalformedRecord) and found[0].sequence is None and b'"Records"' in text:
        return decode_page(text).records
    return found


def _seconds(found: re.Match[bytes]) -> bytes:
    try:
        at = datetime.fromisoformat(found[2].decode())
    except ValueError:
        return found[0]
    return found[0] if at.tzinfo is None else b"%b%r" % (found[1], at.timestamp())
