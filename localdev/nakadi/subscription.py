"""Subscriptions: readers whose place in each partition the server keeps."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from localdev.nakadi import body_reader as read
from localdev.nakadi.cursors import read_cursor, start_positions
from localdev.nakadi.log import offset_text
from localdev.nakadi.problem import FieldsError, ProblemError
from localdev.nakadi.registry import Registry, timestamp

if TYPE_CHECKING:
    from localdev.nakadi.json_value import JsonObject

# An event type and one of its partitions.
Place: TypeAlias = tuple[str, str]

READ_FROM = ("end", "begin", "cursors")
_NULL = "must not be null"


@dataclass(slots=True)
class Subscription:
    """Who reads which event types, and how far each partition was committed.

    `committed` holds the offset of the last committed event of each place.
    `stream` is the id of the stream that is open, if one is.
    """

    definition: JsonObject
    committed: dict[Place, int]
    stream: str | None = None

    @property
    def id(self) -> str:
        """Return its id, a UUID."""
        return str(self.definition["id"])

    def cursors(self) -> list[JsonObject]:
        """Return all places with their committed offsets."""
        return [cursor_of(place, offset) for place, offset in self.committed.items()]

    def commit(self, places: list[tuple[Place, int]]) -> list[bool]:
        """Move places forward; say of each whether it was ahead of what was committed."""
        for place, _ in places:
            if place not in self.committed:
                raise ProblemError(422, f"non existing partition {place[1]}")
        moved = []
        for place, offset in places:
            moved.append(offset > self.committed[place])
            self.committed[place] = max(offset, self.committed[place])
        return moved


def place_of(event_types: Registry, cursor: JsonObject) -> tuple[Place, int]:
    """Return the place and offset that a cursor names, or raise the 422."""
    name = str(cursor.get("event_type"))
    known = event_types.get(name)
    if known is None:
        raise ProblemError(422, f'EventType "{name}" does not exist.')
    try:
        found = read_cursor(name, known.log, cursor)
    except ProblemError as problem:
        raise ProblemError(422, problem.detail) from None
    return (name, found.partition), found.offset


def cursor_of(place: Place, offset: int) -> JsonObject:
    """Return a subscription's cursor; its token is new each time and never looked at."""
    return {
        "partition": place[1],
        "offset": offset_text(offset),
        "event_type": place[0],
        "cursor_token": str(uuid.uuid4()),
    }


@dataclass(slots=True)
class Subscriptions:
    """All subscriptions by id."""

    all: dict[str, Subscription] = field(default_factory=dict)

    def find(self, number: str) -> Subscription:
        """Return a subscription, or raise the 404."""
        if number not in self.all:
            raise ProblemError(404, f'Subscription with id "{number}" does not exist')
        return self.all[number]

    def on(self, name: str) -> bool:
        """Whether one of them reads an event type."""
        return any((name, "0") in one.committed for one in self.all.values())

    def create(self, event_types: Registry, body: bytes) -> tuple[Subscription, bool]:
        """Return the subscription for a definition, and whether it is new.

        Application, event types and consumer group name it: the same again is the old one.
        """
        definition = _read(body)
        for known in self.all.values():
            if all(known.definition[name] == definition[name] for name in _IDENTITY):
                return known, False
        names = [str(name) for name in _list(definition, "event_types")]
        absent = [name for name in names if event_types.get(name) is None]
        if absent:
            listed = ", ".join(f"'{name}'" for name in absent)
            raise ProblemError(
                422, f"Failed to create subscription, event type(s) not found: {listed}"
            )
        created = timestamp()
        committed = _first_places(event_types, names, definition)
        complete: JsonObject = {
            **definition,
            "id": str(uuid.uuid4()),
            "created_at": created,
            "updated_at": created,
        }
        made = Subscription(complete, committed)
        self.all[made.id] = made
        return made, True


_IDENTITY = ("owning_application", "event_types", "consumer_group")


def _read(body: bytes) -> JsonObject:
    source = read.read_object(body)
    missing = [
        (name, _NULL) for name in ("owning_application", "event_types") if source.get(name) is None
    ]
    if missing:
        raise FieldsError(missing)
    names = sorted(set(read.texts(source, "event_types")))
    group = read.text({"consumer_group": "default", **source}, "consumer_group")
    application = read.text(source, "owning_application")
    empty = [
        (name, f"must contain at least one {what}")
        for name, value, what in (
            ("owning_application", application, "character"),
            ("event_types", names, "element"),
            ("consumer_group", group, "character"),
        )
        if not value
    ]
    if empty:
        raise FieldsError(empty)
    cursors = source.get("initial_cursors") or []
    return {
        "owning_application": application,
        "event_types": [*names],
        "consumer_group": group,
        "read_from": read.enum({"read_from": "end", **source}, "read_from", READ_FROM),
        "initial_cursors": cursors if isinstance(cursors, list) else [],
    }


def _list(definition: JsonObject, name: str) -> list[object]:
    value = definition[name]
    return [*value] if isinstance(value, list) else []


def _first_places(
    event_types: Registry, names: list[str], definition: JsonObject
) -> dict[Place, int]:
    """Return where each partition is read from at first."""
    places: dict[Place, int] = {}
    for name in names:
        log = event_types.find(name).log
        newest = start_positions(name, log, None)
        for partition, offset in newest.items():
            places[name, partition] = -1 if definition["read_from"] == "begin" else offset
    if definition["read_from"] != "cursors":
        return places
    given = [cursor for cursor in _list(definition, "initial_cursors") if isinstance(cursor, dict)]
    named = [(one.get("event_type"), one.get("partition")) for one in given]
    if not places.keys() <= set(named):
        raise ProblemError(
            422, "initial_cursors should contain cursors for all partitions of subscription"
        )
    if not set(named) <= places.keys():
        raise ProblemError(
            422, "initial_cursors should contain cursors only for partitions of this subscription"
        )
    if len(named) > len(places):
        raise ProblemError(
            422, "there should be no more than 1 cursor for each partition in initial_cursors"
        )
    return dict(place_of(event_types, cursor) for cursor in given)
