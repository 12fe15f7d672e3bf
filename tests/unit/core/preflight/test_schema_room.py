"""Whether a schema leaves room for one member more, in every way in which it may not."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.core.preflight.schema_room import DEPTH, SchemaRoom

KNOWN: dict[str, Any] = {"sequence": "0" * 40}
STREAM = "2026-11-01T09:30:00.000"
NAMED: dict[str, Any] = {"properties": {"sequence": {}}}
WITH: dict[str, Any] = {"properties": {"sequence": {}, "stream": {"type": "string"}}}
SHUT: dict[str, Any] = NAMED | {"additionalProperties": False}
OPEN: dict[str, Any] = WITH | {"additionalProperties": False}


def has_room(change: object, *, compatible: bool = False, **root: Any) -> bool:
    schema = {"properties": {"change": change}, **root}
    found = SchemaRoom(schema, compatible).lacking("change", KNOWN, {"stream": STREAM})
    assert found in {(), ("stream",)}
    return not found


@pytest.mark.parametrize(
    "change",
    [
        {},
        True,
        7,
        NAMED,
        OPEN,
        NAMED | {"additionalProperties": True},
        NAMED | {"additionalProperties": {"type": ["string", "null"]}},
        {"type": "object"},
        {"type": ["null", "object"]},
        {"properties": 7, "patternProperties": 7, "type": [7]},
        NAMED | {"additionalProperties": False, "patternProperties": {"^str": {}}},
        NAMED | {"additionalProperties": False, "patternProperties": {"^(str)+": {}}},
        {"patternProperties": {"[": {"type": "boolean"}}},
        {"properties": {"stream": {"enum": [STREAM, "x"]}}},
        {"properties": {"stream": {"const": STREAM}}},
        {"properties": {"stream": {"maxLength": 23, "pattern": "^2026"}}},
        {"properties": {"stream": {"pattern": "^(2|3)+$"}}},
        {"properties": {"stream": {"pattern": "("}}},
        {"maxProperties": 2},
        {"propertyNames": {"pattern": "^s"}},
        {"allOf": [{}, OPEN]},
        {"anyOf": [SHUT, OPEN]},
        {"oneOf": [SHUT, OPEN]},
        {"oneOf": 7},
        {"$ref": "#/definitions/open"},
        {"$ref": "#/definitions/none"},
        {"$ref": "http://elsewhere.example.org/#/x"},
        {"$ref": "#/definitions/a~1b"},
        {"$ref": "#/definitions/open/additionalProperties/x"},
        {"$ref": "#"} | SHUT,
    ],
)
def test_there_is_room(change: object) -> None:
    assert has_room(change, definitions={"open": OPEN, "a/b": OPEN})


@pytest.mark.parametrize(
    "change",
    [
        SHUT,
        NAMED | {"additionalProperties": {"type": "boolean"}},
        {"properties": {"stream": False}},
        {"properties": {"stream": {"type": "integer"}}},
        {"properties": {"stream": {"type": ["boolean", "object", "null"]}}},
        {"properties": {"stream": {"enum": ["x"]}}},
        {"properties": {"stream": {"const": "x"}}},
        {"properties": {"stream": {"maxLength": 22}}},
        {"properties": {"stream": {"pattern": "^[0-9]{40}$"}}},
        {"patternProperties": {"^str": False}},
        {"maxProperties": 1},
        {"propertyNames": {"enum": ["sequence", "ttl"]}},
        {"propertyNames": {"pattern": "^se"}},
        {"allOf": [{}, SHUT]},
        {"anyOf": [SHUT, SHUT]},
        {"oneOf": [SHUT, False]},
        {"$ref": "#/definitions/shut"},
        {"$ref": "#/definitions/c/properties/d"},
    ],
)
def test_there_is_none(change: object) -> None:
    assert not has_room(change, definitions={"shut": SHUT, "c": {"properties": {"d": SHUT}}})


def test_what_stands_above_the_object_counts() -> None:
    closed = {"properties": {"change": SHUT}}
    for root in ({"allOf": [closed]}, {"patternProperties": {"^change$": SHUT}}):
        assert not has_room({}, **root)
    found = SchemaRoom({"additionalProperties": SHUT})
    assert found.lacking("change", KNOWN, {"stream": STREAM}) == ("stream",)


def test_where_even_the_known_has_no_room_nothing_is_said() -> None:
    for change in ({"additionalProperties": False}, {"type": "string"}, False):
        assert has_room(change)
    assert has_room({}, additionalProperties=False, properties={})


@pytest.mark.parametrize(
    ("change", "room"),
    [
        ({}, True),  # closed, so that there is no room for the known ones either
        (NAMED, False),
        (WITH, True),
        (WITH | {"additionalProperties": True}, True),
        (NAMED | {"additionalProperties": True}, False),
        (NAMED | {"type": "object"}, False),
        ({"type": ["object"], "patternProperties": {"se": {}}}, False),
        ({"type": ["null", "string"], "patternProperties": {"se": {}}}, True),
        ({"anyOf": [NAMED, WITH]}, True),
        ({"anyOf": [NAMED, NAMED]}, False),
        ({"$ref": "#/definitions/shut"}, False),
    ],
)
def test_the_mode_compatible_closes_all_that_may_be_an_object(
    change: object, *, room: bool
) -> None:
    assert has_room(change, compatible=True, definitions={"shut": NAMED}) is room


def test_a_schema_without_end_is_followed_for_a_while() -> None:
    assert has_room({"$ref": "#/definitions/a"}, definitions={"a": {"$ref": "#/definitions/a"}})
    deep: dict[str, Any] = SHUT
    for _ in range(DEPTH - 2):
        deep = {"allOf": [deep]}
    assert not has_room(deep)
    assert has_room({"allOf": [deep]})
