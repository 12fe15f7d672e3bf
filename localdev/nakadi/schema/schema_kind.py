"""Which kind of schema a JSON schema is in the eyes of the Java library: one keyword decides."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from localdev.nakadi.json_value import Json, JsonObject


class Kind(Enum):
    """The library's schema classes."""

    REFERENCE = auto()
    ENUM = auto()
    COMBINED = auto()
    OBJECT = auto()
    ARRAY = auto()
    STRING = auto()
    NUMBER = auto()
    BOOLEAN = auto()
    NULL = auto()
    NOT = auto()
    EMPTY = auto()


CRITERIA = frozenset({"allOf", "anyOf", "oneOf"})
# What a combined schema says itself, and what is not looked at beside a criterion.
_OF_THE_WHOLE = CRITERIA | {"id", "title", "description", "$ref", "not"}
TYPES = {
    "object": Kind.OBJECT,
    "array": Kind.ARRAY,
    "string": Kind.STRING,
    "number": Kind.NUMBER,
    "integer": Kind.NUMBER,
    "boolean": Kind.BOOLEAN,
    "null": Kind.NULL,
}
KEYWORDS: Mapping[Kind, AbstractSet[str]] = {
    Kind.ARRAY: frozenset({"items", "additionalItems", "minItems", "maxItems", "uniqueItems"}),
    Kind.OBJECT: frozenset(
        {
            "properties",
            "required",
            "minProperties",
            "maxProperties",
            "dependencies",
            "patternProperties",
            "additionalProperties",
        }
    ),
    Kind.NUMBER: frozenset(
        {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
    ),
    Kind.STRING: frozenset({"minLength", "maxLength", "pattern", "format"}),
}
"""What tells a kind where no `type` does; the first that fits counts."""


def kind_of(schema: Json) -> Kind:
    """Return the kind; true, false and anything else that is no object counts as empty."""
    if not isinstance(schema, dict):
        return Kind.EMPTY
    if "enum" in schema:
        return Kind.ENUM
    if any(criterion in schema for criterion in CRITERIA):
        return Kind.COMBINED
    if "$ref" in schema:
        return Kind.REFERENCE
    if "type" in schema:
        named = schema["type"]
        return Kind.COMBINED if isinstance(named, list) else TYPES.get(str(named), Kind.EMPTY)
    for kind, keywords in KEYWORDS.items():
        if keywords & schema.keys():
            return kind
    return Kind.NOT if "not" in schema else Kind.EMPTY


def subschemas(schema: JsonObject) -> tuple[str, list[Json]]:
    """Return how a combined schema combines, and what; a base beside it makes an `allOf`."""
    parts: list[tuple[str, list[Json]]] = []
    for criterion in CRITERIA:
        members = schema.get(criterion)
        if isinstance(members, list):
            parts.append((criterion, members))
    rest = {name: value for name, value in schema.items() if name not in _OF_THE_WHOLE}
    named = rest.get("type")
    if not parts and isinstance(named, list):
        return "anyOf", [{**rest, "type": name} for name in named]
    if kind_of(rest) is Kind.EMPTY and len(parts) == 1:
        return parts[0]
    combined: list[Json] = [{criterion: members} for criterion, members in parts]
    base: list[Json] = [] if kind_of(rest) is Kind.EMPTY else [rest]
    return "allOf", [*base, *combined]


def resolve(root: JsonObject, reference: Json) -> Json:
    """Return what a local `$ref` points to, None when it points nowhere."""
    value: Json = root
    for step in steps(str(reference)):
        value = below(value, step)
    return value


def steps(reference: str) -> list[str]:
    """Return the names and indexes of which a local `$ref` consists."""
    return [
        unquote(step).replace("~1", "/").replace("~0", "~")
        for step in reference.split("/")[1:]
        if step
    ]


def below(value: Json, step: str) -> Json:
    """Return the member of an object or a list, None if there is none."""
    match value:
        case dict():
            return value.get(step)
        case list():
            return value[int(step)] if step.isdecimal() and int(step) < len(value) else None
        case _:
            return None
