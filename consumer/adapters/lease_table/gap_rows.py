"""Rows of gaps in the lease table: `gap/<table>/<label>/<shard>/<from>`.

Values and attributes are converted as in `lease_rows`. `timesOf` is the `detectedAt` for which
`toTime` and `repairedAt` were written: a worker of the version before that meets the gap again
changes `detectedAt` and leaves the other three, which then say nothing any more.
"""

from __future__ import annotations

from msgspec.structs import replace

from consumer.adapters.lease_table.lease_rows import KEY, Row, RowValue, key_of
from consumer.adapters.lease_table.mark_fields import ahead_of, ahead_values
from consumer.adapters.lease_table.row_fields import RowFields, Unreadable
from consumer.core.leases.checkpoint import sequence_of
from consumer.core.leases.lease import Gap
from consumer.core.shard.gap import met_again


def gap_values(gap: Gap) -> dict[str, RowValue]:
    """Return the attributes of a gap row."""
    return {
        "from": gap.from_,
        "to": gap.to,
        "reason": gap.reason,
        "detectedAt": gap.detected_at,
        "fromTime": gap.from_time,
        **ahead_values(gap.ahead),
        **time_values(gap),
    }


def met_again_values(found: Gap | None, gap: Gap) -> dict[str, RowValue]:
    """Return the attributes to set in the row of a gap that is met again.

    `found` is what the row says; None if that is not known.
    """
    values = gap_values(replace(gap, ahead=None) if found is None else met_again(found, gap))
    return {name: value for name, value in values.items() if name not in ("from", "reason")}


def time_values(gap: Gap) -> dict[str, RowValue]:
    """Return the attributes that say when a gap ended, and when it was repaired."""
    known = gap.to_time is not None or gap.repaired_at is not None
    return {
        "toTime": gap.to_time,
        "repairedAt": gap.repaired_at,
        "timesOf": gap.detected_at if known else None,
    }


def gap_of(row: Row) -> Gap | Unreadable:
    """Convert a gap row, or name what is wrong with it."""
    fields, key = RowFields(row), key_of(row)
    parts = key.split("/", 3)
    shard_id, _, place = parts[-1].rpartition("/")
    detected_at = fields.time_if_any("detectedAt") or 0.0
    to_time, repaired_at = fields.time_if_any("toTime"), fields.time_if_any("repairedAt")
    if fields.time_if_any("timesOf") != detected_at:
        to_time = repaired_at = None
    gap = Gap(
        shard_id=shard_id,
        from_=fields.checkpoint("from"),
        to=fields.text_if_any("to"),
        reason=fields.text("reason"),
        detected_at=detected_at,
        ahead=ahead_of(row),
        from_time=fields.time_if_any("fromTime"),
        to_time=to_time,
        repaired_at=repaired_at,
    )
    if len(parts) < 4 or not shard_id or not place:
        return Unreadable(key, KEY)
    if gap.to is not None and sequence_of(gap.to) is None:
        fields.note("to")
    if fields.unreadable is not None:
        return Unreadable(key, fields.unreadable)
    return gap
