"""`event_owner_selector` in an event type's definition: who owns an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localdev.nakadi.http import body_reader as read
from localdev.nakadi.http.problem import ProblemError
from localdev.nakadi.schema.schema_rules import check_fields

if TYPE_CHECKING:
    from localdev.nakadi.json_value import Json, JsonObject

MEMBER = "event_owner_selector"
_TYPES = ("path", "static", "metadata")
_NULL = "must not be null"


def read_selector(source: JsonObject) -> JsonObject | None:
    """Return the selector of a body, None if it has none."""
    selector = read.nested(source, MEMBER)
    if selector is None:
        return None
    return {
        "type": read.enum(selector, "type", _TYPES),
        "name": read.text(selector, "name"),
        "value": read.text(selector, "value"),
    }


def selector_complaints(selector: Json) -> list[tuple[str, str]]:
    """Return what its members must be."""
    if not isinstance(selector, dict):
        return []
    found = [(f"{MEMBER}.{name}", _NULL) for name, value in selector.items() if value is None]
    if selector["name"] == "":
        found.append((f"{MEMBER}.name", "the length of the name must be >= 1"))
    return found


def check_selector(definition: JsonObject, schema: JsonObject) -> None:
    """Raise the 422 for a value that the type does not take, or a path not in the schema."""
    selector = definition.get(MEMBER)
    if not isinstance(selector, dict):
        return
    if selector["type"] == "path":
        check_fields(definition, schema, f"{MEMBER}.value", [selector["value"]])
    if selector["type"] == "metadata" and selector["value"] is not None:
        raise ProblemError(422, f"{MEMBER} specifying value for type 'metadata' is not supported")
