"""What the figures rest on: the stream holds what it says, and the sink sees what went wrong."""

import gzip

import orjson

from consumer.core.stream.page import decode_page
from consumer.core.stream.record import MalformedRecord, StreamRecord
from tests.benchmarks.prepared_stream import (
    FIRST_SEQUENCE,
    RECORDS_PER_PAGE,
    PreparedStream,
    place,
    sequence,
)
from tests.benchmarks.stubs.http_stub import Request
from tests.benchmarks.stubs.sink import Sink


def test_every_record_of_a_prepared_stream_is_another() -> None:
    stream = PreparedStream(2, RECORDS_PER_PAGE + 3, gzip=True)
    records: list[StreamRecord | MalformedRecord] = []
    for shard in (0, 1):
        for start in (0, RECORDS_PER_PAGE):
            page = stream.page(shard, start)
            assert gzip.decompress(stream.compressed(shard, start) or b"") == page
            records += decode_page(page).records
    assert all(isinstance(record, StreamRecord) for record in records)
    places = [place(record.sequence) for record in records if isinstance(record, StreamRecord)]
    assert places == [(shard, n) for shard in (0, 1) for n in range(RECORDS_PER_PAGE + 3)]
    assert len({record.event_id for record in records if isinstance(record, StreamRecord)}) == 1006
    first = next(record for record in records if isinstance(record, StreamRecord))
    assert first.sequence == FIRST_SEQUENCE
    assert b'"o-000000000"' in bytes(first.keys)
    assert bytes(first.new_image or b"").count(b'"o-000000000"') == 1


def test_the_sink_counts_what_is_lost_sent_twice_or_late() -> None:
    sink = Sink(down=False)
    for numbers in ((0, 1, 100_003), (1, 3)):
        body = b",".join(b'{"sequence":"%040d"}' % sequence(7, number) for number in numbers)
        assert sink.answer(Request("POST", "/event-types/e/events", {}, body)).status == 200
    report = orjson.loads(sink.answer(Request("GET", "/control/report", {}, b"")).body)
    # The second 1 is one again and behind itself; 3 comes after 100,003, which is of the same key.
    assert report == {"events": 5, "distinct": 4, "out_of_order": 2, "requests": 2}


def test_a_sink_that_is_down_stores_nothing() -> None:
    sink = Sink(down=True)
    assert sink.answer(Request("POST", "/event-types/e/events", {}, b"[]")).status == 503
    counts = orjson.loads(sink.answer(Request("GET", "/control/count", {}, b"")).body)
    assert counts == {"events": 0, "first_at": None}
