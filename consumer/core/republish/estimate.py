"""How much a snapshot reads and publishes, how long it takes, and what it costs.

Counts and sizes are those of DescribeTable, which may be six hours old.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

from consumer.core.republish.scan_page_size import UNIT_BYTES

DOLLARS_PER_MILLION: Final = 0.125
"""Price of a million read request units on demand, in us-east-1."""

DEFAULT_RCU: Final = 100.0
"""Read units a second of a snapshot, if the table has no provisioned capacity."""

PROVISIONED_PART: Final = 10
"""A snapshot takes one of so many provisioned read units."""

SEGMENT_BYTES: Final = 2 * 1024**3
FEWEST_SEGMENTS: Final = 16
MOST_SEGMENTS: Final = 256
"""AWS recommends a segment for each two gigabytes. A few allow several processes in any case."""


@dataclass(frozen=True, slots=True)
class Estimate:
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

    def exceeds_half(self, retention: float) -> bool:
        """Return whether it takes more than half of an event type's retention, in seconds.

        A reader that stops meanwhile for as long may miss the first events of the snapshot.
        """
        return self.seconds > retention / 2


def estimate(
    items: int, size: int, routes: int, *, twice: bool, rcu: float, max_rate: float | None
) -> Estimate:
    """Return the estimate for a table of so many items and bytes, read once or twice.

    The second read is of single items: each costs at least a read unit. `rcu` is in read units a
    second, `max_rate` in events a second, None for no limit.
    """
    mean = size / items if items else 0.0
    again = items * max(1, ceil(mean / UNIT_BYTES)) if twice else 0
    units = ceil(size / UNIT_BYTES) + again
    events = items * routes
    publishing = 0.0 if max_rate is None else events / max_rate
    return Estimate(items, size, events, units, max(units / rcu, publishing))


def default_rcu(provisioned: float | None) -> float:
    """Return the read units a second for a table; `provisioned` is None on demand."""
    return DEFAULT_RCU if provisioned is None else max(1.0, provisioned / PROVISIONED_PART)


def default_segments(size: int) -> int:
    """Return the number of segments for a table of so many bytes."""
    return max(FEWEST_SEGMENTS, min(MOST_SEGMENTS, ceil(size / SEGMENT_BYTES)))
