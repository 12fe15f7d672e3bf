"""The schema by which events are validated: the event type's own, wrapped for its category."""

from __future__ import annotations

import copy
import itertools
from typing import TYPE_CHECKING

from localdev.nakadi.http.problem import ProblemError, internal_error
from localdev.nakadi.java import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localdev.nakadi.json_value import Json, JsonObject

EID_PATTERN = "^[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{12}$"
COMPACTED = ("compact", "compact_and_delete")
_OBJECT_KEYWORDS = ("properties", "required", "minProperties", "maxProperties")
_ARRAY_KEYWORDS = ("minItems", "maxItems", "uniqueItems", "items")
_COMPOSED_KEYWORDS = ("anyOf", "allOf", "oneOf")
_NESTED_KEYWORDS = ("definitions", "dependencies", "properties")


def effective_schema(definition: JsonObject, schema: JsonObject) -> JsonObject:
    """Return the whole schema for an event of this type; the arguments stay as they are."""
    schema = copy.deepcopy(schema)
    if definition.get("compatibility_mode") == "compatible":
        close(schema)
    match definition.get("category"):
        case "data":
            return _in_wrapper(definition, schema)
        case "business":
            return _with_metadata(definition, schema)
        case _:
            return schema


def metadata_schema(definition: JsonObject) -> JsonObject:
    """Return the closed schema of `metadata`, which depends on the clean-up policy."""
    uuid: Json = {"type": "string", "pattern": EID_PATTERN}
    properties: JsonObject = {
        "occurred_at": {"type": "string"},
        "eid": uuid,
        "event_type": {"type": "string", "enum": [definition["name"]]},
        "partition": {"type": "string"},
        "span_ctx": {"type": "object", "additionalProperties": {"type": "string"}},
        "parent_eids": {"type": "array", "items": uuid},
        "flow_id": {"type": "string"},
    }
    required: list[Json] = ["eid", "occurred_at"]
    if definition.get("cleanup_policy") in COMPACTED:
        properties["partition_compaction_key"] = {"type": "string", "minLength": 1}
        required.append("partition_compaction_key")
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def close(schema: JsonObject) -> None:
    """Allow nothing that is not named, at any depth: the rule of mode `compatible`.

    What stands where the server closes a schema must be an object: else a 422, or a 500 in a list.
    """
    empty = not (
        {*_OBJECT_KEYWORDS, *_ARRAY_KEYWORDS, *_COMPOSED_KEYWORDS, "$ref", "type"} & schema.keys()
    )
    types = schema.get("type")
    names = types if isinstance(types, list) else [types]
    if empty or "object" in names or any(keyword in schema for keyword in _OBJECT_KEYWORDS):
        schema["additionalProperties"] = False
    if "array" in names or any(keyword in schema for keyword in _ARRAY_KEYWORDS):
        schema["additionalItems"] = False
    for nested in _subschemas(schema):
        close(nested)


def _subschemas(schema: JsonObject) -> Iterator[JsonObject]:
    for keyword in _NESTED_KEYWORDS:
        named = schema.get(keyword)
        for name, member in named.items() if isinstance(named, dict) else ():
            if not isinstance(member, dict):
                raise _not_a(name, "JSONObject")
            yield member
    items = schema.get("items")
    if isinstance(items, dict):
        yield items
    lists = [items] if isinstance(items, list) else []
    for keyword in _COMPOSED_KEYWORDS:
        members = schema.get(keyword, [])
        if not isinstance(members, list):
            raise _not_a(keyword, "JSONArray")
        lists.append(members)
    for member in itertools.chain.from_iterable(lists):
        if not isinstance(member, dict):
            raise internal_error()
        yield member


def _not_a(name: str, kind: str) -> ProblemError:
    fault = f"JSONObject[{json_text(name)}] is not a {kind}."
    return ProblemError(422, f"schema must be a valid json: {fault}")


def _in_wrapper(definition: JsonObject, schema: JsonObject) -> JsonObject:
    definitions = schema.pop("definitions", None)
    wrapper: JsonObject = {
        "type": "object",
        "properties": {
            "metadata": metadata_schema(definition),
            "data_type": {"type": "string"},
            "data_op": {"type": "string", "enum": ["C", "U", "D", "S"]},
            "data": schema,
        },
        "required": ["metadata", "data_type", "data_op", "data"],
        "additionalProperties": False,
    }
    if definitions is not None:
        wrapper["definitions"] = definitions
    return wrapper


def _with_metadata(definition: JsonObject, schema: JsonObject) -> JsonObject:
    properties = schema.get("properties")
    required = schema.get("required")
    return {
        **schema,
        "type": "object",
        "properties": {
            **(properties if isinstance(properties, dict) else {}),
            "metadata": metadata_schema(definition),
        },
        "required": ["metadata", *(required if isinstance(required, list) else [])],
    }
