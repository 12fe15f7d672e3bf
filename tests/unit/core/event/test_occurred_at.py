import pytest
from msgspec import Raw

from consumer.core.event.malformed import MalformedItem
from consumer.core.event.occurred_at import epoch_seconds, occurred_at, time_of
from consumer.core.stream.record import MalformedRecord, decode_record
from tests.twins.shard import record


@pytest.mark.parametrize(
    ("created_at", "text"),
    [
        (0.0, "1970-01-01T00:00:00Z"),
        (1.46480431e9, "2016-06-01T18:05:10Z"),
        (1793525400.0, "2026-11-01T09:30:00Z"),
        (1793525400.123, "2026-11-01T09:30:00.123Z"),
        (1793525400.02, "2026-11-01T09:30:00.020Z"),
        (1793525400.9999, "2026-11-01T09:30:01Z"),
        (253402300798.9999, "9999-12-31T23:59:59Z"),
    ],
)
def test_a_time_has_seconds_or_milliseconds(created_at: float, text: str) -> None:
    assert occurred_at(epoch_seconds(created_at)) == text


@pytest.mark.parametrize("created_at", [None, -1.0, 1793525400000.0, 253402300799.0])
def test_no_time_or_an_absurd_one_is_malformed(created_at: float | None) -> None:
    with pytest.raises(MalformedItem):
        epoch_seconds(created_at)


def test_the_time_of_a_record_may_be_unreadable() -> None:
    good, bad = (decode_record(Raw(record(1, "a", created_at=at))) for at in (5.0, -1.0))
    assert time_of(good) == 5.0
    assert time_of(bad) is None
    assert time_of(MalformedRecord(b"{}", 1, "")) is None
