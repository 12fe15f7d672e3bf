"""Schema validation: the fast look never lets through what the complete validator refuses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localdev.nakadi.schema.effective_schema import close
from localdev.nakadi.schema.event_validator import EventValidator
from localdev.nakadi.schema.json_schema import validator_of
from localdev.nakadi.schema.quick_check import compile_check
from localdev.nakadi.schema.violation import describe

NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([1.0, 1.5, "", "a", "b\n"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
TYPES = st.sampled_from(["object", "array", "string", "number", "integer", "boolean", "null"])
LEAVES = st.fixed_dictionaries(
    {},
    optional={
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
        "enum": st.lists(st.sampled_from(["a", "b"]), min_size=1, unique=True),
        "pattern": st.sampled_from(["^a$", "b"]),
        "minLength": st.integers(0, 2),
        "title": st.just("t"),
    },
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES,
            "properties": st.dictionaries(NAMES, inner, max_size=2),
            "required": st.lists(NAMES, max_size=2, unique=True),
            "additionalProperties": st.booleans() | inner,
            "items": inner,
        },
    ),
    max_leaves=5,
)


@given(SCHEMAS, VALUES)
def test_the_fast_look_and_the_library_agree(schema: dict[str, Any], value: Any) -> None:
    check = compile_check(schema)
    assert check is not None
    found = describe(validator_of(schema).iter_errors(value))
    assert check(value) == (found is None)


@pytest.mark.parametrize("keyword", ["oneOf", "not", "$ref", "maxLength", "format", "const"])
def test_the_fast_look_is_not_taken_at_a_keyword_it_does_not_know(keyword: str) -> None:
    assert compile_check({"properties": {"a": {keyword: 1}}}) is None


@pytest.mark.parametrize("literal", [1.0, 1.5, -0.0])
def test_an_integer_schema_refuses_doubles(literal: float) -> None:
    for draft in ("04", "06", "07"):
        schema: dict[str, Any] = {
            "$schema": f"http://json-schema.org/draft-{draft}/schema#",
            "type": "integer",
        }
        assert describe(validator_of(schema).iter_errors(literal)) == (
            "#: expected type: Integer, found: Double"
        )


def test_patterns_end_at_the_very_end_and_know_ascii_digits_only() -> None:
    check = validator_of({"pattern": r"^\d$"})
    assert check.is_valid("1")
    assert not check.is_valid("1\n")
    assert not check.is_valid("٣")


def test_several_violations_are_counted_by_object() -> None:
    schema: dict[str, Any] = {
        "properties": {"a": {"type": "string"}, "b": {"properties": {"c": {"enum": ["x"]}}}}
    }
    found = describe(
        validator_of({**schema, "required": ["d"]}).iter_errors({"a": 1, "b": {"c": 1}})
    )
    assert found == (
        "#: 3 schema violations found\n#: required key [d] not found\n"
        "#/a: expected type: String, found: Integer\n#/b/c: 1 is not a valid enum value"
    )


def test_mode_compatible_closes_every_subschema_an_empty_one_too() -> None:
    schema: dict[str, Any] = {"properties": {"patch": {"items": {"properties": {"value": {}}}}}}
    close(schema)
    item = schema["properties"]["patch"]["items"]
    assert item["properties"] == {"value": {"additionalProperties": False}}
    assert item["additionalProperties"] is False


def test_metadata_depends_on_the_clean_up_policy() -> None:
    def complaint(policy: str, **metadata: str) -> str | None:
        definition: dict[str, Any] = {"name": "t", "category": "data", "cleanup_policy": policy}
        validator = EventValidator(definition, {"type": "object"})
        eid = "00000000-0000-4000-8000-000000000001"
        known = {"eid": eid, "occurred_at": "2026-11-21T07:00:00Z"}
        return validator.complaint(
            {"metadata": {**known, **metadata}, "data_type": "o", "data_op": "C", "data": {}}
        )

    assert complaint("delete") is None
    assert complaint("compact", partition_compaction_key="k") is None
    assert complaint("compact") == "#/metadata: required key [partition_compaction_key] not found"
    assert complaint("delete", partition_compaction_key="k") == (
        "#/metadata: extraneous key [partition_compaction_key] is not permitted"
    )
    assert complaint("delete", occurred_at="x") == (
        "#/metadata/occurred_at:must be a valid date-time Text 'x' could not be parsed at index 0"
    )


def test_an_id_is_no_base_for_references() -> None:
    schema: dict[str, Any] = {
        "id": "http://example.org/order",
        "type": "object",
        "properties": {"a": {"id": "a", "type": "array", "items": {"$ref": "#/definitions/b"}}},
        "definitions": {"b": {"type": "string"}},
    }
    validator = EventValidator({"name": "orders", "category": "undefined"}, schema)
    assert validator.complaint({"a": ["x"]}) is None
    assert validator.complaint({"a": [1]}) is not None
