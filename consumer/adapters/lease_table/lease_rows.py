"""Rows of the lease table: conversion between our values and DynamoDB attributes.

Names of rows and attributes are public: `worker/<id>`, `stream/<table>/<label>`,
`lease/<table>/<label>/<shard>`, `gap/<table>/<label>/<shard>/<from>`; those of commands are in
`command_rows`, stream rows are converted in `stream_rows`. Times are epoch seconds as numbers,
written so that reading gives the same float again. None is an absent attribute. Attributes that a
newer version has added to a row are ignored when it is read, and kept by updates, which name what
they change.

A row that another hand has damaged, or made, costs that row only. A lease, stream or worker row is
returned and marked `unreadable`, as it is not absent; a gap or command row becomes Unreadable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from consumer.adapters.lease_table.mark_fields import mark_of, mark_values
from consumer.adapters.lease_table.row_fields import RowFields
from consumer.core.leases.checkpoint import UNREADABLE
from consumer.core.leases.lease import Gap, Lease, Pause, Worker
from consumer.core.leases.worker_report import WorkerReport

Attribute = Mapping[str, object]
Row = Mapping[str, Attribute]
Item = dict[str, Attribute]

APPLICATION: Final = "application"
KEY: Final = "key"

WORKER: Final = "worker/"
STREAM: Final = "stream/"

WORKER_TTL: Final = 3600
"""Seconds after a worker's last heartbeat when DynamoDB may remove its row (`expiresAt`)."""

RowValue = str | bool | int | float | tuple[str, ...] | dict[str, float] | None


def lease_prefix(stream_key: str) -> str:
    """Return the prefix of the keys of a stream's lease rows."""
    return f"lease/{stream_key}/"


def gap_prefix(stream_key: str) -> str:
    """Return the prefix of the keys of a stream's gap rows."""
    return f"gap/{stream_key}/"


def lease_key(stream_key: str, shard_id: str) -> str:
    """Return the key of a lease row."""
    return lease_prefix(stream_key) + shard_id


def gap_key(stream_key: str, gap: Gap) -> str:
    """Return the key of a gap row."""
    return f"{gap_prefix(stream_key)}{gap.shard_id}/{gap.from_}"


def attribute(value: str | float | tuple[str, ...] | dict[str, float]) -> Attribute:
    """Return a value as a DynamoDB attribute."""
    match value:
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int() | float():
            return {"N": repr(value)}
        case tuple():
            return {"L": [{"S": text} for text in value]}
        case dict():
            return {"M": {name: {"N": repr(number)} for name, number in value.items()}}


def item(values: Mapping[str, RowValue]) -> Item:
    """Return the attributes of those values that are not None."""
    return {name: attribute(value) for name, value in values.items() if value is not None}


def worker_values(worker: Worker) -> dict[str, RowValue]:
    """Return the attributes of a worker row."""
    return {
        "heartbeat": worker.heartbeat,
        "changes": worker.changes,
        "streams": worker.streams,
        "able": worker.able,
        "draining": worker.draining,
        "seenAt": worker.seen_at,
        "startedAt": worker.started_at,
        "host": worker.host,
        "version": worker.version,
        "leaseDuration": worker.lease_duration,
        "heartbeatInterval": worker.heartbeat_interval,
        "touchAttribute": worker.touch_attribute,
        **_report_values(worker.report),
        "expiresAt": int(worker.seen_at) + WORKER_TTL,
    }


def _report_values(report: WorkerReport | None) -> dict[str, RowValue]:
    if report is None:
        return {}
    return {
        "state": report.state,
        "reason": report.reason,
        "since": report.since,
        "settledAt": report.settled_at,
        "failing": report.failing or None,
    }


def lease_values(lease: Lease) -> dict[str, RowValue]:
    """Return the attributes of a lease row."""
    return {
        "leaseOwner": lease.owner,
        "leaseCounter": lease.counter,
        "checkpoint": lease.checkpoint,
        "parentShardId": lease.parent_shard_id,
        "parentGone": lease.parent_gone,
        "createdAt": lease.created_at,
        "recordAt": lease.record_at,
        "caughtUpAt": lease.caught_up_at,
        "releasedAt": lease.released_at,
        "startIterator": lease.start_iterator,
        "ownerSwitches": lease.owner_switches,
        "commandCounter": lease.command_counter or None,
        "paused": lease.paused or None,
        "pausedBy": None if lease.pause is None else lease.pause.by,
        "pausedAt": None if lease.pause is None else lease.pause.at,
        "pausedReason": None if lease.pause is None else lease.pause.reason or None,
        "skipBefore": lease.skip_before,
        **mark_values(lease.mark),
    }


def worker_of(row: Row) -> Worker:
    """Convert a worker row. It is marked if an attribute cannot be read."""
    fields = RowFields(row)
    worker = Worker(
        worker_id=key_of(row).removeprefix(WORKER),
        heartbeat=fields.count("heartbeat"),
        changes=fields.count("changes"),
        streams=fields.texts("streams"),
        able=fields.truth("able"),
        draining=fields.truth("draining"),
        seen_at=fields.time("seenAt"),
        started_at=fields.time("startedAt"),
        host=fields.text_if_any("host", empty=True) or "",
        version=fields.text_if_any("version", empty=True) or "",
        lease_duration=fields.seconds_if_any("leaseDuration"),
        heartbeat_interval=fields.seconds_if_any("heartbeatInterval"),
        report=_report_of(fields),
        touch_attribute=fields.text_if_any("touchAttribute"),
    )
    unreadable = fields.unreadable if worker.worker_id else KEY
    # Any change of such a row counts as a heartbeat: nothing is taken from a worker that is alive.
    beat = worker.heartbeat if unreadable is None else fields.digest()
    return replace(worker, heartbeat=beat, unreadable=unreadable)


def _report_of(fields: RowFields) -> WorkerReport | None:
    state = fields.text_if_any("state")
    if state is None:
        return None
    return WorkerReport(
        state,
        fields.text_if_any("reason"),
        fields.time_if_any("since"),
        fields.time_if_any("settledAt"),
        fields.texts_if_any("failing"),
    )


def lease_of(row: Row) -> Lease:
    """Convert a lease row. It is marked, and has no checkpoint, if an attribute cannot be read."""
    fields = RowFields(row)
    lease = Lease(
        shard_id="".join(key_of(row).split("/", 3)[3:]),
        parent_shard_id=fields.text_if_any("parentShardId"),
        owner=fields.text_if_any("leaseOwner"),
        counter=fields.count("leaseCounter"),
        checkpoint=fields.checkpoint("checkpoint"),
        parent_gone=fields.truth("parentGone"),
        created_at=fields.time_if_any("createdAt") or 0.0,
        record_at=fields.time_if_any("recordAt"),
        caught_up_at=fields.time_if_any("caughtUpAt"),
        released_at=fields.time_if_any("releasedAt"),
        start_iterator=fields.text_if_any("startIterator"),
        owner_switches=fields.count_if_any("ownerSwitches"),
        command_counter=fields.count_if_any("commandCounter"),
        paused=fields.truth("paused"),
        skip_before=fields.time_if_any("skipBefore"),
        pause=_pause_of(fields),
        mark=mark_of(row),
    )
    unreadable = fields.unreadable if lease.shard_id else KEY
    if unreadable is None:
        return lease
    return replace(lease, checkpoint=UNREADABLE, unreadable=unreadable)


def _pause_of(fields: RowFields) -> Pause | None:
    """Return who paused the shard. Workers of older versions write and remove `paused` alone."""
    by = fields.text_if_any("pausedBy", empty=True)
    at = fields.time_if_any("pausedAt")
    reason = fields.text_if_any("pausedReason", empty=True)
    if by is None or at is None or not fields.truth("paused"):
        return None
    return Pause(by, at, reason or "")


def key_of(row: Row) -> str:
    """Return the sort key of a row."""
    return str(row[KEY]["S"])
