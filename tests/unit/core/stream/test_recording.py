"""Stream records in files, in the forms in which people have them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from consumer.core.stream.record import MalformedRecord, StreamRecord
from consumer.core.stream.recording import NoRecording, RecordedRecord, read_recording
from consumer.core.stream.stream import ViewType
from tests.reference.records import KEYS, Json, record_of, records

ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/2026-11-01T00:00:00.000"
MADE = record_of("INSERT", None, KEYS | {"n": {"N": "1.0"}}, eventSourceARN=ARN)
GONE = record_of("REMOVE", KEYS, userIdentity={"Type": "Service", "PrincipalId": "x"})


def read(text: str | bytes) -> list[RecordedRecord]:
    body = text.encode() if isinstance(text, str) else text
    return [*read_recording(body.splitlines(keepends=True))]


def names(found: list[RecordedRecord]) -> list[str]:
    return [each.record.event_name for each in found if isinstance(each.record, StreamRecord)]


def both(**form: Any) -> list[str]:
    return [json.dumps(record, **form) for record in (MADE, GONE)]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(both()),
        "\n\n  \n".join(both()) + "\n",
        json.dumps({"Records": [MADE, GONE]}),
        json.dumps({"Records": [MADE, GONE], "NextShardIterator": "x"}, indent=2),
        "\n" + json.dumps({"NextShardIterator": None, "Records": [MADE, GONE]}, indent=2),
        "\n".join(json.dumps({"Records": [record]}) for record in (MADE, GONE)),
        json.dumps({"Records": [MADE]}) + "\n" + json.dumps(GONE),
        "\ufeff" + "\n".join(both()),
    ],
)
def test_the_forms_of_records(text: str) -> None:
    assert names(read(text)) == ["INSERT", "REMOVE"]


def test_one_record_may_be_written_over_many_lines() -> None:
    assert names(read(both(indent=2)[0])) == ["INSERT"]


def test_what_a_record_says_of_its_stream() -> None:
    made, gone = read("\n".join(both()))
    assert (made.stream_arn, gone.stream_arn) == (ARN, None)
    assert made.number == "400000000000000499660041"
    assert made.key_names == ("id",)
    assert made.view_type is ViewType.NEW_AND_OLD_IMAGES
    bare = record_of("INSERT", None, KEYS)
    for name in ("StreamViewType", "SizeBytes"):
        del bare["dynamodb"][name]
    (found,) = read(json.dumps(bare))
    assert found.view_type is None


@given(records)
def test_any_record_is_kept_as_it_is(record: Json) -> None:
    text = json.dumps(record)
    (found,) = read(text)
    assert isinstance(found.record, StreamRecord)
    assert bytes(found.record.text) == text.encode()
    assert found.number == record["dynamodb"]["SequenceNumber"]


def test_times_as_the_command_line_of_aws_writes_them() -> None:
    for text, seconds in (
        ("2026-11-01T09:30:00+00:00", 1793525400.0),
        ("2026-11-01T10:30:00.5+01:00", 1793525400.5),
        ("2026-11-01T09:30:00Z", 1793525400.0),
    ):
        record = record_of("INSERT", None, KEYS)
        record["dynamodb"]["ApproximateCreationDateTime"] = text
        (found,) = read(json.dumps({"Records": [record]}, indent=4))
        assert isinstance(found.record, StreamRecord)
        assert found.record.created_at == seconds


@pytest.mark.parametrize("text", ["2026-11-01T09:30:00", "2026", "12:00Z"])
def test_other_times_are_none(text: str) -> None:
    record = record_of("INSERT", None, KEYS)
    record["dynamodb"]["ApproximateCreationDateTime"] = text
    (found,) = read(json.dumps(record))
    assert isinstance(found.record, MalformedRecord)


def test_an_attribute_may_be_called_as_the_time() -> None:
    item = KEYS | {"ApproximateCreationDateTime": {"S": "2026-11-01T09:30:00Z"}}
    (found,) = read(json.dumps(record_of("INSERT", None, item)))
    assert isinstance(found.record, StreamRecord)
    assert b"2026-11-01T09:30:00Z" in bytes(found.record.text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is empty"),
        ("\n \n", "it is empty"),
        ("{", "it is no JSON object"),
        ("{\n\n", "it is no JSON object"),
        ("secret", "it is no JSON object"),
        (f"{both()[0]}\nsecret", "line 2 is no JSON object"),
        (f"{both()[0]}, {both()[1]}", "it is no JSON object"),
        (f"\n{both()[0]}\n\n[]", "line 4 is no stream record"),
        ("7", "line 1 is no stream record"),
        ('{"Records": 7}', "it is no JSON object"),
        ('{"Records": [{"body": "secret"}]}', "line 1 is no stream record"),
        ('{\n"Records": [{"body": "secret"}]}', "it is no stream record"),
        ('{"body": "secret"}', "line 1 is no stream record"),
        ("[" * 100_000, "it is no JSON object"),
    ],
)
def test_what_holds_no_stream_records_is_refused_without_quoting_it(text: str, says: str) -> None:
    with pytest.raises(NoRecording) as refused:
        read(text)
    assert str(refused.value).startswith(says)
    assert "secret" not in str(refused.value)


def test_a_record_that_the_service_cannot_read_is_shown_as_that() -> None:
    odd = record_of("INSERT", None, KEYS) | {"eventName": "UPSERT"}
    (found,) = read(json.dumps(odd))
    assert isinstance(found.record, MalformedRecord)
    assert found.number == odd["dynamodb"]["SequenceNumber"]
    assert found.key_names == ("id",)
    half = json.dumps(record_of("INSERT", None, KEYS | {"a": {"S": "\ud800"}}))
    (not_unicode,) = read(half)
    assert isinstance(not_unicode.record, MalformedRecord)
    no_keys = record_of("INSERT", None, KEYS)
    no_keys["dynamodb"]["Keys"] = 7
    (found,) = read(json.dumps(no_keys))
    assert (found.number, found.key_names) == (no_keys["dynamodb"]["SequenceNumber"], ())


def test_the_number_of_a_record_that_no_decoder_takes() -> None:
    bad = json.dumps(record_of("INSERT", None, KEYS)).replace("o-4711", "\\ud800").encode()
    bad = bad.replace(b'"Keys": {', b'"Keys": 7, "x": {')
    (found,) = read(bad)
    assert isinstance(found.record, MalformedRecord)
    assert found.number == "400000000000000499660041"


def test_records_are_given_as_they_come() -> None:
    lines = iter([both()[0].encode(), b"no record"])
    found = read_recording(lines)
    assert isinstance(next(found).record, StreamRecord)
    with pytest.raises(NoRecording):
        next(found)
