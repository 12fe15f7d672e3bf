"""Rules for an event type that go beyond the form of its definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localdev.nakadi.event_types.annotations import check_annotations
from localdev.nakadi.event_types.definition import RETENTION_MILLISECONDS
from localdev.nakadi.event_types.evolution import evolved_schema
from localdev.nakadi.event_types.owner_selector import check_selector
from localdev.nakadi.http.problem import ProblemError
from localdev.nakadi.schema.effective_schema import COMPACTED
from localdev.nakadi.schema.schema_rules import check_schema

if TYPE_CHECKING:
    from localdev.nakadi.json_value import Json, JsonObject

STRATEGIES = ("hash", "user_defined", "random")
_RETENTION_MIN, _RETENTION_MAX = 10_800_000, 345_600_000
_FIRST_VERSION = "1.0.0"


def created(definition: JsonObject, now: str) -> JsonObject:
    """Return the definition of a new event type, or raise the 422 that refuses it."""
    _check_retention(definition)
    check_annotations(definition["annotations"])
    check_selector(definition, check_schema(definition))
    _check_compaction(definition)
    _check_enrichment(definition)
    _check_partitioning(definition)
    schema = definition["schema"]
    assert isinstance(schema, dict)  # noqa: S101 - checked when it was read
    return _dated(
        {
            **definition,
            "schema": {**schema, "version": _FIRST_VERSION, "created_at": now},
            "options": {"retention_time": _retention(definition) or RETENTION_MILLISECONDS},
            "annotations": definition["annotations"] or {},
            "labels": definition["labels"] or {},
        },
        now,
        now,
    )


def updated(original: JsonObject, definition: JsonObject, now: str) -> JsonObject:
    """Return the definition of an event type after an update, or raise the 422."""
    if original["name"] != definition["name"]:
        raise ProblemError(422, "path does not match resource name")
    _check_compaction_change(original, definition)
    check_selector(definition, check_schema(definition))
    if original.get("audience") is not None and definition.get("audience") is None:
        raise ProblemError(422, "event audience must not be set back to null")
    _check_partitioning(definition)
    schema = evolved_schema(original, definition, now)
    statistic = definition["default_statistic"]
    if statistic is not None and _width(statistic) != _width(original["default_statistic"]):
        raise ProblemError(422, "default statistics must not be changed")
    kept = {
        name: original[name] if definition[name] is None else definition[name]
        for name in ("default_statistic", "annotations", "labels")
    }
    retention = _retention(definition) or _retention(original)
    merged: JsonObject = {
        **definition,
        **kept,
        "schema": schema,
        "options": {"retention_time": retention},
    }
    return _dated(merged, now, str(original["created_at"]))


def check_evolution(original: JsonObject, definition: JsonObject) -> None:
    """Raise the 422 if a definition's schema may not follow another."""
    check_schema(definition)
    evolved_schema(original, definition, "")


def _width(statistic: Json) -> list[Json]:
    """Return what of a statistic must not change."""
    known = statistic if isinstance(statistic, dict) else {}
    return [known.get("read_parallelism"), known.get("write_parallelism")]


def _dated(definition: JsonObject, updated_at: str, created_at: str) -> JsonObject:
    return {**definition, "updated_at": updated_at, "created_at": created_at}


def _retention(definition: JsonObject) -> int | None:
    options = definition["options"]
    time = options.get("retention_time") if isinstance(options, dict) else None
    return time if isinstance(time, int) else None


def _check_retention(definition: JsonObject) -> None:
    retention = _retention(definition)
    if retention is None:
        return
    name = 'Field "options.retention_time" can not be'
    if retention > _RETENTION_MAX:
        raise ProblemError(422, f"{name} more than {_RETENTION_MAX}")
    if retention < _RETENTION_MIN:
        raise ProblemError(422, f"{name} less than {_RETENTION_MIN}")


def _check_compaction(definition: JsonObject) -> None:
    if definition["category"] == "undefined" and definition["cleanup_policy"] in COMPACTED:
        raise ProblemError(
            422,
            "cleanup_policy 'compact' and 'compact_and_delete' is not available "
            "for 'undefined' event type category",
        )


def _check_compaction_change(original: JsonObject, definition: JsonObject) -> None:
    _check_compaction(definition)
    before, after = str(original["cleanup_policy"]), str(definition["cleanup_policy"])
    if before != after and (before, after) != ("delete", "compact_and_delete"):
        raise ProblemError(
            422,
            f"Invalid cleanup_policy change: {before.upper()} cannot be changed to {after.upper()}",
        )


def _check_enrichment(definition: JsonObject) -> None:
    strategies = definition["enrichment_strategies"]
    assert isinstance(strategies, list)  # noqa: S101 - checked when it was read
    if definition["category"] == "undefined":
        if strategies:
            raise ProblemError(422, "must not define enrichment strategy for undefined event type")
    elif not strategies:
        raise ProblemError(422, "must define metadata enrichment strategy")
    if len(strategies) > 1:  # there is but one
        raise ProblemError(422, "enrichment strategies must not contain duplicated entries")


def _check_partitioning(definition: JsonObject) -> None:
    strategy = definition["partition_strategy"]
    if strategy is None:
        raise ProblemError(422, "partition strategy must not be null")
    if strategy not in STRATEGIES:
        raise ProblemError(422, f"partition strategy does not exist: {strategy}")
    if strategy == "hash" and not definition["partition_key_fields"]:
        raise ProblemError(
            422, "partition_key_fields field should be set for partition strategy 'hash'"
        )
    if strategy == "user_defined" and definition["category"] == "undefined":
        raise ProblemError(
            422,
            "'user_defined' partition strategy can't be used for EventType of category 'undefined'",
        )
