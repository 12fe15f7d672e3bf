"""The gap rows that `consumer gaps` shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.leases.lease import Gap


@dataclass(frozen=True, slots=True)
class GapLine:
    """One line of `consumer gaps`.

    `from_` is the last sequence number before the gap (or TRIM_HORIZON, LATEST), `to` that of the
    first record read after it, None while unknown; `detected_at` is ISO, UTC. Up to `ahead_to` only
    the event types `behind` lost anything; None: all of them did.
    """

    stream: str
    shard_id: str
    from_: str
    to: str | None
    reason: str
    detected_at: str
    behind: tuple[str, ...] = ()
    ahead_to: str | None = None

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
            **(narrowed if self.behind else {}),
        }


def gap_report(gaps: Mapping[str, Sequence[Gap]]) -> tuple[GapLine, ...]:
    """Return the gaps of all streams (by stream key), in the order in which they were found."""
    found = sorted(
        ((key, gap) for key, rows in gaps.items() for gap in rows),
        key=lambda pair: (pair[1].detected_at, pair[0], pair[1].shard_id),
    )
    return tuple(
        GapLine(
            key,
            gap.shard_id,
            gap.from_,
            gap.to,
            gap.reason,
            _iso(gap.detected_at),
            () if gap.ahead is None else gap.ahead.behind,
            None if gap.ahead is None else str(gap.ahead.to),
        )
        for key, gap in found
    )


def _iso(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")
