"""Rows of the lease table: conversion between our values and DynamoDB attributes.

Names of rows and attributes are public: `worker/<id>`, `stream/<table>/<label>`,
`lease/<table>/<label>/<shard>`, `gap/<table>/<label>/<shard>/<from>`,
`command/<table>/<label>/<number>`. Times are epoch seconds as numbers, written so that reading
gives the same float again. None is an absent attribute. Attributes that a newer version has added
to a row are ignored when it is read, and kept by updates, which name what they change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from consumer.core.leases.command import Action, Command
from consumer.core.leases.lease import Gap, Lease, StreamRow, Worker

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


def command_key(stream_key: str, number: int) -> str:
    """Return the key of a command row; its number has ten digits, so that keys sort by number."""
    return f"command/{stream_key}/{number:010d}"


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
        "expiresAt": int(worker.seen_at) + WORKER_TTL,
    }


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
        "fingerprint": row.fingerprint,
        "schemaVersion": row.schema_version,
        "commands": row.commands or None,
    }


def _sweep(row: StreamRow) -> dict[str, float]:
    """Return the `sweep` map. It is written as a whole; workers of older versions omit `at`."""
    sweep: dict[str, float] = {"n": row.sweep_n, "done": row.sweep_done}
    return sweep if row.swept_at is None else {**sweep, "at": row.swept_at}


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
        "skipBefore": lease.skip_before,
    }


def gap_values(gap: Gap) -> dict[str, RowValue]:
    """Return the attributes of a gap row."""
    return {
        "from": gap.from_,
        "to": gap.to,
        "reason": gap.reason,
        "detectedAt": gap.detected_at,
    }


def command_values(command: Command) -> dict[str, RowValue]:
    """Return the attributes of a command row."""
    return {
        "action": command.action.value,
        "shards": command.shards,
        "target": command.target,
        "issuedAt": command.issued_at,
        "issuedBy": command.issued_by,
        "token": command.token,
    }


def command_of(row: Row) -> Command:
    """Convert a command row. Raise KeyError or ValueError if it is malformed."""
    return Command(
        number=int(key_of(row).rsplit("/", 1)[1]),
        action=Action(str(row["action"]["S"])),
        shards=_texts(row, "shards") if "shards" in row else None,
        target=_text(row, "target"),
        issued_at=float(_number(row, "issuedAt")),
        issued_by=_text(row, "issuedBy") or "",
        token=_text(row, "token") or "",
    )


def worker_of(row: Row) -> Worker:
    """Convert a worker row. Raise KeyError or ValueError if it is malformed."""
    return Worker(
        worker_id=key_of(row).removeprefix(WORKER),
        heartbeat=int(_number(row, "heartbeat")),
        changes=int(_number(row, "changes")),
        streams=_texts(row, "streams"),
        able=_truth(row, "able"),
        draining=_truth(row, "draining"),
        seen_at=float(_number(row, "seenAt")),
        started_at=float(_number(row, "startedAt")),
        host=_text(row, "host") or "",
        version=_text(row, "version") or "",
        lease_duration=_time(row, "leaseDuration"),
        heartbeat_interval=_time(row, "heartbeatInterval"),
    )


def stream_of(row: Row) -> StreamRow:
    """Convert a stream row. Raise KeyError or ValueError if it is malformed."""
    _, table, label = key_of(row).split("/", 2)
    sweep = cast("Row", row["sweep"]["M"])
    return StreamRow(
        arn=str(row["streamArn"]["S"]),
        table=table,
        label=label,
        after=_text(row, "after"),
        start_position=str(row["startPosition"]["S"]),
        started_at=_time(row, "startedAt"),
        bootstrapped=_truth(row, "bootstrapped"),
        sweep_n=int(_number(sweep, "n")),
        sweep_done=int(_number(sweep, "done")),
        changes=int(_number(row, "changes")),
        fingerprint=str(row["fingerprint"]["S"]),
        schema_version=int(_number(row, "schemaVersion")),
        swept_at=_time(sweep, "at"),
        commands=int(_time(row, "commands") or 0),
    )


def lease_of(row: Row) -> Lease:
    """Convert a lease row. Raise KeyError or ValueError if it is malformed."""
    return Lease(
        shard_id=key_of(row).rsplit("/", 1)[1],
        parent_shard_id=_text(row, "parentShardId"),
        owner=_text(row, "leaseOwner"),
        counter=int(_number(row, "leaseCounter")),
        checkpoint=str(row["checkpoint"]["S"]),
        parent_gone=_truth(row, "parentGone"),
        created_at=_time(row, "createdAt") or 0.0,
        record_at=_time(row, "recordAt"),
        caught_up_at=_time(row, "caughtUpAt"),
        released_at=_time(row, "releasedAt"),
        start_iterator=_text(row, "startIterator"),
        owner_switches=int(_time(row, "ownerSwitches") or 0),
        command_counter=int(_time(row, "commandCounter") or 0),
        paused=_truth(row, "paused"),
        skip_before=_time(row, "skipBefore"),
    )


def gap_of(row: Row) -> Gap:
    """Convert a gap row. Raise KeyError or ValueError if it is malformed."""
    return Gap(
        shard_id=key_of(row).rsplit("/", 2)[1],
        from_=str(row["from"]["S"]),
        to=_text(row, "to"),
        reason=str(row["reason"]["S"]),
        detected_at=_time(row, "detectedAt") or 0.0,
    )


def key_of(row: Row) -> str:
    """Return the sort key of a row."""
    return str(row[KEY]["S"])


def _text(row: Row, name: str) -> str | None:
    return str(row[name]["S"]) if name in row else None


def _number(row: Row, name: str) -> str:
    return str(row[name]["N"])


def _time(row: Row, name: str) -> float | None:
    return float(_number(row, name)) if name in row else None


def _truth(row: Row, name: str) -> bool:
    return name in row and row[name].get("BOOL") is True


def _texts(row: Row, name: str) -> tuple[str, ...]:
    texts = cast("Sequence[Attribute]", row[name]["L"])
    return tuple(str(text["S"]) for text in texts)
