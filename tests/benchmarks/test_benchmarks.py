"""What the figures rest on: the stream holds what it says, and the sink sees what went wrong."""

import gzip
import time

import orjson
import pytest

from consumer.core.stream.page import decode_page
from consumer.core.stream.record import MalformedRecord, StreamRecord
from tests.benchmarks.figures.latency import SETTLE_SECONDS, dollars_a_month, waits_of
from tests.benchmarks.live_stream import LiveStream
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


def test_a_live_stream_grows_at_its_rates_and_its_records_are_of_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "time", lambda: now[0] + 1_800_000_000.0)
    stream = LiveStream([20.0, 0.0], 100.0)
    assert stream.end(0) == 0
    stream.open()
    assert stream.end(0) == 0
    now[0] += 50.0
    half = stream.end(0)
    now[0] += 60.0
    assert 900 < half < 1_100
    assert 1_800 < stream.end(0) < 2_200
    assert stream.end(1) == 0
    first, none = stream.writes
    assert none == []
    assert len(first) == stream.end(0)
    assert first[half - 1] <= 1_050.0 < first[half]
    records = decode_page(stream.page(0, half)).records
    ages = [record.created_at for record in records if isinstance(record, StreamRecord)]
    assert ages[0] == int(first[half] + 1_800_000_000.0)


def test_a_write_waits_until_the_first_time_that_it_is_accepted() -> None:
    writes = [[100.0, 100.0 + SETTLE_SECONDS, 101.0 + SETTLE_SECONDS], []]
    late = 102.0 + SETTLE_SECONDS
    arrivals = [(late, [(0, 1)]), (late + 0.5, [(0, 1), (0, 2)])]
    assert list(waits_of(writes, arrivals, 10.0)) == [2.0, 1.5]
    assert list(waits_of(writes, arrivals[:1], 1.0)) == [2.0]
    with pytest.raises(RuntimeError, match="change 2 of shard 0"):
        list(waits_of(writes, arrivals[:1], 10.0))


def test_the_first_requests_of_a_month_are_free() -> None:
    assert dollars_a_month(0.9) == 0.0
    assert dollars_a_month(4.0) == pytest.approx((4.0 * 2_592_000 - 2_500_000) * 0.2e-6)
