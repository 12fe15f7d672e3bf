"""Records of a Lambda event are those of GetRecords."""

import json
from typing import Any

import pytest

from consumer.core.invocation.stream_batch import NoStreamBatch, read_batch
from consumer.core.stream.page import decode_page
from consumer.core.stream.record import MalformedRecord, StreamRecord
from tests.twins.invocations import event_of, some_records
from tests.twins.shard import FIRST, STREAM

IMAGE = {
    "id": {"S": 'a "quoted" äé😀\u2028'},
    "n": {"N": "1E+2"},
    "b": {"B": "AAE="},
    "m": {"M": {"l": {"L": [{"NULL": True}, {"BOOL": False}, {"NS": ["1", "2.50"]}]}}},
    "half": {"S": "\ud83d"},
}


def event(*changes: dict[str, Any]) -> dict[str, Any]:
    found = event_of(some_records(len(changes), keys=3))
    for each, change in zip(found["Records"], changes, strict=True):
        each["dynamodb"].update(change)
    return found


def test_they_are_parsed_as_those_of_getrecords() -> None:
    records = some_records(3, keys=2)
    body = b'{"Records":[' + b",".join(records) + b"]}"
    (batch, page) = read_batch(event_of(records)), decode_page(body)
    assert batch.stream_arn == STREAM.arn
    assert batch.view_type == "NEW_AND_OLD_IMAGES"
    assert batch.numbers == [str(FIRST + i) for i in range(3)]
    for ours, theirs in zip(batch.records, page.records, strict=True):
        assert isinstance(ours, StreamRecord)
        assert isinstance(theirs, StreamRecord)
        for name in ("keys", "new_image", "old_image"):
            assert bytes(getattr(ours, name)) == bytes(getattr(theirs, name))
        assert json.loads(bytes(ours.text)) == json.loads(bytes(theirs.text))
        for name in ("event_id", "event_name", "sequence", "created_at", "is_ttl"):
            assert getattr(ours, name) == getattr(theirs, name)


def test_a_lone_surrogate_is_one_malformed_record_as_on_the_wire() -> None:
    given = event({}, {"NewImage": IMAGE}, {})
    batch = read_batch(given)
    assert [isinstance(each, MalformedRecord) for each in batch.records] == [False, True, False]
    del given["Records"][1]["eventSourceARN"]
    body = json.dumps({"Records": [given["Records"][1]]}).encode()
    (theirs,) = decode_page(body).records
    ours = batch.records[1]
    assert isinstance(ours, MalformedRecord)
    assert isinstance(theirs, MalformedRecord)
    assert (ours.sequence, ours.detail) == (theirs.sequence, theirs.detail)
    assert json.loads(ours.raw) == json.loads(theirs.raw)
    assert batch.numbers[1] == str(FIRST + 1)


def test_every_other_text_is_kept() -> None:
    image = {name: value for name, value in IMAGE.items() if name != "half"}
    batch = read_batch(event({"NewImage": image}))
    (record,) = batch.records
    assert isinstance(record, StreamRecord)
    assert record.new_image is not None
    assert json.loads(bytes(record.new_image)) == image


@pytest.mark.parametrize("number", [None, 17, "", "12x", "1" * 41])
def test_a_number_that_cannot_be_read_is_none(number: object) -> None:
    batch = read_batch(event({"SequenceNumber": number}, {"StreamViewType": 3}))
    assert batch.numbers[0] is None
    assert batch.numbers[1] == str(FIRST + 1)
    assert isinstance(batch.records[0], MalformedRecord)


def test_a_record_without_a_change_is_malformed() -> None:
    given = event({})
    given["Records"][0]["dynamodb"] = "no object"
    batch = read_batch(given)
    assert (batch.numbers, batch.view_type) == ([None], None)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "no Records"),
        (None, "no Records"),
        ([], "no Records"),
        ({"Records": []}, "no Records"),
        ({"Records": {}}, "no Records"),
        ({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}, "not of aws:dynamodb"),
        ({"Records": ["text"]}, "not of aws:dynamodb"),
        ({"Records": [{"eventSource": "aws:dynamodb"}]}, "not of one stream"),
    ],
)
def test_an_event_without_records_of_a_stream_is_none(given: object, told: str) -> None:
    with pytest.raises(NoStreamBatch, match=told):
        read_batch(given)


def test_records_of_two_streams_or_out_of_order_are_no_batch() -> None:
    given = event({}, {})
    given["Records"][1]["eventSourceARN"] = STREAM.arn + "0"
    with pytest.raises(NoStreamBatch, match="not of one stream"):
        read_batch(given)
    given = event({}, {})
    given["Records"][1]["eventSourceARN"] = None
    with pytest.raises(NoStreamBatch, match="not of one stream"):
        read_batch(given)
    given = event({}, {})
    given["Records"].reverse()
    with pytest.raises(NoStreamBatch, match="not in the order"):
        read_batch(given)
