"""Rows of snapshots in the lease table: `snapshot/<table>/<id>`, and `…/<segment>` below it.

Values and attributes are converted as in `lease_rows`. DynamoDB may remove the rows when they have
not been written for `KEEP_SECONDS`; those of segments hold key values of the table.
"""

from __future__ import annotations

import re
from typing import Final

from consumer.adapters.lease_table.lease_rows import KEY, Row, RowValue, key_of
from consumer.adapters.lease_table.row_fields import RowFields, Unreadable
from consumer.core.republish.snapshot import (
    KEEP_SECONDS,
    MAX_SEGMENTS,
    Counts,
    Mode,
    Segment,
    Snapshot,
    Terms,
)

SNAPSHOT: Final = "snapshot/"

_SEGMENT_NUMBER: Final = re.compile(r"[0-9]{7}")


def snapshot_key(table: str, snapshot_id: str) -> str:
    """Return the key of a snapshot's row."""
    return f"{SNAPSHOT}{table}/{snapshot_id}"


def segment_prefix(snapshot: Snapshot) -> str:
    """Return the prefix of the keys of a snapshot's segments."""
    return f"{SNAPSHOT}{snapshot.key}/"


def segment_key(snapshot: Snapshot, number: int) -> str:
    """Return the key of a segment's row; its number has seven digits, so that keys sort by it."""
    return f"{segment_prefix(snapshot)}{number:07d}"


def expiry(wall: float) -> dict[str, RowValue]:
    """Return the attribute by which DynamoDB removes a row that was written at `wall`."""
    return {"expiresAt": int(wall) + KEEP_SECONDS}


def snapshot_values(row: Snapshot) -> dict[str, RowValue]:
    """Return the attributes of a snapshot's row."""
    return {
        "run": row.run,
        "segments": row.terms.segments,
        "filter": row.terms.filter,
        "routes": row.terms.routes,
        "fingerprint": row.terms.fingerprint,
        "stream": row.terms.stream,
        "mode": row.terms.mode.value,
        "startedAt": row.started_at,
        "endedAt": row.ended_at,
        **_count_values(row.counts),
    }


def segment_values(row: Segment) -> dict[str, RowValue]:
    """Return the attributes of a segment's row."""
    return {
        "run": row.run,
        "owner": row.owner,
        "counter": row.counter,
        "lastKey": row.last_key,
        "done": row.done,
        **_count_values(row.counts),
    }


def _count_values(counts: Counts) -> dict[str, RowValue]:
    return {
        "items": counts.items,
        "untaken": counts.untaken,
        "stored": counts.stored,
        "refused": counts.refused,
    }


def snapshot_of(row: Row) -> Snapshot | Unreadable:
    """Convert a snapshot's row, or name what is wrong with it."""
    fields, key = RowFields(row), key_of(row)
    table, _, snapshot_id = key.removeprefix(SNAPSHOT).partition("/")
    mode, segments = fields.text("mode"), fields.count("segments")
    if mode not in frozenset(Mode):
        fields.note("mode")
    if not 1 <= segments <= MAX_SEGMENTS:
        fields.note("segments")
    run, stream = fields.text("run"), fields.text("stream")
    filter_, fingerprint = fields.text_if_any("filter"), fields.text("fingerprint")
    routes, started_at = fields.texts("routes"), fields.time("startedAt")
    ended_at, counts = fields.time_if_any("endedAt"), _counts_of(fields)
    if fields.unreadable is not None or not snapshot_id:
        return Unreadable(key, fields.unreadable or KEY)
    terms = Terms(segments, filter_, routes, fingerprint, stream, Mode(mode))
    return Snapshot(table, snapshot_id, run, terms, started_at, ended_at, counts)


def segment_of(row: Row) -> Segment | Unreadable:
    """Convert a segment's row, or name what is wrong with it."""
    fields, key = RowFields(row), key_of(row)
    number = _SEGMENT_NUMBER.fullmatch(key.rpartition("/")[2])
    segment = Segment(
        number=0 if number is None else int(number[0]),
        run=fields.text("run"),
        owner=fields.text_if_any("owner"),
        counter=fields.count("counter"),
        last_key=fields.text_if_any("lastKey"),
        done=fields.truth("done"),
        counts=_counts_of(fields),
    )
    if fields.unreadable is not None or number is None:
        return Unreadable(key, fields.unreadable or KEY)
    return segment


def _counts_of(fields: RowFields) -> Counts:
    return Counts(
        fields.count_if_any("items"),
        fields.count_if_any("untaken"),
        fields.count_if_any("stored"),
        fields.count_if_any("refused"),
    )
