"""Keywords of one schema: the types they must have, patterns, and references."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from localdev.nakadi.json_schema import draft_of
from localdev.nakadi.problem import ProblemError
from localdev.nakadi.re2 import compile_re2
from localdev.nakadi.schema_kind import TYPES, Kind, kind_of, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localdev.nakadi.json_value import JsonObject

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
        "items": (dict, list, bool),
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
# From draft 6 on they are numbers.
_EXCLUSIVE: Mapping[str, _Types] = {"exclusiveMinimum": bool, "exclusiveMaximum": bool}


def check_keywords(root: JsonObject, schema: JsonObject) -> None:
    """Raise the 422 for a schema inside `root` that the library cannot load."""
    named = schema.get("type")
    for name in named if isinstance(named, list) else [named]:
        if isinstance(name, str) and name not in TYPES:
            raise _no_schema(f"unknown type: [{name}]")
    kind = kind_of(schema)
    wanted = _READ.get(kind, {})
    if kind is Kind.NUMBER and draft_of(root) == "4":
        wanted = {**wanted, **_EXCLUSIVE}
    for keyword, types in wanted.items():
        if keyword in schema and not isinstance(schema[keyword], types):
            raise _no_schema(f"{keyword}: unexpected type")
    if kind is Kind.REFERENCE:
        _check_reference(root, str(schema["$ref"]))
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        _check_pattern(pattern)


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
