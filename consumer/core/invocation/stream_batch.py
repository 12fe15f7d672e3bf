"""The records of an event of Lambda, in the form in which GetRecords answers them.

The runtime has parsed the event already, so each record is encoded again, by itself, and all are
read by the parser of GetRecords. So whatever makes events and letters is given the same records as
in the service. A record with text that is not Unicode cannot be encoded as it is: it is written in
ASCII, and is malformed for the parser, as it would be in the service.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from consumer.core.stream.page import decode_page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.stream.record import MalformedRecord, StreamRecord

SOURCE: Final = "aws:dynamodb"

_ADDED: Final = "eventSourceARN"
"""What Lambda adds to a record; GetRecords does not have it."""


class NoStreamBatch(ValueError):
    """The event has no records of one shard of a DynamoDB stream. The text quotes no value."""


class StreamBatch(Struct, frozen=True):
    """Records in the order of their shard. `numbers` are their SequenceNumbers as they came.

    A number is None if it cannot be read. `view_type` is what the first record says, if any does.
    """

    stream_arn: str
    view_type: str | None
    records: Sequence[StreamRecord | MalformedRecord]
    numbers: Sequence[str | None]


def read_batch(event: object) -> StreamBatch:
    """Return the records of an event. Raise NoStreamBatch if there are none of one stream."""
    found = event.get("Records") if isinstance(event, dict) else None
    if not (isinstance(found, list) and found):
        raise NoStreamBatch("the event has no Records: wanted those of a DynamoDB stream")
    sent = [each for each in found if isinstance(each, dict) and each.get("eventSource") == SOURCE]
    if len(sent) < len(found):
        raise NoStreamBatch(f"a record is not of {SOURCE}: wanted those of a DynamoDB stream")
    arn = sent[0].get(_ADDED)
    if not isinstance(arn, str) or any(each.get(_ADDED) != arn for each in sent):
        raise NoStreamBatch(f"the records are not of one stream: wanted the same {_ADDED} in all")
    body = b'{"Records":[' + b",".join([_encoded(each) for each in sent]) + b"]}"
    records = decode_page(body).records
    newest = 0
    for record in records:
        if record.sequence is not None and record.sequence < newest:
            raise NoStreamBatch("the records are not in the order of their shard")
        newest = record.sequence or newest
    numbers = [
        None if record.sequence is None else str(_change(each)["SequenceNumber"])
        for each, record in zip(sent, records, strict=True)
    ]
    words = [_change(each).get("StreamViewType") for each in sent]
    view_type = next((word for word in words if isinstance(word, str)), None)
    return StreamBatch(arn, view_type, records, numbers)


def _encoded(record: Mapping[str, object]) -> bytes:
    shown = {name: value for name, value in record.items() if name != _ADDED}
    try:
        return msgspec.json.encode(shown)
    except UnicodeEncodeError:
        return json.dumps(shown, separators=(",", ":")).encode()


def _change(record: Mapping[str, object]) -> Mapping[str, object]:
    change = record.get("dynamodb")
    return change if isinstance(change, dict) else {}
