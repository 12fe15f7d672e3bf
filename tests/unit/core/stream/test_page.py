import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.stream.page import MalformedRecord, PageIncomplete, StreamRecord, decode_page
from tests.benchmarks.records import page
from tests.reference.records import record_of

GOOD = record_of("INSERT", None, {"id": {"S": "o-1"}})


def body_of(*records: Any, **more: Any) -> bytes:
    return json.dumps({"Records": records, **more}, separators=(",", ":")).encode()


def test_a_page_has_its_records_in_order_and_its_iterator() -> None:
    body = page(5, 3, next_iterator="iterator")
    decoded = decode_page(body)
    assert decoded.next_iterator == "iterator"
    assert decoded.size == len(body)
    assert [record.sequence for record in decoded.records] == [
        400000000000000499660041 + 7 * number for number in (5, 6, 7)
    ]


@pytest.mark.parametrize("more", [{}, {"NextShardIterator": None}])
def test_no_iterator_is_a_closed_shard_and_may_carry_records(more: dict[str, None]) -> None:
    decoded = decode_page(body_of(GOOD, **more))
    assert decoded.next_iterator is None
    assert len(decoded.records) == 1


def test_an_empty_page_is_a_page() -> None:
    decoded = decode_page(b'{ "NextShardIterator": "i", "Records": [ ], "New": {} }\n')
    assert (decoded.records, decoded.next_iterator) == ([], "i")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b"{}",
        b'{"NextShardIterator":"i"}',
        b'{"Records":null}',
        b'{"Records":{}}',
        b'{"Records":[],"NextShardIterator":1}',
        b'{"Records":[],"NextShardIterator":""}',
        b'{"Records":[]}{"Records":[]}',
        b'{"Records":[]}x',
        b'{"Records":[{"a":\x01}]}',
        b'{"Records":[NaN]}',
        b'{"__type":"com.amazonaws.dynamodb.v20120810#ExpiredIteratorException","message":"x"}',
        b"<html>Bad Gateway</html>",
        b'{"Records":[' + b"[" * 5000 + b"]" * 5000 + b"]}",
        b'{"Records":["\\ud800",' + b"[" * 5000 + b"]" * 5000 + b"]}",
        b'\xff{"Records":[]}',
    ],
)
def test_what_is_no_page_is_a_failed_call(body: bytes) -> None:
    with pytest.raises(PageIncomplete):
        decode_page(body)


@given(st.data())
def test_a_truncated_body_never_looks_like_a_closed_shard(data: st.DataObject) -> None:
    body = page(0, 2, next_iterator=data.draw(st.sampled_from(("i", None))))
    with pytest.raises(PageIncomplete):
        decode_page(body[: data.draw(st.integers(0, len(body) - 1))])


def test_a_malformed_record_harms_no_neighbour() -> None:
    bad = {"eventID": 7, "dynamodb": {"SequenceNumber": "12"}}
    first, second, third = decode_page(body_of(GOOD, bad, GOOD)).records
    assert isinstance(first, StreamRecord)
    assert isinstance(third, StreamRecord)
    assert isinstance(second, MalformedRecord)
    assert json.loads(second.raw) == bad
    assert second.sequence == 12
    assert "eventID" in second.detail


NOT_UNICODE = [
    rb"\ud800",
    rb"\udc00",
    rb"\ud800\ud800",
    rb"\udc00\ud83d",
    rb"\uD83Dx",
    b"\xff",
    b"\xed\xa0\x80",
]


@pytest.mark.parametrize("text", NOT_UNICODE)
@pytest.mark.parametrize("position", [0, 1, 2])
def test_text_that_is_not_unicode_is_malformed_and_harms_no_neighbour(
    text: bytes, position: int
) -> None:
    pair = record_of("INSERT", None, {"id": {"S": '😀 \\ud800 " é/'}})
    records = [pair, pair, pair]
    good = body_of(*records, NextShardIterator="i")
    start = [index for index in range(len(good)) if good.startswith(b"eu-central-1", index)][
        position
    ]
    body = good[:start] + text + good[start:]

    decoded = decode_page(body)

    assert decoded.next_iterator == "i"
    assert decoded.size == len(body)
    for index, record in enumerate(decoded.records):
        if index == position:
            assert isinstance(record, MalformedRecord)
            assert text in record.raw
            assert record.raw in body
            assert record.sequence == 400000000000000499660041
        else:
            assert isinstance(record, StreamRecord)
            assert bytes(record.text) == json.dumps(pair, separators=(",", ":")).encode()


def test_a_record_is_held_against_what_was_read_in_its_own_place() -> None:
    good = record_of("INSERT", None, {"id": {"S": "\ufffd"}})
    bad = record_of("INSERT", None, {"id": {"S": "\ud800"}})
    kinds = [type(record) for record in decode_page(body_of(good, bad, good, bad)).records]
    assert kinds == [StreamRecord, MalformedRecord, StreamRecord, MalformedRecord]


def test_a_pair_of_surrogates_and_an_escaped_backslash_are_unicode() -> None:
    body = body_of(record_of("INSERT", None, {"id": {"S": "😀\\ud800"}}), {"x": "\ud800"})
    good, bad = decode_page(body).records
    assert isinstance(good, StreamRecord)
    assert isinstance(bad, MalformedRecord)


def test_each_record_has_its_text() -> None:
    wires = [{**GOOD, "eventID": str(number)} for number in range(3)]
    for bad in ([], [{"eventID": 1}]):  # with a bad one records are read one by one
        *records, _ = decode_page(body_of(*wires, GOOD, *bad)).records
        for record, wire in zip(records, wires, strict=False):
            assert isinstance(record, StreamRecord)
            assert [json.loads(bytes(record.text)) for _ in range(2)] == [wire, wire]
