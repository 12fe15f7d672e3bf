"""Which partition an event goes to."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from localdev.nakadi.java import int32, java_text, string_hash
from localdev.nakadi.json_value import Json, JsonObject

Partitioner = Callable[[JsonObject], str]


class PartitioningError(Exception):
    """The event has no partition; the text is the item's detail."""


def path_of(text: str) -> tuple[str, ...]:
    """Return the names in a dotted path; quotes and backslashes keep a dot in a name."""
    path, name, quoted, escaped = [], "", False, False
    for character in f"{text}.":
        if escaped:
            name, escaped = name + character, False
        elif character == "\\":
            escaped = True
        elif character == "'":
            quoted = not quoted
        elif character == "." and not quoted:
            path.append(name)
            name = ""
        else:
            name += character
    # The server ends at the first empty name.
    return tuple(itertools.takewhile(bool, path))


def field(event: JsonObject, path: tuple[str, ...]) -> Json:
    """Return the value at a dotted path; a missing or non-object parent is an error."""
    value: Json = event
    for name in path:
        if not isinstance(value, dict) or name not in value:
            raise PartitioningError(f"field {name} doesn't exist.")
        value = value[name]
    return value


def partitioner(definition: JsonObject, partitions: int) -> Partitioner:
    """Return the function for an event type's strategy; partitions are named "0", "1", ..."""
    names = sorted(str(number) for number in range(partitions))
    strategy = definition.get("partition_strategy", "random")
    if strategy == "hash":
        return _hash(_key_paths(definition), names)
    if strategy == "user_defined":
        return _user_defined(frozenset(names))
    turn = itertools.cycle(names)
    return lambda _event: next(turn)


def _key_paths(definition: JsonObject) -> list[tuple[str, ...]]:
    """Return the paths of the partition key; for data types the server goes into `data` itself."""
    prefix = ("data",) if definition.get("category") == "data" else ()
    fields = definition.get("partition_key_fields")
    assert isinstance(fields, list)  # noqa: S101 - checked when the event type was created
    return [(*prefix, *path_of(str(name))) for name in fields]


def _hash(paths: list[tuple[str, ...]], names: list[str]) -> Partitioner:
    count = len(names)

    def partition(event: JsonObject) -> str:
        total = int32(sum(string_hash(java_text(field(event, path))) for path in paths))
        # Java's % keeps the sign, so abs(total % n) is abs(total) % n.
        return names[abs(total) % count]

    return partition


def _user_defined(names: frozenset[str]) -> Partitioner:
    def partition(event: JsonObject) -> str:
        metadata = event.get("metadata")
        wanted = metadata.get("partition") if isinstance(metadata, dict) else None
        if not isinstance(wanted, str):
            raise PartitioningError(
                "Failed to resolve partition. Failed to get partition from event metadata"
            )
        if wanted not in names:
            raise PartitioningError(
                "Failed to resolve partition. "
                f"Invalid partition specified when publishing event: {wanted}"
            )
        return wanted

    return partition
