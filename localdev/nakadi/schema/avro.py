"""Event types with an Avro schema: they can be created, and take no JSON events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from localdev.nakadi.http.problem import ProblemError

if TYPE_CHECKING:
    from localdev.nakadi.json_value import Json, JsonObject

AVRO = "avro_schema"
_PRIMITIVES = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"}
_COMPLEX = {"record", "error", "enum", "array", "map", "fixed"}
_NAMED = {"record", "error", "enum", "fixed"}


def is_avro(schema: JsonObject) -> bool:
    """Return whether the `schema` member of an event type holds an Avro schema."""
    return schema.get("type") == AVRO


def check_avro(text: str) -> None:
    """Raise the 422 for a text that is no Avro schema; only its outermost level is checked."""
    try:
        schema: Json = json.loads(text)
    except ValueError as error:
        raise _unreadable(str(error)) from None
    if isinstance(schema, list):
        return
    if not isinstance(schema, dict):
        if schema not in _PRIMITIVES:
            raise _unreadable(f'Undefined name: "{schema}"')
        return
    named = schema.get("type")
    if named is None:
        raise _unreadable(f"No type: {text}")
    if named not in _PRIMITIVES | _COMPLEX:
        raise _unreadable(f"Type not supported: {named}")
    if named in _NAMED and not isinstance(schema.get("name"), str):
        raise _unreadable(f"No name in schema: {text}")
    if named in ("record", "error") and not isinstance(schema.get("fields"), list):
        raise _unreadable(f"Record has no fields: {text}")


def _unreadable(fault: str) -> ProblemError:
    return ProblemError(422, f"failed to parse avro schema {fault}")


class NoValidator:
    """Takes the place of a validator of JSON events."""

    def __init__(self, name: str) -> None:
        self._name = name

    def complaint(self, _event: JsonObject) -> str | None:
        """Raise the 404 that says what is missing."""
        raise ProblemError(404, f"No json_schema found for event type: {self._name}")
