"""Cursors: where in a partition a reader stands. They are exclusive: reading starts behind them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localdev.nakadi.event_types.log import OFFSET_DIGITS
from localdev.nakadi.http.body_reader import text
from localdev.nakadi.http.problem import ProblemError

if TYPE_CHECKING:
    from localdev.nakadi.event_types.log import EventLog
    from localdev.nakadi.json_value import Json, JsonObject

BEGIN = "BEGIN"
_VERSION_ONE = "001"
_VERSIONED = re.compile(r"001-([0-9a-fA-F]{4})-(-?[0-9]+)")
_PLAIN = re.compile(r"-?[0-9]+")
_TIMELINE = 1


@dataclass(frozen=True, slots=True)
class Cursor:
    """A partition and the offset behind which reading starts; `shown` is it in messages."""

    partition: str
    offset: int
    shown: str = "-1"


def start_positions(name: str, log: EventLog, header: str | None) -> dict[str, int]:
    """Return the offset behind which each wanted partition of an event type is read."""
    given = None if header is None else _parse(header)
    if given is None:
        return {partition: len(events) - 1 for partition, events in log.partitions.items()}
    cursors = [_read_cursor(name, log, cursor) for cursor in given]
    if not cursors:
        raise ProblemError(412, "invalid cursor format, partition: null offset: null")
    positions: dict[str, int] = {}
    for cursor in cursors:
        if cursor.partition not in log.partitions:
            raise _no_partition(cursor.partition)
        if not -1 <= cursor.offset < len(log.partitions[cursor.partition]):
            raise _unavailable(name, cursor.partition, cursor.shown)
    for cursor in cursors:
        if cursor.partition in positions:
            raise ProblemError(500, f"Duplicate key {cursor.partition}")
        positions[cursor.partition] = cursor.offset
    return positions


def _parse(header: str) -> list[JsonObject] | None:
    """Return the cursors of a header, None for a `null`, which counts as no header."""
    try:
        cursors: Json = json.loads(header)
    except ValueError:
        cursors = ""
    if cursors is None:
        return None
    if not isinstance(cursors, list):
        raise ProblemError(400, "incorrect syntax of X-nakadi-cursors header")
    objects = [cursor for cursor in cursors if isinstance(cursor, dict)]
    if len(objects) != len(cursors):
        raise ProblemError(400, "incorrect syntax of X-nakadi-cursors header")
    return objects


def _read_cursor(name: str, log: EventLog, cursor: JsonObject) -> Cursor:
    """Return a cursor from JSON, or raise the 412 that says what is wrong with it."""
    partition, offset = text(cursor, "partition"), text(cursor, "offset")
    if partition is None:
        raise ProblemError(412, "partition must not be null")
    if offset is None:
        raise ProblemError(412, "offset must not be null")
    if offset.upper() == BEGIN:
        if partition not in log.partitions:
            raise _no_partition("null")
        return Cursor(partition, -1)
    return _at(name, partition, offset)


def _at(name: str, partition: str, offset: str) -> Cursor:
    if not offset.startswith(_VERSION_ONE):
        if _PLAIN.fullmatch(offset) is None:
            raise _invalid(offset, partition)
        shown = offset if offset.startswith("-") else offset.zfill(OFFSET_DIGITS)
        return Cursor(partition, int(offset), shown)
    match = _VERSIONED.fullmatch(offset)
    if match is None:
        raise _invalid("null", "null")
    if int(match.group(1), 16) != _TIMELINE:
        raise _unavailable(name, "null", "null")
    return Cursor(partition, int(match.group(2)), match.group(2))


def _invalid(offset: str, partition: str) -> ProblemError:
    return ProblemError(412, f"invalid offset {offset} for partition {partition}")


def _no_partition(partition: str) -> ProblemError:
    return ProblemError(412, f"non existing partition {partition}")


def _unavailable(name: str, partition: str, offset: str) -> ProblemError:
    return ProblemError(
        412,
        f"offset {offset} for partition {partition} event type {name} is unavailable as "
        "retention time of data elapsed. PATCH partition offset with valid and available offset",
    )


def distance(name: str, log: EventLog, pair: JsonObject) -> JsonObject:
    """Return a pair of cursors with the number of events between them."""
    ends = []
    for end in ("initial_cursor", "final_cursor"):
        cursor = pair.get(end)
        if not isinstance(cursor, dict):
            raise ProblemError(422, f'Field "{end}" must not be null\n')
        ends.append(_read_cursor(name, log, cursor).offset)
    return {**pair, "distance": ends[1] - ends[0]}
