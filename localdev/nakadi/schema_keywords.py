"""Keywords of one schema: the types they must have, patterns, and references."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from localdev.nakadi.json_schema import draft_of
from localdev.nakadi.problem import ProblemError
from localdev.nakadi.re2 import compile_re2
from localdev.nakadi.schema_kind import TYPES, Kind, kind_of, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from localdev.nakadi.json_value import Json, JsonObject

_Types: TypeAlias = type | tuple[type, ...]

# What the members that a kind of schema reads must be; other members are not looked at.
_READ: Mapping[Kind, Mapping[str, _Types]] = {
    Kind.OBJECT: {
        "properties": dict,
        "required": list,
        "patternProperties": dict,
        "dependencies": dict,
        "additionalProperties": (dict, bool),
        "minProperties": int,
        "maxProperties": int,
    },
    Kind.ARRAY: {
        "items": (dict, list),
        "additionalItems": (dict, bool),
        "minItems": int,
        "maxItems": int,
        "uniqueItems": bool,
    },
    Kind.STRING: {"minLength": int, "maxLength": int, "pattern": str, "format": str},
    Kind.NUMBER: {"minimum": (int, float), "maximum": (int, float), "multipleOf": (int, float)},
    Kind.ENUM: {"enum": list},
    Kind.REFERENCE: {"$ref": str},
}
_COMBINING: Mapping[str, _Types] = {"allOf": list, "anyOf": list, "oneOf": list, "not": dict}
_ALL = {name: types for read in (*_READ.values(), _COMBINING) for name, types in read.items()}
_NESTED = ("properties", "patternProperties", "definitions", "allOf", "anyOf", "oneOf")
# From draft 6 on they are numbers.
_EXCLUSIVE: Mapping[str, _Types] = {"exclusiveMinimum": bool, "exclusiveMaximum": bool}


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
    """Remove members of the wrong type, which no schema of their kind reads, at any depth."""
    for subschema in list(walk(schema)):
        for keyword, types in _ALL.items():
            if keyword in subschema and not _is(subschema[keyword], types):
                del subschema[keyword]


def check_keywords(root: JsonObject, schema: JsonObject) -> None:
    """Raise the 422 for a schema inside `root` that the library cannot load."""
    if "type" in schema:
        _check_type(schema["type"])
    kind = kind_of(schema)
    wanted = {**_READ.get(kind, {}), **_COMBINING}
    if kind is Kind.NUMBER and draft_of(root) == "4":
        wanted |= _EXCLUSIVE
    for keyword, types in wanted.items():
        if keyword in schema and not _is(schema[keyword], types):
            raise _no_schema(f"{keyword}: unexpected type")
    if not all(isinstance(name, str) for name in _values(schema.get("required"))):
        raise _no_schema("required: not a list of names")
    for member in _below(schema):
        if not isinstance(member, (dict, bool)):
            raise _no_schema("a member is not a schema")
    if kind is Kind.REFERENCE:
        _check_reference(root, str(schema["$ref"]))
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        _check_pattern(pattern)


def _check_type(named: Json) -> None:
    for name in named if isinstance(named, list) else [named]:
        if not isinstance(name, str) or name not in TYPES:
            raise _no_schema(f"unknown type: [{name}]")


def _below(schema: JsonObject) -> Iterator[Json]:
    """Yield what must be schemas themselves."""
    for keyword in _NESTED:
        yield from _values(schema.get(keyword))
    items = schema.get("items")
    yield from items if isinstance(items, list) else ()
    # A dependency is a schema or a list of names.
    yield from (
        member for member in _values(schema.get("dependencies")) if not isinstance(member, list)
    )


def _values(members: Json) -> Iterable[Json]:
    if isinstance(members, dict):
        return members.values()
    return members if isinstance(members, list) else ()


def _no_schema(fault: str) -> ProblemError:
    return ProblemError(422, f"schema must be a valid json-schema: <unknown location>: {fault}")


def _check_reference(root: JsonObject, reference: str) -> None:
    if not reference.startswith("#"):
        raise ProblemError(422, f"external url reference is not supported: {reference}")
    if resolve(root, reference) is None:
        raise _no_schema(f"failed to resolve {reference}")


def _check_pattern(pattern: str) -> None:
    try:
        compile_re2(pattern)
    except ValueError as error:
        raise ProblemError(
            422, f'invalid regex pattern in the schema: {error} "{pattern}"'
        ) from None
