"""What a selection shows of an item, the slow and obvious way: walk it path by path.

Items are parsed JSON, as DynamoDB types it. What is shown keeps the table's types, so that the
event of the reference is made of it as of any item.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

from consumer.core.event.event import EventFormat
from consumer.core.event.selection.selection import Selection

Json = Any

Steps = tuple[str, ...]


def seen_item(item: dict[str, Json], selection: Selection) -> dict[str, Json]:
    """What is shown, under the table's names."""
    shown = copy.deepcopy(item)
    for name in item:
        if name.startswith("aws:rep:") and not selection.replication and selection.include is None:
            del shown[name]
    if selection.include is not None:
        included = [path.names for path in selection.include]
        shown = kept(shown, included)
    for path in selection.exclude:
        cut(shown, path.names)
    return shown


def shown_item(item: dict[str, Json], selection: Selection) -> dict[str, Json]:
    """What is shown, under the event's names; raises ValueError if two are called alike."""
    seen = seen_item(item, selection)
    called = dict(selection.rename)
    names = [called.get(name, name) for name in seen]
    if len(set(names)) != len(names):
        raise ValueError("two attributes under one name")
    return dict(zip(names, seen.values(), strict=True))


def kept(members: dict[str, Json], paths: list[Steps]) -> dict[str, Json]:
    """The members of a map on any of these paths."""
    found = {}
    for name, value in members.items():
        below = [path[1:] for path in paths if path[0] == name]
        if () in below:
            found[name] = value
        elif below and is_of_maps(value):
            found[name] = each_map(value, lambda inner, below=below: kept(inner, below))
    return found


def cut(members: dict[str, Json], path: Steps) -> None:
    """Take out of a map what stands at the end of a path."""
    name, *rest = path
    if name in members and not rest:
        del members[name]
    elif name in members:
        for inner in maps_in(members[name]):
            cut(inner, tuple(rest))


def is_of_maps(value: Json) -> bool:
    """Whether it is a map, or a list of nothing but such values."""
    return "M" in value or ("L" in value and all(map(is_of_maps, value["L"])))


def each_map(value: Json, change: Any) -> Json:
    if "M" in value:
        return {"M": change(value["M"])}
    return {"L": [each_map(element, change) for element in value["L"]]}


def maps_in(value: Json) -> Iterator[dict[str, Json]]:
    if "M" in value:
        yield value["M"]
    for element in value.get("L", ()):
        yield from maps_in(element)


def seen_record(record: dict[str, Json], form: EventFormat) -> dict[str, Json]:
    """A record as a dead letter may keep it."""
    found = copy.deepcopy(record)
    for name in ("Keys", "NewImage", "OldImage"):
        if name in found["dynamodb"] and form.selection is not None:
            found["dynamodb"][name] = seen_item(found["dynamodb"][name], form.selection)
    excluded = [path.names[0] for path in form.selection.exclude] if form.selection else []
    for name in form.metadata.names:
        if name in record["dynamodb"].get("NewImage", {}) and name not in excluded:
            found["dynamodb"]["NewImage"][name] = copy.deepcopy(
                record["dynamodb"]["NewImage"][name]
            )
    return found


def shown_record(record: dict[str, Json], selection: Selection) -> dict[str, Json]:
    """A record of a table that would hold only what is shown, under the event's names."""
    found = copy.deepcopy(record)
    for name in ("NewImage", "OldImage"):
        if name in found["dynamodb"]:
            found["dynamodb"][name] = shown_item(found["dynamodb"][name], selection)
    return found


def leaves(value: Json, path: Steps = ()) -> Iterator[tuple[Steps, Json]]:
    """Every value at a path of names, with its position in lists as a part of the key."""
    yield path, value
    if "M" in value:
        for name, each in value["M"].items():
            yield from leaves(each, (*path, name))
    for element in value.get("L", ()):
        yield from leaves(element, path)


def paths_of(item: dict[str, Json]) -> list[Steps]:
    """All paths that lead somewhere in an item."""
    return sorted({path for name, value in item.items() for path, _ in leaves(value, (name,))})


def text_of(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
