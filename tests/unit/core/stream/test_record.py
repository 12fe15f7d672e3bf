import json
from typing import Any

import pytest
from msgspec import Raw

from consumer.core.stream.record import MalformedRecord, StreamRecord, decode_record, sequence_of
from tests.reference.records import KEYS, Json, record_of

ITEM = {"id": {"S": "o-1"}}


def decoded(record: Json) -> StreamRecord | MalformedRecord:
    return decode_record(Raw(json.dumps(record).encode()))


def good(record: Json) -> StreamRecord:
    result = decoded(record)
    assert isinstance(result, StreamRecord)
    return result


def test_a_record_is_held_as_text() -> None:
    wire = record_of("MODIFY", ITEM, {"id": {"S": "o-2"}}, unknown=[1])
    record = good(wire)
    assert json.loads(bytes(record.text)) == wire
    assert (record.event_id, record.event_name) == (wire["eventID"], "MODIFY")
    assert record.sequence == 400000000000000499660041
    assert record.created_at == 1793525400.0
    assert json.loads(bytes(record.keys)) == KEYS
    assert record.old_image is not None
    assert json.loads(bytes(record.old_image)) == ITEM
    assert record.new_image is not None
    assert json.loads(bytes(record.new_image)) == {"id": {"S": "o-2"}}
    assert not record.is_ttl


def test_images_and_time_may_be_absent() -> None:
    wire = record_of("REMOVE")
    del wire["dynamodb"]["ApproximateCreationDateTime"]
    record = good(wire)
    assert (record.old_image, record.new_image, record.created_at) == (None, None, None)


def test_a_time_may_have_an_exponent() -> None:
    text = json.dumps(record_of("REMOVE")).replace("1793525400", "1.46480431E9")
    record = decode_record(Raw(text.encode()))
    assert isinstance(record, StreamRecord)
    assert record.created_at == 1464804310


@pytest.mark.parametrize(
    ("identity", "is_ttl"),
    [
        ({"type": "Service", "principalId": "dynamodb.amazonaws.com"}, True),
        ({"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}, True),
        ({"Type": "Service", "PrincipalId": "replication.dynamodb.amazonaws.com"}, False),
        ({"Type": "User", "PrincipalId": "dynamodb.amazonaws.com"}, False),
        ({}, False),
        (None, False),
    ],
)
def test_dynamodb_itself_deletes_what_expired(identity: Json | None, is_ttl: bool) -> None:
    assert good(record_of("REMOVE", ITEM, userIdentity=identity)).is_ttl is is_ttl


def change(**members: Any) -> Json:
    record = record_of("MODIFY", ITEM, ITEM)
    record["dynamodb"].update(members)
    return record


@pytest.mark.parametrize(
    ("record", "sequence"),
    [
        (record_of("UPSERT", ITEM, ITEM), 400000000000000499660041),
        (record_of("MODIFY", ITEM, ITEM, eventID=None), 400000000000000499660041),
        (record_of("MODIFY", ITEM, ITEM, userIdentity="x"), 400000000000000499660041),
        (change(ApproximateCreationDateTime="now"), 400000000000000499660041),
        (record_of("MODIFY", ITEM, ITEM, dynamodb=[]), None),
        (change(SequenceNumber=5), None),
        (change(SequenceNumber=""), None),
        (change(SequenceNumber="-1"), None),
        (change(SequenceNumber="1_0"), None),
        (change(SequenceNumber="\N{ARABIC-INDIC DIGIT ONE}"), None),
        (change(SequenceNumber="1" * 41), None),
        ({"dynamodb": {"SequenceNumber": "9" * 40}}, int("9" * 40)),
        ({"dynamodb": {"SequenceNumber": "x"}}, None),
    ],
)
def test_a_record_of_another_shape_is_malformed(record: Json, sequence: int | None) -> None:
    result = decoded(record)
    assert isinstance(result, MalformedRecord)
    assert json.loads(result.raw) == record
    assert result.sequence == sequence
    assert result.detail


def test_a_record_without_keys_is_malformed() -> None:
    record = change()
    del record["dynamodb"]["Keys"]
    assert isinstance(decoded(record), MalformedRecord)


@pytest.mark.parametrize("text", [b"1", b"{}", b'{"dynamodb":{}}'])
def test_a_sequence_that_is_not_there_is_none(text: bytes) -> None:
    assert sequence_of(Raw(text)) is None
