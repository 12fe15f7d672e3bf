"""Keywords of one schema: the types they must have, patterns, and references."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote_plus

from localdev.nakadi.http.problem import ProblemError
from localdev.nakadi.schema.json_schema import draft_of
from localdev.nakadi.schema.re2 import compile_re2
from localdev.nakadi.schema.schema_kind import CRITERIA, TYPES, below, steps
from localdev.nakadi.schema.schema_reading import keep_what_is_read, keywords_read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from localdev.nakadi.json_value import Json, JsonObject

# A schema, and the pointer to it.
_Located: TypeAlias = "tuple[Json, str]"
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
    "not": (dict, bool),
}
_JAVA_NAMES = {
    dict: "JsonObject",
    list: "JsonArray",
    str: "String",
    int: "Integer",
    float: "Double",
    bool: "Boolean",
    type(None): "null",
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
    """Return whether a value has one of the types; true and false are no numbers."""
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
    waiting: list[_Located] = [(root, "#")]
    while waiting:
        schema, at = waiting.pop()
        if not isinstance(schema, (dict, bool)):
            raise _wrong_type(schema, (bool, dict), at)
        if isinstance(schema, bool) or id(schema) in seen:
            continue
        seen.add(id(schema))
        read = keywords_read(schema, draft) & schema.keys()
        _check_keywords(schema, read, draft, at)
        waiting.extend([*_below(root, schema, read, at)][::-1])


def _check_keywords(schema: JsonObject, read: AbstractSet[str], draft: str, at: str) -> None:
    several = CRITERIA & read
    if len(several) > 1:
        raise _no_schema(
            f"expected at most 1 of 'allOf', 'anyOf', 'oneOf', {len(several)} found", at
        )
    for keyword, types in (_ALL | _EXCLUSIVE if draft == "4" else _ALL).items():
        if keyword in read and not _is(schema[keyword], types):
            raise _wrong_type(schema[keyword], types, _under(at, keyword))
    if "type" in read:
        _check_type(schema["type"], f"{at}/type")
    _check_all_names(schema, read, at)
    for keyword in ("id" if draft == "4" else "$id", "title", "description"):
        if not isinstance(schema.get(keyword, ""), str):
            raise _wrong_type(schema[keyword], str, _under(at, keyword))
    if "pattern" in read:
        _check_pattern(str(schema["pattern"]))
    for pattern in _members(schema, "patternProperties", read):
        _check_pattern(pattern)


def _check_all_names(schema: JsonObject, read: AbstractSet[str], at: str) -> None:
    _check_names(_values(schema, "required", read), f"{at}/required")
    for name, member in _members(schema, "dependencies", read).items():
        if not isinstance(member, (dict, list)):
            raise _wrong_type(member, (dict, list), _under(f"{at}/dependencies", name))
        if isinstance(member, list):
            _check_names(member, _under(f"{at}/dependencies", name))


def _check_names(names: list[Json], at: str) -> None:
    for number, name in enumerate(names):
        if not isinstance(name, str):
            raise _wrong_type(name, str, f"{at}/{number}")


def _check_type(named: Json, at: str) -> None:
    if not isinstance(named, (str, list)):
        raise _wrong_type(named, (str, list), at)
    for number, name in enumerate(named if isinstance(named, list) else [named]):
        if not isinstance(name, str):
            raise _wrong_type(name, str, f"{at}/{number}")
        if name not in TYPES:
            raise _no_schema(f"unknown type: [{name}]")


def _below(
    root: JsonObject, schema: JsonObject, read: AbstractSet[str], at: str
) -> Iterator[_Located]:
    """Yield what must be schemas themselves, and what is referred to."""
    for keyword in _BY_NAME:
        for name, member in _members(schema, keyword, read).items():
            if keyword != "dependencies" or not isinstance(member, list):
                yield member, _under(f"{at}/{keyword}", name)
    for keyword in _LISTS:
        for number, member in enumerate(_values(schema, keyword, read)):
            yield member, f"{at}/{keyword}/{number}"
    for keyword in _SINGLE:
        if keyword in read and not isinstance(schema[keyword], list):
            yield schema[keyword], f"{at}/{keyword}"
    if "$ref" in read:
        reference = str(schema["$ref"])
        yield _referred(root, reference), reference


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


def _under(at: str, name: str) -> str:
    """Return the pointer to a named member, as Java encodes it."""
    return f"{at}/{quote_plus(name, safe='*')}"


def _wrong_type(value: Json, types: _Types, location: str) -> ProblemError:
    wanted = types if isinstance(types, tuple) else (types,)
    names = ["Number"] if wanted == (int, float) else sorted(_JAVA_NAMES[one] for one in wanted)
    expected = f": {names[0]}" if len(names) == 1 else f" is one of {' or '.join(names)}"
    found = _JAVA_NAMES[type(value)]
    return _no_schema(f"expected type{expected}, found: {found}", location)


def _check_pattern(pattern: str) -> None:
    try:
        compile_re2(pattern)
    except ValueError as error:
        raise ProblemError(422, f"invalid regex pattern in the schema: {error}") from None
