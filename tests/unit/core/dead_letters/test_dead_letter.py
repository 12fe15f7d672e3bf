"""The body of a dead letter, whole and shortened."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from consumer.core.dead_letters.dead_letter import (
    MAX_DETAIL,
    REASONS,
    DeadLetter,
    decode,
    encode,
)
from consumer.core.dead_letters.letter_content import EventMembers
from consumer.core.event.event import Crossing

ARN = "arn:aws:dynamodb:eu-central-1:1:table/orders/stream/l"
KEYS = ("order_id", "line")
MEMBERS = EventMembers(keys=KEYS)
EVENT = (
    b'{"metadata":{"eid":"e","occurred_at":"2026-11-01T09:30:00Z"},"data_type":"order",'
    b'"data_op":"U","data":{"order_id":"o-1","line":12345678901234567890123456789012345678,'
    b'"text":"%b","patch":[{"op":"replace","path":"/text","value":"%b"}],'
    b'"change":{"sequence":"7"}}}'
)
RECORD = (
    b'{"eventID":"1","dynamodb":{"Keys":{"order_id":{"S":"o-1"}},"NewImage":{"x":{"S":"%b"}},'
    b'"OldImage":{"x":{"S":"%b"}},"SequenceNumber":"7"}}'
)
LETTER = DeadLetter(
    reason="validation",
    detail="#/data/amount: expected number",
    event_type="order-store.payment",
    stream_arn=ARN,
    shard_id="shardId-1",
    sequence=400000000000000499660041,
    eid="e",
    ordering_key='["o-1"]',
    attempts=3,
    first_attempt=1793525400.0,
    last_attempt=1793525405.25,
    event=EVENT % (b"t", b"p"),
    record=None,
    route="payments",
    rules="0123",
    members=MEMBERS,
)


def body(letter: DeadLetter, limit: int = 1_048_576) -> dict[str, Any]:
    encoded = encode(letter, limit)
    found: dict[str, Any] = json.loads(encoded, parse_int=Decimal)
    return found


def test_the_body_as_published() -> None:
    assert list(body(LETTER)) == [
        "version",
        "reason",
        "detail",
        "event_type",
        "route",
        "rules",
        "stream_arn",
        "shard_id",
        "sequence_number",
        "eid",
        "ordering_key",
        "attempts",
        "first_attempt",
        "last_attempt",
        "event",
    ]
    found = body(LETTER)
    assert found["version"] == 1
    assert found["sequence_number"] == "400000000000000499660041"
    assert found["ordering_key"] == '["o-1"]'
    assert found["first_attempt"] == "2026-11-01T09:30:00.000Z"
    assert found["last_attempt"] == "2026-11-01T09:30:05.250Z"
    assert found["event"] == json.loads(LETTER.event or b"", parse_int=Decimal)


def test_the_event_stands_in_it_byte_for_byte() -> None:
    assert LETTER.event is not None
    assert LETTER.event in encode(LETTER, 1_048_576)


def test_what_was_never_sent_has_null_times() -> None:
    found = body(replace(LETTER, attempts=0, first_attempt=None, last_attempt=None))
    assert (found["attempts"], found["first_attempt"], found["last_attempt"]) == (0, None, None)


def test_what_could_not_be_read_has_null_coordinates() -> None:
    found = body(replace(LETTER, sequence=None, eid=None, ordering_key=None, event=None))
    assert (found["sequence_number"], found["eid"], found["ordering_key"]) == (None, None, None)
    assert found["event"] is None
    assert "record" not in found


def test_a_record_stands_where_there_is_no_event() -> None:
    record = RECORD % (b"n", b"o")
    found = body(replace(LETTER, event=None, record=record))
    assert found["event"] is None
    assert found["record"] == json.loads(record)
    assert "truncated" not in found


def test_what_the_change_did_to_a_view_is_told() -> None:
    assert "crossing" not in body(LETTER)
    assert body(replace(LETTER, crossing=Crossing.LEFT))["crossing"] == "left"


def test_a_body_of_just_the_limit_is_not_shortened() -> None:
    whole = encode(LETTER, 1_048_576)
    assert encode(LETTER, len(whole)) == whole
    assert len(encode(LETTER, len(whole) - 1)) < len(whole)


def test_a_long_detail_is_cut() -> None:
    assert len(body(replace(LETTER, detail="x" * 9999))["detail"]) == MAX_DETAIL


def test_characters_that_sqs_refuses_are_escaped() -> None:
    letter = replace(LETTER, event=EVENT % ("\ufffe\uffff\u007fä😀".encode(), b"p"))
    encoded = encode(letter, 1_048_576)
    assert b"\xef\xbf\xbe" not in encoded
    assert b"\xef\xbf\xbf" not in encoded
    assert json.loads(encoded)["event"]["data"]["text"] == "\ufffe\uffff\u007fä😀"


@pytest.mark.parametrize(
    "letter",
    [
        LETTER,
        replace(LETTER, event=None, record=RECORD % (b"a", b"b")),
        replace(LETTER, attempts=0, first_attempt=None, last_attempt=None, detail="ä\U0001f600\n"),
        replace(LETTER, event=None, record=b'{"x":1}', sequence=None, eid=None, ordering_key=None),
        replace(LETTER, record=RECORD % (b"a", b"b"), crossing=Crossing.ENTERED),
        replace(LETTER, route="", rules=None, event=None, truncated=("record",)),
    ],
)
def test_what_was_written_is_read_back(letter: DeadLetter) -> None:
    assert decode(encode(letter, 1_048_576)) == letter


def test_a_letter_of_a_version_without_routes_is_read() -> None:
    text = encode(replace(LETTER, route="", rules=None), 1_048_576)
    text = text.replace(b'"route":"","rules":null,', b"")
    assert b"rules" not in text
    assert decode(text) == replace(LETTER, route="", rules=None)


def test_every_digit_survives_and_unknown_members_are_let_pass() -> None:
    text = encode(LETTER, 1_048_576)[:-1] + b',"more":[1]}'
    assert b"12345678901234567890123456789012345678" in (decode(text).event or b"")


@pytest.mark.parametrize(("limit", "lost"), [(700, ("patch",)), (450, ("patch", "item"))])
def test_what_was_cut_off_is_read_back(limit: int, lost: tuple[str, ...]) -> None:
    letter = decode(encode(replace(LETTER, event=EVENT % (b"t", b"p" * 500)), limit))
    assert letter.truncated == lost
    assert (letter.event is None) is ("item" in lost)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ((b'"version":1', b'"version":2'), "version 2"),
        ((b'"version":1', b'"version":"1"'), "version"),
        ((b'"attempts":3', b'"attempts":null'), "attempts"),
        ((b'"sequence_number":"4', b'"sequence_number":"x'), "sequence_number"),
        ((b'"event":{', b'"event":1,"event2":{'), "event is no object"),
        ((b'{"version"', b'["version"'), "array"),
        ((b'"reason":"validation",', b""), "reason"),
        ((b'"rules":"0123"', b'"rules":"0123","crossing":"gone"'), "crossing"),
    ],
)
def test_what_is_no_letter_is_named(change: tuple[bytes, bytes], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        decode(encode(LETTER, 1_048_576).replace(*change, 1))


def test_the_reasons_are_those_of_the_service() -> None:
    assert {"validation", "expired", "attempts_exhausted", "rejected"} < set(REASONS)
    assert len(set(REASONS)) == 9
