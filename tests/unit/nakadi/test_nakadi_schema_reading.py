"""One keyword decides what a schema is: what the server's library reads of it, and what not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localdev.nakadi.event_types.definition import read_definition
from localdev.nakadi.event_types.registry import Registry
from localdev.nakadi.http.problem import ProblemError
from localdev.nakadi.publishing.batch import parse_batch
from localdev.nakadi.publishing.outcome import Outcome, judge

DRAFT_7 = {"$schema": "http://json-schema.org/draft-07/schema#"}


def created(schema: object, **members: object) -> Registry:
    text = schema if isinstance(schema, str) else json.dumps(schema)
    given = {
        "name": "t",
        "owning_application": "tests",
        "category": "undefined",
        "schema": {"type": "json_schema", "schema": text},
        **members,
    }
    registry = Registry()
    registry.create(read_definition(json.dumps(given).encode()))
    return registry


def refusal(schema: object, **members: object) -> str:
    with pytest.raises(ProblemError) as caught:
        created(schema, **members)
    assert caught.value.status == 422
    return str(caught.value.detail)


def takes(schema: object, event: str) -> bool:
    event_type = created(schema).find("t")
    return not isinstance(judge(event_type, parse_batch(f"[{event}]"), [], deletion=False), Outcome)


def takes_value(schema: Any, literal: str, **root: object) -> bool:
    return takes({"properties": {"x": schema}, **root}, f'{{"x": {literal}}}')


@pytest.mark.parametrize(
    ("schema", "taken", "refused"),
    [
        ({"enum": ["A"], "type": "string", "pattern": "^b"}, ['"A"'], ['"b"']),
        ({"enum": [1, {"a": [1.5]}]}, ["1", '{"a": [1.5]}'], ["1.0", "true", '{"a": [1]}']),
        ({"type": "string", "not": {"enum": ["a"]}}, ['"a"'], ["1"]),
        ({"not": {"enum": ["a"]}}, ['"b"', "1"], ['"a"']),
        ({"minLength": 2, "minimum": 5}, ['"a"', "5"], ["4"]),
        ({"maxItems": 1, "maxLength": 1}, ['"abc"', "[1]"], ["[1, 2]"]),
        ({"$ref": "#/definitions/s", "type": "integer"}, ['"a"'], ["1"]),
        ({"allOf": [{"minLength": 2}], "not": {}, "type": "string"}, ['"ab"'], ['"a"', "1"]),
        ({"type": ["string", "null"], "maxLength": 2}, ['"ab"', "null"], ['"abc"', "1"]),
        ({"const": 1}, ["1", "2"], []),
        ({"uniqueItems": True}, ["[1, 1.0]", '"a"'], ["[1, 1]", '[{"a": 1}, {"a": 1}]']),
        ({"type": "string", "format": "uri"}, ['"foo"', '"http://[::1]/ä"', '""'], ['"a b"']),
        ({"type": "string", "format": "uri"}, ['"#a"'], ['"a%zz"', '"x:"', '"1:2"']),
        ({"type": "string", "format": "hostname"}, ['"a.b"', '"ä.de."'], ['"1.2.3.4"', '"a_b"']),
        ({"type": "string", "format": "email"}, ['"a@b.de"'], ['"a"', '"a@localhost"']),
        ({"type": "string", "format": "iso-4217"}, ['"EUR"'], ['"ABC"', '"eur"']),
        ({"type": "string", "format": "date"}, ['"x"'], []),
    ],
)
def test_what_is_read_counts(schema: object, taken: list[str], refused: list[str]) -> None:
    definitions = {"s": {"type": "string"}}
    for literal in taken:
        assert takes_value(schema, literal, definitions=definitions), literal
    for literal in refused:
        assert not takes_value(schema, literal, definitions=definitions), literal


@pytest.mark.parametrize(
    ("schema", "taken", "refused"),
    [
        ({"const": 1}, ["1"], ["1.0", "2"]),
        ({"contains": {"type": "string"}}, ['["a"]', "1"], ["[1]"]),
        ({"propertyNames": {"maxLength": 1}}, ['{"a": 1}'], ['{"ab": 1}']),
        ({"if": {"type": "string"}, "then": {"minLength": 2}}, ['"ab"', "1"], ['"a"']),
        ({"type": "string", "if": {}, "then": {"minLength": 2}}, ['"a"'], []),
        ({"type": "number", "exclusiveMinimum": 1}, ["2"], ["1"]),
    ],
)
def test_later_drafts_have_more_keywords_where_the_root_names_one(
    schema: object, taken: list[str], refused: list[str]
) -> None:
    assert all(takes_value(schema, literal, **DRAFT_7) for literal in taken)
    assert not any(takes_value(schema, literal, **DRAFT_7) for literal in refused)


def test_the_draft_named_inside_a_data_type_does_not_count() -> None:
    schema = json.dumps({**DRAFT_7, "properties": {"x": {"const": 1}}})
    registry = created(
        schema,
        category="data",
        enrichment_strategies=["metadata_enrichment"],
    )
    event = {
        "metadata": {
            "eid": "00000000-0000-4000-8000-000000000001",
            "occurred_at": "2026-11-21T07:00:00Z",
        },
        "data_type": "t",
        "data_op": "C",
        "data": {"x": 2},
    }
    judged = judge(registry.find("t"), parse_batch(json.dumps([event])), [], deletion=False)
    assert not isinstance(judged, Outcome)


@pytest.mark.parametrize(
    "schema",
    [
        {"definitions": {"unused": {"type": "foo"}}},
        {"properties": {"x": {"type": "string", "properties": 1, "enum": []}}},
        {"properties": {"x": {"type": "object", "pattern": "("}}},
        '{"properties": {"x": {"default": 01}}}',
    ],
)
def test_what_is_not_read_may_be_anything(schema: object) -> None:
    created(schema)


@pytest.mark.parametrize(
    ("schema", "detail"),
    [
        ({"allOf": [], "anyOf": []}, "#: expected at most 1 of 'allOf', 'anyOf', 'oneOf', 2 found"),
        (
            {"properties": {"x": {"oneOf": [], "anyOf": []}}},
            "#/properties/x: expected at most 1 of 'allOf', 'anyOf', 'oneOf', 2 found",
        ),
        (
            {"properties": {"x": {"title": 1}}},
            "#/properties/x/title: expected type: String, found: Integer",
        ),
        ({"description": None}, "#/description: expected type: String, found: null"),
        ({"properties": {"x": {"id": []}}}, "/x/id: expected type: String, found: JsonArray"),
        ({"properties": {"a b": {"$ref": {}}}}, "#/properties/a+b/%24ref: expected type: String"),
        (
            {"properties": {"x": {"type": "string", "maxLength": 1.5}}},
            "#/properties/x/maxLength: expected type: Integer, found: Double",
        ),
        (
            {"properties": {"x": 1}},
            "#/properties/x: expected type is one of Boolean or JsonObject, found: Integer",
        ),
        (
            {"properties": {"x": {"type": True}}},
            "#/properties/x/type: expected type is one of JsonArray or String, found: Boolean",
        ),
        ({"required": ["a", 1]}, "#/required/1: expected type: String, found: Integer"),
        (
            {"dependencies": {"a": True}},
            "#/dependencies/a: expected type is one of JsonArray or JsonObject, found: Boolean",
        ),
        ({"dependencies": {"a": [1]}}, "#/dependencies/a/0: expected type: String, found: Int"),
        (
            {"properties": {"x": {"$ref": "#/definitions/y"}}, "definitions": {"y": {"title": 1}}},
            "#/definitions/y/title: expected type: String, found: Integer",
        ),
        ({"patternProperties": {"(": {}}}, 'missing closing ) "("'),
        ({"properties": {"x": {"type": ["string"], "pattern": "[a"}}}, 'missing closing ] "[a"'),
        ({"properties": {"x": {"pattern": "a(?=x)"}}}, 'unsupported Perl syntax "(?="'),
        ({"properties": {"x": {"$ref": "http://a/b#/c"}}}, "is not supported: http://a/b"),
        ({"properties": {"x": {"$ref": "#/definitions/y"}}}, "#: key [definitions] not found"),
        (
            {"properties": {"x": {"$ref": "#/definitions/y"}}, "definitions": {}},
            "#/definitions: key [y] not found",
        ),
        ({"$schema": "https://json-schema.org/draft-07/schema#"}, "no meta-schema is known"),
    ],
)
def test_what_is_read_must_be_loadable(schema: object, detail: str) -> None:
    assert detail in refusal(schema)


def test_a_reference_must_hold_inside_the_wrapper_too() -> None:
    schema = {"properties": {"a": {"type": "string"}, "x": {"$ref": "#/properties/a"}}}
    created(schema)
    wrapped = {"category": "data", "enrichment_strategies": ["metadata_enrichment"]}
    assert "#/properties: key [a] not found" in refusal(schema, **wrapped)


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        ({"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}, False),
        ({"anyOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}, True),
        ({"oneOf": [{"properties": {"a": {}}}, {"properties": {"a": {}}}]}, False),
        ({"patternProperties": {"^a": {}}}, True),
        ({"dependencies": {"b": {"properties": {"a": {}}}}}, True),
        ({"enum": [{}], "properties": {"a": {}}}, False),
    ],
)
def test_an_ordering_field_is_named_as_often_as_the_schema_demands(
    schema: object, *, named: bool
) -> None:
    if named:
        created(schema, ordering_key_fields=["a"])
    else:
        assert refusal(schema, ordering_key_fields=["a"]).endswith("[a] absent in schema")
