"""Rows of gaps in the lease table: `gap/<table>/<label>/<shard>/<from>`.

Values and attributes are converted as in `lease_rows`.
"""

from __future__ import annotations

from consumer.adapters.lease_table.lease_rows import KEY, Row, RowValue, key_of
from consumer.adapters.lease_table.mark_fields import ahead_of, ahead_values
from consumer.adapters.lease_table.row_fields import RowFields, Unreadable
from consumer.core.leases.checkpoint import sequence_of
from consumer.core.leases.lease import Gap


def gap_values(gap: Gap) -> dict[str, RowValue]:
    """Return the attributes of a gap row."""
    return {
        "from": gap.from_,
        "to": gap.to,
        "reason": gap.reason,
        "detectedAt": gap.detected_at,
        **ahead_values(gap.ahead),
    }


def gap_of(row: Row) -> Gap | Unreadable:
    """Convert a gap row, or name what is wrong with it."""
    fields, key = RowFields(row), key_of(row)
    parts = key.split("/", 3)
    shard_id, _, place = parts[-1].rpartition("/")
    gap = Gap(
        shard_id=shard_id,
        from_=fields.checkpoint("from"),
        to=fields.text_if_any("to"),
        reason=fields.text("reason"),
        detected_at=fields.time_if_any("detectedAt") or 0.0,
        ahead=ahead_of(row),
    )
    if len(parts) < 4 or not shard_id or not place:
        return Unreadable(key, KEY)
    if gap.to is not None and sequence_of(gap.to) is None:
        fields.note("to")
    if fields.unreadable is not None:
        return Unreadable(key, fields.unreadable)
    return gap
