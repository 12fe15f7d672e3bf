"""A fast first look: compiles the plain part of JSON Schema to closures.

A closure that says True means valid. False means "ask the complete validator", for an answer or
for its words. A schema with a keyword that is not known here is never checked this way.
"""

from __future__ import annotations

from collections.abc import Callable

from localdev.nakadi.json_value import Json, JsonObject
from localdev.nakadi.schema.re2 import compile_re2

Check = Callable[[Json], bool]

_ANNOTATIONS = frozenset(
    {"title", "description", "default", "example", "examples", "$schema", "id", "$id", "$comment"}
)
_OBJECT = frozenset({"properties", "required", "additionalProperties"})
_KNOWN = _ANNOTATIONS | _OBJECT | {"type", "enum", "pattern", "minLength", "items", "definitions"}
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


def compile_check(schema: Json) -> Check | None:
    """Return the closure of a schema, None if it uses more than the plain part."""
    if not isinstance(schema, dict) or not schema.keys() <= _KNOWN:
        return None
    parts: list[Check] = []
    for part in (_type(schema), _enum(schema), _text(schema), _array(schema), _object(schema)):
        if part is None:
            return None
        parts.extend(part)
    return _all(parts)


def _all(parts: list[Check]) -> Check:
    match parts:
        case []:
            return lambda _value: True
        case [only]:
            return only
        case _:
            return lambda value: all(part(value) for part in parts)


def _type(schema: JsonObject) -> list[Check] | None:
    wanted = schema.get("type")
    if wanted is None:
        return []
    allowed: set[type] = set()
    for name in wanted if isinstance(wanted, list) else [wanted]:
        if not isinstance(name, str) or name not in _TYPES:
            return None
        allowed.update(_TYPES[name])
    types = frozenset(allowed)
    return [lambda value: type(value) in types]


def _enum(schema: JsonObject) -> list[Check] | None:
    values = schema.get("enum")
    if values is None:
        return []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return None
    names = frozenset(value for value in values if isinstance(value, str))
    return [lambda value: type(value) is str and value in names]


def _text(schema: JsonObject) -> list[Check] | None:
    parts: list[Check] = []
    pattern, shortest = schema.get("pattern"), schema.get("minLength")
    if isinstance(pattern, str):
        search = compile_re2(pattern).search
        parts.append(lambda value: type(value) is not str or search(value) is not None)
    if isinstance(shortest, int):
        parts.append(lambda value: type(value) is not str or len(value) >= shortest)
    return parts


def _array(schema: JsonObject) -> list[Check] | None:
    if "items" not in schema:
        return []
    item = compile_check(schema["items"])
    if item is None:
        return None
    return [lambda value: type(value) is not list or all(map(item, value))]


def _object(schema: JsonObject) -> list[Check] | None:
    if not _OBJECT & schema.keys():
        return []
    members = _members(schema.get("properties", {}))
    others = _others(schema.get("additionalProperties", True))
    required = schema.get("required", [])
    if members is None or others is None or not isinstance(required, list):
        return None
    needed = frozenset(str(name) for name in required)
    check_of = members.get

    def check_object(value: Json) -> bool:
        if type(value) is not dict:
            return True
        return needed <= value.keys() and all(
            check_of(name, others)(member) for name, member in value.items()
        )

    return [check_object]


def _members(named: Json) -> dict[str, Check] | None:
    if not isinstance(named, dict):
        return None
    checks = {name: compile_check(subschema) for name, subschema in named.items()}
    known = {name: check for name, check in checks.items() if check is not None}
    return known if len(known) == len(checks) else None


def _others(additional: Json) -> Check | None:
    if isinstance(additional, bool):
        return lambda _value: additional
    return compile_check(additional)
