"""The gap rows that `consumer gaps` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.repair.window import KEPT_SECONDS
from consumer.core.reports.times import iso

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.leases.lease import Gap


class GapLine(Struct, frozen=True):
    """One line of `consumer gaps`.

    `from_` is the last sequence number before the gap (or TRIM_HORIZON, LATEST), `to` that of the
    first record read after it, None while unknown. Up to `ahead_to` only the event types `behind`
    lost anything; None: all of them did.

    Times are ISO, UTC. What is missing was changed from `from_time` to `to_time`, as far as is
    known. All of it can be repaired until `repairable_until`, if point-in-time recovery was on then
    and keeps changes for 35 days; None if it is repaired, or if it is too late for all of it.
    """

    stream: str
    shard_id: str
    from_: str
    to: str | None
    reason: str
    detected_at: str
    from_time: str
    to_time: str
    repaired_at: str | None = None
    repairable_until: str | None = None
    behind: tuple[str, ...] = ()
    ahead_to: str | None = None

    @property
    def repair(self) -> str:
        """Return whether it was or can be repaired, in words."""
        if self.repaired_at is not None:
            return f"done {self.repaired_at}"
        return "too late" if self.repairable_until is None else f"until {self.repairable_until}"

    @property
    def lost_for(self) -> str:
        """Return which event types lost something, in words; empty: all of them did."""
        if self.ahead_to is None:
            return ""
        names = ", ".join(self.behind)
        reaches = self.to is not None and int(self.to) <= int(self.ahead_to)
        return names if reaches else f"{names}; behind {self.ahead_to} all"

    def as_json(self) -> dict[str, object]:
        """Return the public JSON. `from` is a keyword of Python, so the field has another name."""
        narrowed = {"behind": self.behind, "ahead_to": self.ahead_to}
        return {
            "stream": self.stream,
            "shard_id": self.shard_id,
            "from": self.from_,
            "to": self.to,
            "reason": self.reason,
            "detected_at": self.detected_at,
            "from_time": self.from_time,
            "to_time": self.to_time,
            "repaired_at": self.repaired_at,
            "repairable_until": self.repairable_until,
            **(narrowed if self.behind else {}),
        }


def gap_report(gaps: Mapping[str, Sequence[Gap]], wall: float) -> tuple[GapLine, ...]:
    """Return the gaps of all streams (by stream key), in the order in which they were found.

    `wall` is the time, in epoch seconds.
    """
    found = sorted(
        ((key, gap) for key, rows in gaps.items() for gap in rows),
        key=lambda pair: (pair[1].detected_at, pair[0], pair[1].shard_id),
    )
    return tuple(_line(key, gap, wall) for key, gap in found)


def _line(stream: str, gap: Gap, wall: float) -> GapLine:
    since, until = gap.changed_between
    gone = gap.repaired_at is not None or wall > until + KEPT_SECONDS
    return GapLine(
        stream,
        gap.shard_id,
        gap.from_,
        gap.to,
        gap.reason,
        iso(gap.detected_at),
        iso(since),
        iso(until),
        None if gap.repaired_at is None else iso(gap.repaired_at),
        None if gone else iso(since + KEPT_SECONDS),
        () if gap.ahead is None else gap.ahead.behind,
        None if gap.ahead is None else str(gap.ahead.to),
    )
