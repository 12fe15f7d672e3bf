"""How much a snapshot reads and publishes, how long it takes, and what it costs.

Counts and sizes are those of DescribeTable, which may be six hours old.
"""

from __future__ import annotations

from math import ceil
from typing import Final

from msgspec import DecodeError, Struct, json

from consumer.core.republish.table.scan_page_size import UNIT_BYTES

DOLLARS_PER_MILLION: Final = 0.125
"""Price of a million read request units on demand, in us-east-1."""

SEGMENT_BYTES: Final = 2 * 1024**3
FEWEST_SEGMENTS: Final = 16
MOST_SEGMENTS: Final = 256
"""AWS recommends a segment for each two gigabytes. A few allow several processes in any case."""


class Estimate(Struct, frozen=True):
    """`seconds` at the given rates; `events` at most, since filters are not known to match."""

    items: int
    bytes: int
    events: int
    read_units: int
    seconds: float

    @property
    def dollars(self) -> float:
        """What reading costs on demand, in us-east-1."""
        return self.read_units * DOLLARS_PER_MILLION / 1_000_000


def estimate(
    items: int, size: int, routes: int, *, twice: bool, rcu: float, max_rate: float | None
) -> Estimate:
    """Return the estimate for a table of `items` and `size` bytes, read once or twice.

    The second read is of single items: each costs at least a read unit. `rcu` is in read units a
    second, `max_rate` in events a second, None for no limit.
    """
    mean = size / items if items else 0.0
    again = items * max(1, ceil(mean / UNIT_BYTES)) if twice else 0
    units = ceil(size / UNIT_BYTES) + again
    events = items * routes
    publishing = 0.0 if max_rate is None else events / max_rate
    return Estimate(items, size, events, units, max(units / rcu, publishing))


def default_segments(size: int) -> int:
    """Return the number of segments for a table of `size` bytes."""
    return max(FEWEST_SEGMENTS, min(MOST_SEGMENTS, ceil(size / SEGMENT_BYTES)))


def exceeds_half(seconds: float, retention: float) -> bool:
    """Return whether a snapshot takes more than half of an event type's retention, in seconds.

    A reader that stands still meanwhile for as long may miss the first events of the snapshot.
    """
    return seconds > retention / 2


def retention_of(definition: bytes) -> float | None:
    """Return how many seconds an event type keeps its events, None if its definition is silent."""
    try:
        found: object = json.decode(definition)
    except DecodeError:
        return None
    match found:
        case {"options": {"retention_time": int() as milliseconds}} if milliseconds > 0:
            return milliseconds / 1000
    return None
