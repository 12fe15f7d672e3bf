"""An event type's definition: members with their defaults, and what is wrong with each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localdev.nakadi.event_types.annotations import pair_complaints
from localdev.nakadi.event_types.owner_selector import MEMBER, read_selector, selector_complaints
from localdev.nakadi.http import body_reader as read
from localdev.nakadi.http.problem import FieldsError

if TYPE_CHECKING:
    from localdev.nakadi.json_value import Json, JsonObject

RETENTION_MILLISECONDS = 172_800_000
_NAME = re.compile(r"[a-zA-Z][-0-9a-zA-Z_]*(\.[0-9a-zA-Z][-0-9a-zA-Z_]*)*")
_NAME_LENGTH = 255
_CATEGORIES = ("undefined", "data", "business")
_POLICIES = ("delete", "compact", "compact_and_delete")
_MODES = ("compatible", "forward", "none")
_AUDIENCES = (
    "component-internal",
    "business-unit-internal",
    "company-internal",
    "external-partner",
    "external-public",
)
_NULL = "must not be null"
_STATISTICS = {
    "messages_per_minute": (0, "can't be less then zero"),
    "message_size": (1, "can't be less then 1"),
    "read_parallelism": (1, "at least one reader expected"),
    "write_parallelism": (1, "at least one writer expected"),
}


def read_definition(body: bytes) -> JsonObject:
    """Return a definition in the order of members of a GET, or raise a 400 or 422."""
    source = read.read_object(body)
    definition: JsonObject = {
        "name": read.text(source, "name"),
        "owning_application": read.text(source, "owning_application"),
        "category": read.enum(source, "category", _CATEGORIES),
        "enrichment_strategies": _enrichments(source),
        "partition_strategy": read.text(
            {"partition_strategy": "random", **source}, "partition_strategy"
        ),
        "partition_key_fields": _list(source, "partition_key_fields"),
        "cleanup_policy": read.enum(
            {"cleanup_policy": "delete", **source}, "cleanup_policy", _POLICIES
        ),
        "ordering_key_fields": _list(source, "ordering_key_fields"),
        "ordering_instance_ids": _list(source, "ordering_instance_ids"),
        "schema": _schema(source),
        "default_statistic": _statistic(source),
        "options": _options(source),
        "authorization": read.nested(source, "authorization"),
        "annotations": read.nested(source, "annotations"),
        "labels": read.nested(source, "labels"),
        "compatibility_mode": read.enum(
            {"compatibility_mode": "forward", **source}, "compatibility_mode", _MODES
        ),
    }
    audience = read.enum(source, "audience", _AUDIENCES)
    if audience is not None:
        definition["audience"] = audience
    selector = read_selector(source)
    if selector is not None:
        definition[MEMBER] = selector
    complaints = _complaints(definition)
    if complaints:
        raise FieldsError(complaints)
    return definition


def read_schema(body: bytes) -> JsonObject:
    """Return the type and text of a schema, or raise a 400 or 422."""
    schema = _schema({"schema": read.read_object(body)})
    assert isinstance(schema, dict)  # noqa: S101 - it was an object
    complaints = _schema_complaints(schema, "")
    if complaints:
        raise FieldsError(complaints)
    return schema


def _list(source: JsonObject, name: str) -> Json:
    return [*read.texts(source, name)]


def _enrichments(source: JsonObject) -> Json:
    if "enrichment_strategies" in source and source["enrichment_strategies"] is None:
        return None
    names = read.texts(source, "enrichment_strategies")
    return [read.enum({"strategy": name}, "strategy", ("metadata_enrichment",)) for name in names]


def _schema(source: JsonObject) -> Json:
    schema = read.nested(source, "schema")
    if schema is None:
        return None
    return {
        "type": read.enum(schema, "type", ("json_schema", "avro_schema")),
        "schema": read.text(schema, "schema"),
    }


def _statistic(source: JsonObject) -> Json:
    statistic = read.nested(source, "default_statistic")
    if statistic is None:
        return None
    return {name: read.integer(statistic, name) for name in _STATISTICS}


def _options(source: JsonObject) -> Json:
    options = read.nested(source, "options") or {}
    return {"retention_time": read.integer(options, "retention_time")}


def _complaints(definition: JsonObject) -> list[tuple[str, str]]:
    found = [
        (name, _NULL)
        for name in (
            "name",
            "owning_application",
            "category",
            "enrichment_strategies",
            "cleanup_policy",
            "compatibility_mode",
            "schema",
        )
        if definition[name] is None
    ]
    name = definition["name"]
    if isinstance(name, str):
        found.extend(("name", fault) for fault in _name_faults(name))
    if isinstance(schema := definition["schema"], dict):
        found.extend(_schema_complaints(schema, "schema."))
    if isinstance(statistic := definition["default_statistic"], dict):
        found.extend(_statistic_complaints(statistic))
    if isinstance(authorization := definition["authorization"], dict):
        found.extend(_authorization_complaints(authorization))
    found.extend(selector_complaints(definition.get(MEMBER)))
    for member in ("annotations", "labels"):
        found.extend(pair_complaints(member, definition[member]))
    return found


def _name_faults(name: str) -> list[str]:
    faults = []
    if not 1 <= len(name) <= _NAME_LENGTH:
        faults.append("the length of the name must be >= 1 and <= 255")
    if _NAME.fullmatch(name) is None:
        faults.append("format not allowed")
    return faults


def _schema_complaints(schema: JsonObject, prefix: str) -> list[tuple[str, str]]:
    return [(f"{prefix}{name}", _NULL) for name in ("type", "schema") if schema[name] is None]


def _statistic_complaints(statistic: JsonObject) -> list[tuple[str, str]]:
    found = []
    for name, (least, message) in _STATISTICS.items():
        value = statistic[name]
        if not isinstance(value, int):
            found.append((f"default_statistic.{name}", _NULL))
        elif value < least:
            found.append((f"default_statistic.{name}", message))
    return found


def _authorization_complaints(authorization: JsonObject) -> list[tuple[str, str]]:
    found = []
    for role in ("admins", "readers", "writers"):
        members = authorization.get(role)
        if not isinstance(members, list):
            found.append((f"authorization.{role}", _NULL))
        elif not members:
            found.append((f"authorization.{role}", "must contain at least one attribute"))
        else:
            found.extend(
                (f"authorization.{role}[{at}].{name}", _NULL)
                for at, member in enumerate(members)
                for name in ("data_type", "value")
                if not isinstance(member, dict) or member.get(name) is None
            )
    return found
