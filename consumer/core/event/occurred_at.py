"""When a change happened, as Nakadi wants it: RFC 3339 in UTC."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from consumer.core.event.malformed import MalformedItem

LAST_SECOND: Final = 253_402_300_799  # of the year 9999; RFC 3339 has four digits for a year
SECONDS_REMEMBERED: Final = 1024  # DynamoDB floors to the second: a page has few of them


def epoch_seconds(created_at: float | None) -> float:
    """`created_at` itself, a time that RFC 3339 can write. Raises MalformedItem.

    Refused are none at all, and one after the year 9999 (milliseconds taken for seconds, say).
    """
    if created_at is None or not 0 <= created_at < LAST_SECOND:
        raise MalformedItem("ApproximateCreationDateTime is no time in epoch seconds")
    return created_at


@lru_cache(maxsize=SECONDS_REMEMBERED)
def occurred_at(created_at: float) -> str:
    """`2026-11-01T09:30:00Z` for epoch seconds; with milliseconds when there is a fraction."""
    seconds, milliseconds = divmod(round(created_at * 1000), 1000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{milliseconds:03d}Z" if milliseconds else f"{text}Z"
