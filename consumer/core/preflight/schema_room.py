"""What a JSON schema leaves room for: whether an object may have one member more.

Only keywords that can refuse a member are read. What is not understood is taken for room: Nakadi
says the rest, event by event. Which members are required is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from msgspec import Struct

Value: TypeAlias = "str | bool | dict[str, Value]"
"""A part of an event."""

_Part: TypeAlias = "tuple[object, Value, bool]"
"""A schema, what it says something of, and whether the mode `compatible` closes it."""

_KINDS: Final[Mapping[str, type]] = {"string": str, "boolean": bool, "object": dict}
_OF_OBJECTS: Final = frozenset({"properties", "required", "minProperties", "maxProperties"})
_SPEAKING: Final = _OF_OBJECTS | {
    "minItems", "maxItems", "uniqueItems", "items", "anyOf", "allOf", "oneOf", "$ref", "type",
}  # fmt: skip
"""Without any of these keywords the mode `compatible` takes a schema for that of an object."""

_COMPOSED: Final[tuple[tuple[str, Callable[[Iterable[object]], bool]], ...]] = (
    ("allOf", all),
    ("anyOf", any),
    ("oneOf", any),  # what tells them apart may be what is required
)
_REPEATED_GROUP: Final = re.compile(r"\)[*+{]")
"""A pattern with one can take very long: it is taken for room."""

DEPTH: Final = 50
"""Most schemas on the way to a value; what lies deeper is taken for room."""


class SchemaRoom(Struct, frozen=True):
    """A schema, its `root`. In the mode `compatible` an object has only members that are named."""

    root: Mapping[str, object]
    compatible: bool = False

    def takes(self, event: Value) -> bool:
        """Return whether there is room for all members of an event, at any depth."""
        return self._takes((self.root, event, self.compatible), DEPTH)

    def lacking(
        self, name: str, known: Mapping[str, Value], members: Mapping[str, Value]
    ) -> tuple[str, ...]:
        """Return those `members` that the object `name` cannot have beside the `known` ones.

        None of them, if it cannot even have the known ones: then this is not the reason.
        """
        if not self.takes({name: {**known}}):
            return ()
        return tuple(
            member
            for member, value in members.items()
            if not self.takes({name: {**known, member: value}})
        )

    def _takes(self, part: _Part, depth: int) -> bool:
        schema, value, strict = part
        if not isinstance(schema, Mapping) or not depth:
            return schema is not False
        reference = schema.get("$ref")
        if isinstance(reference, str):  # what stands beside it counts for nothing
            return self._takes((self._at(reference), value, strict), depth - 1)
        if not _is_of(schema, value):
            return False
        if isinstance(value, dict) and not all(
            self._takes(each, depth - 1) for each in _parts(schema, value, strict=strict)
        ):
            return False
        for keyword, choose in _COMPOSED:
            schemas = schema.get(keyword)
            if isinstance(schemas, list) and not choose(
                self._takes((each, value, strict), depth - 1) for each in schemas
            ):
                return False
        return True

    def _at(self, reference: str) -> object:
        """Return the schema to which a reference leads, True if that is not found here."""
        if not reference.startswith("#"):
            return True
        found: object = self.root
        for step in reference.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            found = found.get(name, True) if isinstance(found, Mapping) else True
        return found


def _is_of(schema: Mapping[str, object], value: Value) -> bool:
    """Return whether a value is of the kind, among the values, and as long as the schema wants."""
    kinds = schema.get("type")
    wanted = kinds if isinstance(kinds, list) else [kinds]
    if kinds is not None and not any(
        isinstance(kind, str) and isinstance(value, _KINDS.get(kind, ())) for kind in wanted
    ):
        return False
    listed = schema.get("enum")
    if isinstance(listed, list) and value not in listed:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if isinstance(value, str):
        pattern = schema.get("pattern")
        return _length(schema, "Length", len(value)) and _matches(pattern, value)
    return not isinstance(value, dict) or _length(schema, "Properties", len(value))


def _length(schema: Mapping[str, object], what: str, found: int) -> bool:
    most = schema.get(f"max{what}")
    return not isinstance(most, int) or found <= most


def _matches(pattern: object, text: str) -> bool:
    if not isinstance(pattern, str) or _REPEATED_GROUP.search(pattern):
        return True
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return True


def _parts(
    schema: Mapping[str, object], value: Mapping[str, Value], *, strict: bool
) -> Iterator[_Part]:
    """Yield what says something of the members of an object."""
    named, patterns = _mapping(schema, "properties"), _mapping(schema, "patternProperties")
    others = False if strict and _closed(schema) else schema.get("additionalProperties", True)
    for name, member in value.items():
        yield schema.get("propertyNames"), name, False
        fitting = [part for pattern, part in patterns.items() if _matches(pattern, name)]
        yield from ((part, member, False) for part in fitting)
        if name in named:
            yield named[name], member, strict
        elif not fitting:
            yield others, member, False


def _closed(schema: Mapping[str, object]) -> bool:
    """Return whether the mode `compatible` closes a schema."""
    kinds = schema.get("type")
    named = "object" in kinds if isinstance(kinds, list) else kinds == "object"
    return named or not _OF_OBJECTS.isdisjoint(schema) or _SPEAKING.isdisjoint(schema)


def _mapping(schema: Mapping[str, object], keyword: str) -> Mapping[str, object]:
    found = schema.get(keyword)
    return found if isinstance(found, Mapping) else {}
