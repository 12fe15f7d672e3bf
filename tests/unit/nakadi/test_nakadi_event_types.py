"""Event types: what creation and update refuse, and how versions move."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localdev.nakadi.event_types.definition import read_definition
from localdev.nakadi.event_types.registry import Registry
from localdev.nakadi.http.problem import EvolutionError, ProblemError
from localdev.nakadi.schema.schema_diff import Level, SchemaDiff

STRING = {"type": "string"}
LAKE = "datalake.zalando.org/"


def definition(schema: object = None, **members: object) -> dict[str, Any]:
    text = json.dumps(schema if schema is not None else {"properties": {"id": STRING}})
    given = {
        "name": "orders",
        "owning_application": "tests",
        "category": "data",
        "enrichment_strategies": ["metadata_enrichment"],
        "partition_strategy": "hash",
        "partition_key_fields": ["id"],
        "schema": {"type": "json_schema", "schema": text},
        **members,
    }
    return read_definition(json.dumps(given).encode())


def refusal(**members: object) -> tuple[int, str]:
    with pytest.raises(ProblemError) as caught:
        Registry().create(definition(**members))
    return caught.value.status, str(caught.value.detail)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("type", "foo"),
        ("type", 1),
        ("properties", {"a": 1}),
        ("required", True),
        ("allOf", {}),
        ("items", [1]),
        ("$ref", "http://example.org/schema"),
        ("$ref", "#/definitions/nowhere"),
        ("enum", "a"),
        ("pattern", "("),
        ("pattern", "(?=x)"),
        ("multipleOf", True),
        ("exclusiveMinimum", 1),
    ],
)
def test_a_schema_that_cannot_be_loaded_is_refused(keyword: str, value: object) -> None:
    kinds = {"required": {"type": "object"}, "multipleOf": {"type": "number"}}
    nested = {**kinds.get(keyword, {}), keyword: value}
    assert refusal(schema={"properties": {"a": nested}})[0] == 422


def test_a_required_that_no_string_schema_reads_is_let_through_and_left_alone() -> None:
    registry = Registry()
    registry.create(definition({"properties": {"a": {**STRING, "required": True}}}))
    event: dict[str, Any] = {
        "metadata": {
            "eid": "00000000-0000-4000-8000-000000000001",
            "occurred_at": "2026-11-21T07:00:00Z",
        },
        "data_type": "o",
        "data_op": "C",
        "data": {"a": 1},
    }
    fault = registry.find("orders").validator.complaint(event)
    assert fault == "#/data/a: expected type: String, found: Integer"


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"options": {"retention_time": 10_799_999}}, "can not be less than 10800000"),
        ({"options": {"retention_time": 345_600_001}}, "can not be more than 345600000"),
        ({"category": "undefined"}, "must not define enrichment strategy"),
        ({"enrichment_strategies": ["metadata_enrichment"] * 2}, "duplicated entries"),
        ({"ordering_key_fields": ["id"]}, "ordering_key_fields [id] absent in schema"),
        (
            {"event_owner_selector": {"type": "path", "name": "n", "value": "data.x"}},
            "event_owner_selector.value [data.x] absent in schema",
        ),
        ({"event_owner_selector": {"type": "path"}}, "event_owner_selector.name"),
        ({"labels": {"/": "x"}}, "labels[/]"),
    ],
)
def test_refused_with_422(members: dict[str, object], words: str) -> None:
    status, detail = refusal(**members)
    assert status == 422
    assert words in detail


def test_versions_move_by_the_gravest_change() -> None:
    registry = Registry()
    registry.create(definition())

    def update(schema: object, **members: object) -> str:
        registry.update("orders", definition(schema, **members))
        return registry.find("orders").version

    first = {"properties": {"id": STRING}}
    assert registry.find("orders").version == "1.0.0"
    assert update(first) == "1.0.0"
    assert update({**first, "title": "t"}) == "1.0.1"
    more = {"properties": {"id": STRING, "x": {}}}
    assert update(more) == "1.1.0"
    with pytest.raises(EvolutionError, match="#/properties/x: schema properties cannot be removed"):
        update(first)
    assert update(more, compatibility_mode="none") == "1.1.0"
    assert update(first, compatibility_mode="none") == "2.0.0"
    assert [schema["version"] for schema in registry.schemas("orders")] == [
        "1.0.0",
        "1.0.1",
        "1.1.0",
        "2.0.0",
    ]


@pytest.mark.parametrize(
    ("before", "after", "path", "levels"),
    [
        ({}, {"type": "object"}, None, None),
        ({"properties": {"a": {}}}, {"properties": {"a": STRING}}, "properties/a", "MAJOR MINOR"),
        ({"type": "number"}, {"type": "integer"}, None, None),
        ({"enum": ["a", "b"]}, {"enum": ["b", "a"]}, None, None),
        ({"maxLength": 1}, {"maxLength": 2}, "maxLength", "MAJOR MAJOR"),
        ({"items": STRING}, {"items": [STRING]}, "items", "MAJOR MAJOR"),
        ({"anyOf": [STRING]}, {"oneOf": [STRING]}, "", "MAJOR MAJOR"),
        (
            {"properties": {}},
            {"additionalProperties": STRING},
            "additionalProperties",
            "MAJOR MINOR",
        ),
        ({"required": ["a"]}, {"required": ["b", "a"]}, "required", "MAJOR MINOR"),
        ({"anyOf": [STRING]}, {"anyOf": [STRING], "not": STRING}, None, None),
        ({"allOf": [STRING]}, {"allOf": [STRING], "$ref": "#"}, None, None),
        ({"type": "array"}, {"type": "array", "uniqueItems": False}, None, None),
        (
            {"properties": {"a": {"$ref": "#/definitions/a"}}, "definitions": {"a": STRING}},
            {
                "properties": {"a": {"$ref": "#/definitions/a", "title": "t"}},
                "definitions": {"a": STRING},
            },
            None,
            None,
        ),
    ],
)
def test_changes(
    before: dict[str, Any], after: dict[str, Any], path: str | None, levels: str | None
) -> None:
    changes = SchemaDiff(before, after).changes()
    if path is None or levels is None:
        assert changes == []
        return
    first = changes[0]
    assert "/".join(first.path) == path
    compatible, forward = (Level[name] for name in levels.split())
    assert first.change.level("compatible") is compatible
    assert first.change.level("forward") is forward


@pytest.mark.parametrize(
    ("schema", "status", "detail"),
    [
        ({"dependencies": {"a": ["b"]}}, 422, 'valid json: JSONObject["a"] is not a JSONObject.'),
        ({"properties": {"a": True}}, 422, 'valid json: JSONObject["a"] is not a JSONObject.'),
        ({"properties": {"a": {"enum": [1], "anyOf": 1}}}, 422, '["anyOf"] is not a JSONArray.'),
        ({"properties": {"a": {"items": [True]}}}, 500, "An internal error happened"),
        ({"properties": {"a": {"allOf": [True]}}}, 500, "An internal error happened"),
    ],
)
def test_mode_compatible_closes_objects_only(
    schema: dict[str, Any], status: int, detail: str
) -> None:
    Registry().create(definition(schema, partition_strategy="random", partition_key_fields=[]))
    found = refusal(
        schema=schema,
        compatibility_mode="compatible",
        partition_strategy="random",
        partition_key_fields=[],
    )
    assert found[0] == status
    assert detail in found[1]


def test_what_a_combined_schema_says_of_itself_is_told_once() -> None:
    combinations: list[dict[str, Any]] = [
        {"type": ["string", "null"]},
        {"type": "string", "anyOf": [{"minLength": 1}]},
    ]
    for combined in combinations:
        titled = {**combined, "title": "t", "description": "d"}
        changes = [str(change) for change in SchemaDiff(combined, titled).changes()]
        assert changes == ["#/: null"] * 2


def test_a_recursive_schema_is_compared_once() -> None:
    tree: dict[str, Any] = {
        "definitions": {"node": {"properties": {"next": {"$ref": "#/definitions/node"}}}},
        "properties": {"root": {"$ref": "#/definitions/node"}},
    }
    changed = json.loads(json.dumps(tree))
    changed["definitions"]["node"]["properties"]["x"] = STRING
    assert len(SchemaDiff(tree, changed).changes()) == 1


@pytest.mark.parametrize(
    ("members", "detail"),
    [
        ({"annotations": {"a": "x" * 1001}}, "size must be between 0 and 1000"),
        ({"labels": {"a": "x" * 64}}, "size must be between 0 and 63"),
        ({"labels": {"a": "b c"}}, "Should contain only allowed symbols"),
        ({"labels": {"": "b"}}, "Key cannot be empty"),
        ({"annotations": {f"{LAKE}materialize-events": "yes"}}, 'Provided value: "yes"'),
        ({"annotations": {f"{LAKE}materialize-events": "on"}}, "retention-period is required"),
        ({"annotations": {f"{LAKE}retention-period": "7d"}}, "period-reason is required"),
        (
            {
                "annotations": {
                    f"{LAKE}retention-period": "6 days",
                    f"{LAKE}retention-period-reason": "because",
                }
            },
            "does not comply with regex",
        ),
        ({"schema": {"type": "avro_schema", "schema": "{}"}}, "avro schema No type: {}"),
    ],
)
def test_annotations_labels_and_avro_schemas_have_their_rules(
    members: dict[str, Any], detail: str
) -> None:
    given = {
        "name": "orders",
        "owning_application": "tests",
        "category": "undefined",
        "schema": {"type": "json_schema", "schema": "{}"},
        **members,
    }
    with pytest.raises(ProblemError) as caught:
        Registry().create(read_definition(json.dumps(given).encode()))
    assert (caught.value.status, detail in str(caught.value.detail)) == (422, True)


def test_only_the_width_of_a_statistic_is_fixed() -> None:
    statistic = {
        "messages_per_minute": 1,
        "message_size": 1,
        "read_parallelism": 2,
        "write_parallelism": 1,
    }
    registry = Registry()
    registry.create(definition(default_statistic=statistic))
    registry.update("orders", definition(default_statistic={**statistic, "message_size": 9}))
    with pytest.raises(ProblemError, match="must not be changed"):
        registry.update(
            "orders", definition(default_statistic={**statistic, "read_parallelism": 3})
        )


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({"a": ["b"]}, {"a": ["b"], "c": ["d"]}, []),
        ({"a": ["b"]}, {}, ["#/dependencies/a: schema dependencies array cannot be changed"]),
        ({}, {"a": {}}, ["#/dependencies: schema dependencies cannot be changed"]),
        (
            {"a": {"type": "string"}},
            {"a": {"type": "number"}},
            ["#/dependencies/a: schema types must be the same"],
        ),
    ],
)
def test_dependencies_are_compared_one_by_one(before: Any, after: Any, changes: list[str]) -> None:
    schemas: list[dict[str, Any]] = [
        {"type": "object", "dependencies": one} for one in (before, after)
    ]
    assert [str(change) for change in SchemaDiff(*schemas).changes()] == changes
