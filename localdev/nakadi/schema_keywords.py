"""Keywords of one schema: the types they must have, patterns, and references."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from localdev.nakadi.json_schema import draft_of
from localdev.nakadi.problem import ProblemError
from localdev.nakadi.re2 import compile_re2
from localdev.nakadi.schema_kind import CRITERIA, TYPES, below, steps
from localdev.nakadi.schema_reading import keep_what_is_read, keywords_read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from localdev.nakadi.json_value import Json, JsonObject

_Types: TypeAlias = type | tuple[type, ...]

# What the members that a schema's kind reads must be; other members are not looked at.
_ALL: dict[str, _Types] = {
    "properties": dict,
    "required": list,
    "patternProperties": dict,
    "dependencies": dict,
    "additionalProperties": (dict, bool),
    "minProperties": int,
    "maxProperties": int,
    "items": (dict, list),
    "additionalItems": (dict, bool),
    "minItems": int,
    "maxItems": int,
    "uniqueItems": bool,
    "minLength": int,
    "maxLength": int,
    "pattern": str,
    "format": str,
    "minimum": (int, float),
    "maximum": (int, float),
    "multipleOf": (int, float),
    "enum": list,
    "$ref": str,
    "allOf": list,
    "anyOf": list,
    "oneOf": list,
    "not": dict,
}
_BY_NAME = ("properties", "patternProperties", "dependencies")
_LISTS = ("items", "allOf", "anyOf", "oneOf")
_SINGLE = ("items", "not", "additionalProperties", "additionalItems", "contains", "propertyNames")
# From draft 6 on they are numbers.
_EXCLUSIVE: dict[str, _Types] = {"exclusiveMinimum": bool, "exclusiveMaximum": bool}


def walk(schema: Json) -> Iterator[JsonObject]:
    """Yield a schema and all schemas below it."""
    if not isinstance(schema, dict):
        return
    yield schema
    for keyword in ("properties", "patternProperties", "definitions", "dependencies"):
        named = schema.get(keyword)
        for member in named.values() if isinstance(named, dict) else ():
            yield from walk(member)
    for keyword in ("items", "allOf", "anyOf", "oneOf", "not", "additionalProperties"):
        members = schema.get(keyword)
        for member in members if isinstance(members, list) else [members]:
            yield from walk(member)


def _is(value: Json, types: _Types) -> bool:
    """Whether a value has one of the types; true and false are no numbers."""
    allowed = types if isinstance(types, tuple) else (types,)
    return isinstance(value, allowed) and (not isinstance(value, bool) or bool in allowed)


def drop_unread(schema: JsonObject) -> None:
    """Remove what no schema of its kind reads, and members of the wrong type, at any depth."""
    draft = draft_of(schema)
    for subschema in list(walk(schema)):
        keep_what_is_read(subschema, draft)
        for keyword, types in _ALL.items():
            if keyword in subschema and not _is(subschema[keyword], types):
                del subschema[keyword]


def check_loadable(root: JsonObject) -> None:
    """Raise the 422 for a schema that the library cannot load.

    Only what is read is looked at: a definition that nothing refers to may be anything.
    """
    draft = draft_of(root)
    seen: set[int] = set()
    waiting: list[Json] = [root]
    while waiting:
        schema = waiting.pop()
        if not isinstance(schema, (dict, bool)):
            raise _no_schema("a member is not a schema")
        if isinstance(schema, bool) or id(schema) in seen:
            continue
        seen.add(id(schema))
        read = keywords_read(schema, draft) & schema.keys()
        _check_keywords(schema, read, draft)
        waiting.extend([*_below(root, schema, read)][::-1])


def _check_keywords(schema: JsonObject, read: AbstractSet[str], draft: str) -> None:
    several = CRITERIA & read
    if len(several) > 1:
        raise _no_schema(
            f"expected at most 1 of 'allOf', 'anyOf', 'oneOf', {len(several)} found", "#"
        )
    for keyword, types in (_ALL | _EXCLUSIVE if draft == "4" else _ALL).items():
        if keyword in read and not _is(schema[keyword], types):
            raise _no_schema(f"{keyword}: unexpected type")
    if "type" in read:
        _check_type(schema["type"])
    if not all(isinstance(name, str) for name in _values(schema, "required", read)):
        raise _no_schema("required: not a list of names")
    if "pattern" in read:
        _check_pattern(str(schema["pattern"]))
    for pattern in _members(schema, "patternProperties", read):
        _check_pattern(pattern)


def _check_type(named: Json) -> None:
    for name in named if isinstance(named, list) else [named]:
        if not isinstance(name, str) or name not in TYPES:
            raise _no_schema(f"unknown type: [{name}]")


def _below(root: JsonObject, schema: JsonObject, read: AbstractSet[str]) -> Iterator[Json]:
    """Yield what must be schemas themselves, and what is referred to."""
    for keyword in _BY_NAME:
        # A dependency is a schema or a list of names.
        yield from (
            member
            for member in _members(schema, keyword, read).values()
            if keyword != "dependencies" or not isinstance(member, list)
        )
    for keyword in _LISTS:
        yield from _values(schema, keyword, read)
    for keyword in _SINGLE:
        if keyword in read and not isinstance(schema[keyword], list):
            yield schema[keyword]
    if "$ref" in read:
        yield _referred(root, str(schema["$ref"]))


def _members(schema: JsonObject, keyword: str, read: AbstractSet[str]) -> JsonObject:
    members = schema[keyword] if keyword in read else None
    return members if isinstance(members, dict) else {}


def _values(schema: JsonObject, keyword: str, read: AbstractSet[str]) -> list[Json]:
    members = schema[keyword] if keyword in read else None
    return members if isinstance(members, list) else []


def _referred(root: JsonObject, reference: str) -> Json:
    if not reference.startswith("#"):
        url = reference.partition("#")[0]
        raise ProblemError(422, f"external url reference is not supported: {url}")
    value: Json = root
    location = "#"
    for step in steps(reference):
        found = below(value, step)
        if found is None:
            raise _no_schema(f"key [{step}] not found", location)
        value, location = found, f"{location}/{step}"
    return value


def _no_schema(fault: str, location: str = "<unknown location>") -> ProblemError:
    return ProblemError(422, f"schema must be a valid json-schema: {location}: {fault}")


def _check_pattern(pattern: str) -> None:
    try:
        compile_re2(pattern)
    except ValueError as error:
        raise ProblemError(422, f"invalid regex pattern in the schema: {error}") from None
