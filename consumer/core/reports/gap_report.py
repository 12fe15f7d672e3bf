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
    first record read after it, None while unknown; `detected_at` is ISO, UTC.
    """

    stream: str
    shard_id: str
    from_: str
    to: str | None
    reason: str
    detected_at: str

    def as_json(self) -> dict[str, str | None]:
        """Return the public JSON. `from` is a keyword of Python, so the field has another name."""
        return {
            "stream": self.stream,
            "shard_id": self.shard_id,
            "from": self.from_,
            "to": self.to,
            "reason": self.reason,
            "detected_at": self.detected_at,
        }


def gap_report(gaps: Mapping[str, Sequence[Gap]]) -> tuple[GapLine, ...]:
    """Return the gaps of all streams (by stream key), in the order in which they were found."""
    found = sorted(
        ((key, gap) for key, rows in gaps.items() for gap in rows),
        key=lambda pair: (pair[1].detected_at, pair[0], pair[1].shard_id),
    )
    return tuple(
        GapLine(key, gap.shard_id, gap.from_, gap.to, gap.reason, _iso(gap.detected_at))
        for key, gap in found
    )


def _iso(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")
