"""Updating an event type: what may change, and which version its schema gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localdev.nakadi.event_types.event_type import schema_of
from localdev.nakadi.http.problem import EvolutionError
from localdev.nakadi.schema.avro import is_avro
from localdev.nakadi.schema.schema_diff import Change, Level, SchemaChange, SchemaDiff

if TYPE_CHECKING:
    from localdev.nakadi.json_value import Json, JsonObject

_TO_COMPATIBLE = {
    Change.DESCRIPTION,
    Change.TITLE,
    Change.PROPERTIES_ADDED,
    Change.REQUIRED_EXTENDED,
    Change.ADDITIONAL_PROPERTIES,
    Change.ADDITIONAL_ITEMS,
}


def evolved_schema(original: JsonObject, updated: JsonObject, now: str) -> JsonObject:
    """Return the `schema` member of an updated definition, or raise the 422 that refuses it."""
    before, after = original["schema"], updated["schema"]
    assert isinstance(before, dict)  # noqa: S101 - both were checked when they were read
    assert isinstance(after, dict)  # noqa: S101
    if is_avro(before) and not is_avro(after):
        raise EvolutionError("Cannot change from avro_schema to json_schema!")
    if is_avro(after):
        level = Level.NONE if before["schema"] == after["schema"] else Level.MAJOR
        return _versioned(before, after, level, now)
    _check_category(original, updated)
    mode = original["compatibility_mode"]
    changes = SchemaDiff(schema_of(original), schema_of(updated)).changes()
    if changes:
        level = min(change.change.level(mode) for change in changes)
    else:
        level = Level.NONE if before["schema"] == after["schema"] else Level.PATCH
    _check_changes(changes, mode, updated["compatibility_mode"])
    return _versioned(before, after, level, now)


def _versioned(before: JsonObject, after: JsonObject, level: Level, now: str) -> JsonObject:
    if level is Level.NONE:
        return before
    return {**after, "version": bump(str(before["version"]), level), "created_at": now}


def _check_category(original: JsonObject, updated: JsonObject) -> None:
    enrichments = updated["enrichment_strategies"]
    if original["category"] == updated["category"]:
        if original["enrichment_strategies"] != enrichments:
            raise EvolutionError("changing enrichment_strategies is not allowed")
        return
    allowed = (original["category"], updated["category"]) == ("undefined", "business")
    enriched = isinstance(enrichments, list) and "metadata_enrichment" in enrichments
    if not allowed or not enriched or updated["compatibility_mode"] == "compatible":
        raise EvolutionError(
            "Category change is allowed only from 'undefined' to 'business'. "
            "'enrichment_strategies' should be properly set as well",
        )


def _check_changes(changes: list[SchemaChange], mode: Json, new_mode: Json) -> None:
    if mode == "forward" and new_mode == "compatible":
        refused = [change for change in changes if change.change not in _TO_COMPATIBLE]
    elif mode == "none":
        refused = []
    else:
        refused = [change for change in changes if change.change.level(mode) is Level.MAJOR]
    if refused:
        raise EvolutionError(f"Invalid schema: {', '.join(map(str, refused))}")


def bump(version: str, level: Level) -> str:
    """Return the version after a change of some level."""
    major, minor, patch = (int(number) for number in version.split("."))
    match level:
        case Level.MAJOR:
            return f"{major + 1}.0.0"
        case Level.MINOR:
            return f"{major}.{minor + 1}.0"
        case Level.PATCH:
            return f"{major}.{minor}.{patch + 1}"
        case Level.NONE:
            return version
