"""The time of a change as Nakadi expects it: RFC 3339 in UTC."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from consumer.core.event.malformed import MalformedItem
from consumer.core.stream.record import MalformedRecord, StreamRecord

LAST_SECOND: Final = 253_402_300_799  # of the year 9999; RFC 3339 has four digits for a year
SECONDS_REMEMBERED: Final = 1024  # DynamoDB cuts times to the second: a page has few different ones


def epoch_seconds(created_at: float | None) -> float:
    """Return `created_at` if RFC 3339 can write that time. Raises MalformedItem if it cannot.

    It cannot write a missing or negative time, or one after the year 9999 (for example
    milliseconds where seconds are expected).
    """
    if created_at is None or not 0 <= created_at < LAST_SECOND:
        raise MalformedItem("ApproximateCreationDateTime is no time in epoch seconds")
    return created_at


def time_of(record: StreamRecord | MalformedRecord) -> float | None:
    """Return a record's creation time in epoch seconds, None if it cannot be read."""
    if isinstance(record, MalformedRecord):
        return None
    try:
        return epoch_seconds(record.created_at)
    except MalformedItem:
        return None


@lru_cache(maxsize=SECONDS_REMEMBERED)
def occurred_at(created_at: float) -> str:
    """Return epoch seconds as `2026-11-01T09:30:00Z`, with milliseconds if there is a fraction."""
    seconds, milliseconds = divmod(round(created_at * 1000), 1000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{milliseconds:03d}Z" if milliseconds else f"{text}Z"
