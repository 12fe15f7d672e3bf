"""What a schema must be before an event type may carry it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from jsonschema import Draft4Validator

from localdev.nakadi.http.problem import ProblemError
from localdev.nakadi.schema.avro import check_avro, is_avro
from localdev.nakadi.schema.effective_schema import effective_schema
from localdev.nakadi.schema.re2 import compile_re2
from localdev.nakadi.schema.schema_keywords import check_loadable
from localdev.nakadi.schema.schema_kind import Kind, kind_of, resolve, subschemas
from localdev.nakadi.schema.violation import messages
from localdev.nakadi.strict_json import StrictJsonError, parse_document

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsonschema.exceptions import ValidationError

    from localdev.nakadi.json_value import Json, JsonObject

_KNOWN_DRAFTS = tuple(f"http://json-schema.org/draft-0{number}/schema" for number in "467")


def _closed_meta_schema() -> JsonObject:
    """Return the draft 4 meta-schema as mode `compatible` has it: nothing that is not named."""
    meta: JsonObject = copy.deepcopy(dict(Draft4Validator.META_SCHEMA))
    properties = meta["properties"]
    assert isinstance(properties, dict)  # noqa: S101 - it is the published meta-schema
    for name in ("not", "additionalItems"):
        properties.pop(name)
    properties["$ref"] = {"type": "string"}
    properties["format"] = {"type": "string"}
    meta["additionalProperties"] = False
    return meta


# How many of a combined schema's parts must name a property.
_MATCHES: Mapping[str, Callable[[int, int], bool]] = {
    "allOf": lambda defining, parts: defining == parts,
    "anyOf": lambda defining, _parts: defining > 0,
    "oneOf": lambda defining, _parts: defining == 1,
}
_COMPATIBLE = Draft4Validator(_closed_meta_schema())


def check_schema(definition: JsonObject) -> JsonObject:
    """Return the parsed schema of a definition, or raise the 422 that refuses it."""
    carried = definition["schema"]
    text = carried["schema"] if isinstance(carried, dict) else None
    if isinstance(carried, dict) and is_avro(carried):
        check_avro(str(text))
        return {}
    try:
        schema = parse_document(str(text))
    except StrictJsonError as error:
        raise _invalid(f"schema must be a valid json: {error}") from None
    named = schema.get("type", "object")
    if not isinstance(named, str):
        raise _invalid('schema must be a valid json: JSONObject["type"] not a string.')
    if named != "object":
        raise _invalid('"type" of root element in schema can only be "object"')
    _check_draft(schema)
    check_loadable(schema)
    if definition["category"] == "business" and defines(schema, schema, ["metadata"]):
        raise _invalid('"metadata" property is reserved')
    check_loadable(effective_schema(definition, schema))
    _check_ordering(definition, schema)
    if definition["compatibility_mode"] == "compatible":
        _check_compatible(schema)
    return schema


def _invalid(detail: str) -> ProblemError:
    return ProblemError(422, detail)


def _check_draft(schema: JsonObject) -> None:
    draft = schema.get("$schema")
    if isinstance(draft, str) and not draft.startswith(_KNOWN_DRAFTS):
        raise _invalid(
            f"could not determine schema version: no meta-schema is known with URL [{draft}]"
        )


def _check_ordering(definition: JsonObject, schema: JsonObject) -> None:
    keys, instances = definition["ordering_key_fields"], definition["ordering_instance_ids"]
    if instances and not keys:
        raise _invalid(
            "`ordering_instance_ids` field can not be defined "
            "without defining `ordering_key_fields`"
        )
    check_fields(definition, schema, "ordering_key_fields", keys)
    check_fields(definition, schema, "ordering_instance_ids", instances)


def check_fields(definition: JsonObject, schema: JsonObject, name: str, paths: Json) -> None:
    """Raise the 422 for paths that the schema of a whole event does not name."""
    effective = effective_schema(definition, schema)
    absent = [
        str(path)
        for path in (paths if isinstance(paths, list) else [])
        if not defines(effective, effective, str(path).split("."))
    ]
    if absent:
        raise _invalid(f"{name} [{', '.join(absent)}] absent in schema")


def defines(root: JsonObject, schema: Json, path: list[str]) -> bool:
    """Return whether a schema names the property at a path."""
    if not path:
        return True
    if not isinstance(schema, dict):
        return False
    kind = kind_of(schema)
    if kind is Kind.REFERENCE:
        return defines(root, resolve(root, schema["$ref"]), path)
    if kind is Kind.COMBINED:
        criterion, parts = subschemas(schema)
        defining = sum(defines(root, part, path) for part in parts)
        return _MATCHES[criterion](defining, len(parts))
    if kind is not Kind.OBJECT:
        return False
    named = schema.get("properties")
    if isinstance(named, dict) and path[0] in named and defines(root, named[path[0]], path[1:]):
        return True
    patterns, dependencies = schema.get("patternProperties"), schema.get("dependencies")
    return any(
        compile_re2(pattern).search(path[0]) is not None and defines(root, member, path[1:])
        for pattern, member in (patterns if isinstance(patterns, dict) else {}).items()
    ) or any(
        defines(root, member, path)
        for member in (dependencies.values() if isinstance(dependencies, dict) else ())
    )


def _check_compatible(schema: JsonObject) -> None:
    faults = [
        f"Invalid schema found in [{_pointer(error)}]: {message}"
        for error in _COMPATIBLE.iter_errors(schema)
        for message in messages(error)
    ]
    if faults:
        raise _invalid(f"Invalid schema: {', '.join(faults)}")


def _pointer(error: ValidationError) -> str:
    return "/".join(["#", *(str(step) for step in error.absolute_path)])
