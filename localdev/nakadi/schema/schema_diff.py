"""What changed between two versions of a schema, and how grave that is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TYPE_CHECKING

from localdev.nakadi.java import hash_map_order
from localdev.nakadi.schema.schema_kind import Kind, kind_of, resolve, subschemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localdev.nakadi.json_value import Json, JsonObject


class Level(IntEnum):
    """How far a change moves the version; smaller is graver."""

    MAJOR = 0
    MINOR = 1
    PATCH = 2
    NONE = 3


class Change(Enum):
    """A kind of change: level in mode `compatible`, level else, and words for it."""

    ID = (Level.MAJOR, Level.MAJOR, "null", 0)
    DESCRIPTION = (Level.PATCH, Level.PATCH, "null", 1)
    TITLE = (Level.PATCH, Level.PATCH, "null", 2)
    PROPERTIES_ADDED = (Level.MINOR, Level.MINOR, "null", 3)
    SCHEMA_REMOVED = (Level.MAJOR, Level.MAJOR, "change not allowed", 4)
    TYPE_CHANGED = (Level.MAJOR, Level.MAJOR, "schema types must be the same", 5)
    TYPE_NARROWED = (Level.MAJOR, Level.MINOR, "schema types cannot be narrowed", 6)
    ITEMS_NUMBER = (Level.MAJOR, Level.MAJOR, "the number of schema items cannot be changed", 7)
    PROPERTY_REMOVED = (Level.MAJOR, Level.MAJOR, "schema properties cannot be removed", 8)
    DEPENDENCY_ARRAY = (
        Level.MAJOR,
        Level.MAJOR,
        "schema dependencies array cannot be changed",
        19,
    )
    DEPENDENCIES = (Level.MAJOR, Level.MAJOR, "schema dependencies cannot be changed", 9)
    COMPOSITION = (Level.MAJOR, Level.MAJOR, "schema composition method changed", 10)
    ATTRIBUTE = (Level.MAJOR, Level.MAJOR, "change to attribute value not allowed", 11)
    ENUM = (Level.MAJOR, Level.MAJOR, "enum array changed", 12)
    SUBSCHEMA = (Level.MAJOR, Level.MAJOR, "sub schema changed", 13)
    REQUIRED = (Level.MAJOR, Level.MAJOR, "required array changed", 14)
    REQUIRED_EXTENDED = (Level.MAJOR, Level.MINOR, "required array changed", 15)
    ADDITIONAL_PROPERTIES = (Level.MAJOR, Level.MAJOR, "change not allowed", 16)
    ADDITIONAL_NARROWED = (Level.MAJOR, Level.MINOR, "change not allowed", 17)
    ADDITIONAL_ITEMS = (Level.MAJOR, Level.MAJOR, "change not allowed", 18)

    def level(self, mode: Json) -> Level:
        """Return the level under a compatibility mode."""
        return self.value[0] if mode == "compatible" else self.value[1]

    @property
    def words(self) -> str:
        """The server's message for it."""
        return self.value[2]


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One change, and the path at which it was found."""

    change: Change
    path: tuple[str, ...]

    def __str__(self) -> str:
        """Return it as the server writes it."""
        return f"#/{'/'.join(self.path)}: {self.change.words}"


_ATTRIBUTES = {
    Kind.STRING: ("maxLength", "minLength"),
    Kind.NUMBER: ("maximum", "minimum", "multipleOf"),
    Kind.ARRAY: ("maxItems", "minItems", "uniqueItems"),
    Kind.OBJECT: ("maxProperties", "minProperties"),
}
_OWN = (("id", Change.ID), ("title", Change.TITLE), ("description", Change.DESCRIPTION))
_DEFAULTS: JsonObject = {"uniqueItems": False}
_ONLY_FIRST = (Kind.STRING, Kind.NUMBER)


class SchemaDiff:
    """Compares two schemas; references are followed in their own documents, once each."""

    def __init__(self, before: JsonObject, after: JsonObject) -> None:
        self._before = before
        self._after = after
        self._open: list[int] = []

    def changes(self) -> list[SchemaChange]:
        """Return all changes in the order in which the server finds them."""
        return list(self._compare(self._before, self._after, ()))

    def _compare(self, before: Json, after: Json, path: tuple[str, ...]) -> Iterator[SchemaChange]:
        kind, new_kind = kind_of(before), kind_of(after)
        if kind is Kind.EMPTY and new_kind is Kind.OBJECT:
            kind = Kind.OBJECT
        if kind is not new_kind:
            narrowed = kind is Kind.EMPTY
            yield SchemaChange(Change.TYPE_NARROWED if narrowed else Change.TYPE_CHANGED, path)
            return
        if id(before) in self._open:
            return
        self._open.append(id(before))
        old = before if isinstance(before, dict) else {}
        new = after if isinstance(after, dict) else {}
        # A reference is built before what stands beside it is read.
        for name, change in _OWN if kind is not Kind.REFERENCE else ():
            if old.get(name) != new.get(name):
                yield SchemaChange(change, path)
        yield from self._by_kind(kind, old, new, path)
        self._open.pop()

    def _by_kind(
        self, kind: Kind, old: JsonObject, new: JsonObject, path: tuple[str, ...]
    ) -> Iterator[SchemaChange]:
        match kind:
            case Kind.OBJECT:
                yield from self._objects(old, new, path)
            case Kind.ARRAY:
                yield from self._arrays(old, new, path)
            case Kind.COMBINED:
                yield from self._combined(old, new, path)
            case Kind.ENUM:
                if _as_set(old.get("enum")) != _as_set(new.get("enum")):
                    yield SchemaChange(Change.ENUM, (*path, "enum"))
            case Kind.REFERENCE:
                targets = (
                    resolve(self._before, old.get("$ref")),
                    resolve(self._after, new.get("$ref")),
                )
                yield from self._compare(*targets, (*path, "$ref"))
        yield from _attributes(kind, old, new, path)

    def _objects(
        self, old: JsonObject, new: JsonObject, path: tuple[str, ...]
    ) -> Iterator[SchemaChange]:
        named, new_named = _members(old, "properties"), _members(new, "properties")
        here = (*path, "properties")
        for name in hash_map_order(named):
            if name not in new_named:
                yield SchemaChange(Change.PROPERTY_REMOVED, (*here, name))
            else:
                yield from self._compare(named[name], new_named[name], (*here, name))
        if len(new_named) > len(named):
            yield SchemaChange(Change.PROPERTIES_ADDED, here)
        yield from self._dependencies(old, new, (*path, "dependencies"))
        yield from self._additional(old, new, (*path, "additionalProperties"))
        required, new_required = _as_set(old.get("required")), _as_set(new.get("required"))
        if not required <= new_required:
            yield SchemaChange(Change.REQUIRED, (*path, "required"))
        elif required != new_required:
            yield SchemaChange(Change.REQUIRED_EXTENDED, (*path, "required"))

    def _dependencies(
        self, old: JsonObject, new: JsonObject, path: tuple[str, ...]
    ) -> Iterator[SchemaChange]:
        """Compare what a property demands: lists of names one by one, schemas as a whole first."""
        before, after = _members(old, "dependencies"), _members(new, "dependencies")
        for name, names in before.items():
            if isinstance(names, list) and _as_set(names) != _as_set(after.get(name)):
                yield SchemaChange(Change.DEPENDENCY_ARRAY, (*path, name))
        schemas, new_schemas = (
            {name: value for name, value in members.items() if not isinstance(value, list)}
            for members in (before, after)
        )
        if schemas.keys() != new_schemas.keys():
            yield SchemaChange(Change.DEPENDENCIES, path)
            return
        for name, schema in schemas.items():
            yield from self._compare(schema, new_schemas[name], (*path, name))

    def _additional(
        self, old: JsonObject, new: JsonObject, path: tuple[str, ...]
    ) -> Iterator[SchemaChange]:
        before, after = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if (before is False) != (after is False):
            yield SchemaChange(Change.ADDITIONAL_PROPERTIES, path)
        elif not isinstance(before, dict) and isinstance(after, dict):
            yield SchemaChange(Change.ADDITIONAL_NARROWED, path)
        elif isinstance(before, dict) and not isinstance(after, dict):
            yield SchemaChange(Change.SCHEMA_REMOVED, path)
        elif isinstance(before, dict):
            yield from self._compare(before, after, path)

    def _arrays(
        self, old: JsonObject, new: JsonObject, path: tuple[str, ...]
    ) -> Iterator[SchemaChange]:
        before, after = old.get("items"), new.get("items")
        here = (*path, "items")
        if isinstance(before, dict) != isinstance(after, dict):
            yield SchemaChange(Change.SCHEMA_REMOVED, here)
        elif isinstance(before, dict):
            yield from self._compare(before, after, here)
        listed = before if isinstance(before, list) else []
        new_listed = after if isinstance(after, list) else []
        if len(listed) != len(new_listed):
            yield SchemaChange(Change.ITEMS_NUMBER, path)
        else:
            for at, (one, other) in enumerate(zip(listed, new_listed, strict=True)):
                yield from self._compare(one, other, (*path, f"items/{at}"))
        if (old.get("additionalItems") is False) != (new.get("additionalItems") is False):
            yield SchemaChange(Change.ADDITIONAL_ITEMS, (*path, "additionalItems"))
            return
        more, new_more = old.get("additionalItems"), new.get("additionalItems")
        if isinstance(more, dict) != isinstance(new_more, dict):
            yield SchemaChange(Change.SCHEMA_REMOVED, (*path, "additionalItems"))
        elif isinstance(more, dict):
            yield from self._compare(more, new_more, (*path, "additionalItems"))

    def _combined(
        self, old: JsonObject, new: JsonObject, path: tuple[str, ...]
    ) -> Iterator[SchemaChange]:
        (criterion, parts), (new_criterion, new_parts) = subschemas(old), subschemas(new)
        if len(parts) != len(new_parts):
            yield SchemaChange(Change.SUBSCHEMA, path)
        elif criterion != new_criterion:
            yield SchemaChange(Change.COMPOSITION, path)
        else:
            for at, (one, other) in enumerate(zip(parts, new_parts, strict=True)):
                yield from self._compare(one, other, (*path, f"{criterion}/{at}"))


def _attributes(
    kind: Kind, old: JsonObject, new: JsonObject, path: tuple[str, ...]
) -> Iterator[SchemaChange]:
    changed = [
        name
        for name in _ATTRIBUTES.get(kind, ())
        if old.get(name, _DEFAULTS.get(name)) != new.get(name, _DEFAULTS.get(name))
    ]
    patterns = [schema.get("pattern") for schema in (old, new)]
    if kind is Kind.STRING and None not in patterns and patterns[0] != patterns[1]:
        changed.append("pattern")
    # Of texts and numbers the server tells only the first change.
    for name in changed[:1] if kind in _ONLY_FIRST else changed:
        yield SchemaChange(Change.ATTRIBUTE, (*path, name))


def _members(schema: JsonObject, name: str) -> JsonObject:
    members = schema.get(name)
    return members if isinstance(members, dict) else {}


def _as_set(values: Json) -> set[str]:
    return {repr(value) for value in values} if isinstance(values, list) else set()
