"""Stream rows: conversion between our values and DynamoDB attributes (others: `lease_rows`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from consumer.adapters.lease_table.lease_rows import KEY, key_of
from consumer.adapters.lease_table.row_fields import RowFields, Unreadable
from consumer.core.leases.lease import StreamRow

if TYPE_CHECKING:
    from consumer.adapters.lease_table.lease_rows import Row, RowValue

_LABEL: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T")  # how the label of every stream begins


def stream_values(row: StreamRow) -> dict[str, RowValue]:
    """Return the attributes of a stream row."""
    return {
        "streamArn": row.arn,
        "after": row.after,
        "startPosition": row.start_position,
        "startedAt": row.started_at,
        "bootstrapped": row.bootstrapped,
        "sweep": _sweep(row),
        "changes": row.changes,
        "schemaVersion": row.schema_version,
        "commands": row.commands or None,
        "passedBy": row.passed_by,
        **purpose_values(row),
    }


def purpose_values(row: StreamRow) -> dict[str, RowValue]:
    """Return those attributes of a stream row that say for what the stream is read."""
    return {
        "fingerprint": row.fingerprint,
        "eventTypes": row.event_types,
        "published": row.published,
        "streamPrefix": row.stream_prefix,
    }


def _sweep(row: StreamRow) -> dict[str, float]:
    """Return the `sweep` map. It is written as a whole; workers of older versions omit `at`."""
    sweep: dict[str, float] = {"n": row.sweep_n, "done": row.sweep_done}
    return sweep if row.swept_at is None else {**sweep, "at": row.swept_at}


def stream_of(row: Row) -> StreamRow | Unreadable:
    """Convert a stream row. It is marked if damaged, and Unreadable if its key has no label."""
    fields, key = RowFields(row), key_of(row)
    _, _, name = key.partition("/")
    table, _, label = name.partition("/")
    sweep = fields.fields_of("sweep")
    stream = StreamRow(
        arn=fields.text("streamArn"),
        table=table,
        label=label,
        after=fields.text_if_any("after"),
        start_position=fields.text("startPosition"),
        started_at=fields.time_if_any("startedAt"),
        bootstrapped=fields.truth("bootstrapped"),
        sweep_n=sweep.count("n"),
        sweep_done=sweep.count("done"),
        changes=fields.count("changes"),
        fingerprint=fields.text("fingerprint", empty=True),
        schema_version=fields.count("schemaVersion"),
        swept_at=sweep.time_if_any("at"),
        commands=fields.count_if_any("commands"),
        passed_by=fields.text_if_any("passedBy"),
        event_types=fields.texts("eventTypes") if "eventTypes" in row else None,
        published=fields.texts("published") if "published" in row else None,
        stream_prefix=fields.text("streamPrefix", empty=True) if "streamPrefix" in row else None,
    )
    unreadable = fields.unreadable or ("sweep" if sweep.unreadable else None)
    if unreadable is not None and not _LABEL.match(label):
        return Unreadable(key, KEY)
    return replace(stream, unreadable=unreadable)
