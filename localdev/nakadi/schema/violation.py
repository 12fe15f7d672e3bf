"""Schema violations in the words of the Java library that Nakadi uses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from localdev.nakadi.java import hash_map_order, java_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jsonschema.exceptions import ValidationError

    from localdev.nakadi.json_value import Json

_INT_MAX = 1 << 31
_EXPECTED = {
    "string": "String",
    "number": "Number",
    "object": "JSONObject",
    "array": "JSONArray",
    "boolean": "Boolean",
    "null": "Null",
}
_LIMITS = {
    "minLength": "expected minLength: {limit}, actual: {size}",
    "maxLength": "expected maxLength: {limit}, actual: {size}",
    "minItems": "expected minimum item count: {limit}, found: {size}",
    "maxItems": "expected maximum item count: {limit}, found: {size}",
    "minProperties": "minimum size: [{limit}], found: [{size}]",
    "maxProperties": "maximum size: [{limit}], found: [{size}]",
    "minimum": "{value} is not greater or equal to {limit}",
    "maximum": "{value} is not less or equal to {limit}",
    "multipleOf": "{value} is not a multiple of {limit}",
    "pattern": "string [{value}] does not match pattern {limit}",
    "enum": "{value} is not a valid enum value",
    "uniqueItems": "array items are not unique",
}


@dataclass(slots=True)
class _Node:
    own: list[str] = field(default_factory=list)
    children: dict[str, _Node] = field(default_factory=dict)

    def count(self) -> int:
        return len(self.own) + sum(child.count() for child in self.children.values())

    def lines(self, pointer: str) -> list[str]:
        """Return the failures below; several of them get a line that counts them."""
        failures = [[f"{pointer}: {message}"] for message in self.own]
        failures.extend(
            self.children[name].lines(f"{pointer}/{name}") for name in hash_map_order(self.children)
        )
        below = [line for failure in failures for line in failure]
        if len(failures) == 1:
            return below
        return [f"{pointer}: {self.count()} schema violations found", *below]


def describe(errors: Iterable[ValidationError]) -> str | None:
    """Return all violations as one text, None if there are none."""
    root = _Node()
    for error in _without_implied(list(errors)):
        node = root
        for step in error.absolute_path:
            node = node.children.setdefault(str(step), _Node())
        node.own.extend(messages(error))
    return "\n".join(root.lines("#")) if root.count() else None


def _without_implied(errors: list[ValidationError]) -> list[ValidationError]:
    """Drop a wrong type where the value is already said to be none of an enumeration."""
    enums = {tuple(error.absolute_path) for error in errors if error.validator == "enum"}
    return [
        error
        for error in errors
        if error.validator != "type" or tuple(error.absolute_path) not in enums
    ]


def messages(error: ValidationError) -> list[str]:
    """Return what one violation says, without its place."""
    value = _json(error.instance)
    wanted = _json(error.validator_value)
    match error.validator:
        case "type":
            return [_type_message(wanted, value)]
        case "required":
            names = wanted if isinstance(wanted, list) else []
            missing = [name for name in names if error.message.startswith(repr(name))]
            return [f"required key [{name}] not found" for name in missing]
        case "additionalProperties" if wanted is False:
            extra = _extraneous(_json(error.schema), value)
            return [f"extraneous key [{name}] is not permitted" for name in extra]
        case str(keyword) if keyword in _LIMITS:
            size = len(value) if isinstance(value, (str, list, dict)) else 0
            return [_LIMITS[keyword].format(value=java_text(value), limit=wanted, size=size)]
        case "format":
            return [str(error.cause) if error.cause else f"[{java_text(value)}] is not valid"]
        case _:
            return [error.message]


def _json(value: object) -> Json:
    """Return what the library keeps of a schema or an instance as the JSON it is."""
    return cast("Json", value)


def _extraneous(schema: Json, value: Json) -> list[str]:
    """Return the members of an object that neither a name nor a pattern of its schema covers."""
    if not isinstance(schema, dict) or not isinstance(value, dict):
        return []
    named, patterns = schema.get("properties"), schema.get("patternProperties")
    known = named if isinstance(named, dict) else {}
    matching = patterns if isinstance(patterns, dict) else {}
    return [
        name
        for name in value
        if name not in known and not any(re.search(pattern, name) for pattern in matching)
    ]


def _type_message(wanted: Json, value: Json) -> str:
    if isinstance(wanted, list):
        return f"#: no subschema matched out of the total {len(wanted)} subschemas"
    found = _class_name(value)
    if wanted == "integer":
        expected = "Integer" if found == "Double" else "Number"
    else:
        expected = _EXPECTED.get(str(wanted), str(wanted))
    return f"expected type: {expected}, found: {found}"


def _class_name(value: Json) -> str:
    match value:
        case None:
            return "Null"
        case bool():
            return "Boolean"
        case int():
            return "Integer" if -_INT_MAX <= value < _INT_MAX else "Long"
        case float():
            return "Double"
        case str():
            return "String"
        case dict():
            return "JSONObject"
        case _:
            return "JSONArray"
