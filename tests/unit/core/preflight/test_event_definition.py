"""Definitions, and what the preflight says of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from consumer.core.event.event import EventFormat, Layout
from consumer.core.preflight.check_result import Severity
from consumer.core.preflight.event_definition import (
    EventDefinition,
    EventShape,
    judge,
    parse_definition,
    partition_names,
)

KEYS = ("order_id", "line")


def definition(**members: Any) -> dict[str, Any]:
    schema = members.pop("schema", {"type": "object", "required": ["order_id"]})
    return {
        "name": "a.b",
        "category": "data",
        "partition_strategy": "hash",
        "partition_key_fields": ["order_id"],
        "ordering_key_fields": ["data.change.sequence"],
        "ordering_instance_ids": ["data.order_id", "data.line"],
        "cleanup_policy": "delete",
        "schema": {"type": "json_schema", "schema": json.dumps(schema)},
        **members,
    }


def parsed(**members: Any) -> EventDefinition:
    found = parse_definition(json.dumps(definition(**members)).encode())
    assert found is not None
    return found


def shape(*, whole: bool = True, layout: Layout = Layout.FLAT) -> EventShape:
    form = EventFormat("a.b", ("order_id",), layout=layout)
    return EventShape(form, KEYS, whole_deletes=whole)


def told(it: EventShape | None, **members: Any) -> list[tuple[Severity, str]]:
    found = judge("a.b", parsed(**members), it)
    for result in found:
        assert result.dependency == "event type"
        assert result.result.startswith("a.b: ")
        assert (result.remedy == "") == (result.severity is Severity.FINE)
    return [(result.severity, result.result.removeprefix("a.b: ")) for result in found]


def test_a_definition_is_read() -> None:
    assert parsed() == EventDefinition(
        "data", "delete", "hash", ("order_id",),
        ("change.sequence", "order_id", "line"), ("order_id",),
    )  # fmt: skip


def test_what_a_definition_leaves_out_has_nakadis_defaults() -> None:
    found = parse_definition(b'{"category":"business"}')
    assert found == EventDefinition("business", "delete", "random", (), (), ())


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"x"', b"{}", b'{"category":7}'])
def test_anything_else_is_no_definition(body: bytes) -> None:
    assert parse_definition(body) is None


@pytest.mark.parametrize(
    "schema", [None, 7, {"schema": 7}, {"schema": "{"}, {"schema": "[]"}, {"schema": "{}"}]
)
def test_a_schema_that_says_nothing_requires_nothing(schema: object) -> None:
    body = json.dumps(definition() | {"schema": schema}).encode()
    found = parse_definition(body)
    assert found is not None
    assert found.required == ()


def test_names_of_partitions_are_read() -> None:
    body = b'[{"partition":"1","oldest_available_offset":"x"},{"partition":"0"},7,{"partition":8}]'
    assert partition_names(body) == ("1", "0")
    assert [partition_names(body) for body in (b"", b"{}", b"[]")] == [(), (), ()]


@pytest.mark.parametrize(
    ("mode", "change", "closed"),
    [
        ("none", {"additionalProperties": False, "properties": {"a": {}}}, {"change": {"a"}}),
        ("none", {"additionalProperties": False}, {"change": set()}),
        ("none", {"properties": {"a": {}}}, {}),
        ("none", {"additionalProperties": True, "properties": {"a": {}}}, {}),
        ("compatible", {"properties": {"a": {}}}, {"change": {"a"}}),
        ("compatible", {}, {}),
        ("compatible", {"properties": 7}, {}),
        ("compatible", True, {}),
    ],
)
def test_closed_objects_are_those_that_take_no_other_members(
    mode: str, change: object, closed: dict[str, set[str]]
) -> None:
    found = parsed(compatibility_mode=mode, schema={"properties": {"change": change}})
    assert found.closed == closed


def test_a_schema_without_properties_closes_nothing() -> None:
    assert parsed(schema={"properties": 7}).closed == {}


@pytest.mark.parametrize(
    ("members", "lacking"),
    [
        (("sequence",), "no entered and no left"),
        (("sequence", "entered"), "no left"),
        (("sequence", "left"), "no entered"),
        (("sequence", "entered", "left"), None),
    ],
)
def test_a_closed_change_has_room_for_what_a_view_tells(
    members: tuple[str, ...], lacking: str | None
) -> None:
    change = {"additionalProperties": False, "properties": {name: {} for name in members}}
    definition = parsed(schema={"properties": {"change": change}})
    (found,) = judge("a.b", definition, replace(shape(), crossings=True))
    if lacking is None:
        assert found.severity is Severity.FINE
    else:
        assert found.severity is Severity.WRONG
        assert f"the schema's change has {lacking}, which" in found.result
        for name in ("entered", "left"):
            assert (f'"{name}": {{"type": "boolean"}}' in found.remedy) is (name not in members)
    (other,) = judge("a.b", definition, shape())  # no view
    assert other.severity is Severity.FINE
    (opened,) = judge("a.b", parsed(), replace(shape(), crossings=True))
    assert opened.severity is Severity.FINE


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("layout", Layout)
def test_one_that_fits_is_fine(whole: bool, layout: Layout) -> None:
    prefix = "" if layout is Layout.FLAT else "item."
    found = told(
        shape(whole=whole, layout=layout),
        partition_key_fields=[f"{prefix}order_id"],
        ordering_instance_ids=[f"data.{prefix}order_id", f"data.{prefix}line"],
        schema={
            "required": ["order_id", "change"] if prefix == "" else ["item", "change"],
            "properties": {"item": {"required": ["order_id"]}},
        },
    )
    assert found == [(Severity.FINE, "category data")]


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"category": "business"}, "category business"),
        ({"category": "undefined"}, "category undefined"),
        ({"cleanup_policy": "compact"}, "compacted"),
        ({"cleanup_policy": "compact_and_delete"}, "compacted"),
        ({"partition_strategy": "user_defined"}, "user_defined"),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_what_can_never_take_our_events_is_wrong(
    members: dict[str, Any], says: str, known: bool
) -> None:
    ((severity, result),) = told(shape() if known else None, **members)
    assert severity is Severity.WRONG
    assert says in result


def test_random_partitions_keep_no_order() -> None:
    ((severity, result),) = told(shape(), partition_strategy="random", partition_key_fields=["x"])
    assert severity is Severity.DOUBTFUL
    assert "random" in result


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"partition_key_fields": ["order_id", "shop"]}, "partition_key_fields shop are not in"),
        ({"ordering_instance_ids": ["data.shop"]}, "ordering fields shop are not in every D"),
        ({"ordering_key_fields": ["data.version"]}, "ordering fields version are not in every D"),
    ],
)
def test_fields_that_a_keys_only_delete_lacks_are_told(members: dict[str, Any], says: str) -> None:
    ((severity, result),) = told(shape(whole=False), **members)
    refused = "partition_key_fields" in members  # nobody but readers looks at the others
    assert severity is (Severity.WRONG if refused else Severity.DOUBTFUL)
    assert says in result
    assert told(shape(), **members) == [(Severity.FINE, "category data")]
    assert told(None, **members) == [(Severity.FINE, "category data")]


@pytest.mark.parametrize("whole", [True, False])
def test_a_partition_key_is_looked_up_inside_data(whole: bool) -> None:
    ((severity, result),) = told(shape(whole=whole), partition_key_fields=["data.order_id"])
    assert (severity, "data.order_id" in result) == (Severity.WRONG, True)
    assert told(shape(), partition_key_fields=["data.other"]) == [
        (Severity.FINE, "category data")  # an attribute may be called data
    ]


def test_what_is_in_the_metadata_every_event_has() -> None:
    fields = {"ordering_key_fields": ["metadata.occurred_at"], "ordering_instance_ids": []}
    for layout in Layout:
        found = told(
            shape(whole=False, layout=layout), partition_strategy="user", schema={}, **fields
        )
        assert found == [(Severity.FINE, "category data")]


@pytest.mark.parametrize("field", ["patch", "change.ttl", "patch.op"])
def test_what_only_some_events_have_is_no_partition_key(field: str) -> None:
    ((severity, _),) = told(shape(), partition_key_fields=[field])
    assert severity is Severity.WRONG


def test_without_patches_their_name_is_one_of_an_attribute() -> None:
    members = {"partition_key_fields": ["patch"], "ordering_instance_ids": []}
    for layout, severity in ((Layout.FLAT, Severity.FINE), (Layout.NESTED, Severity.WRONG)):
        form = EventFormat("a.b", ("order_id",), patch=False, layout=layout)
        found = told(EventShape(form, KEYS, whole_deletes=True), **members)
        assert found[0][0] is severity


def test_in_the_nested_layout_attributes_are_under_item() -> None:
    nested = shape(layout=Layout.NESTED)
    found = judge("a.b", parsed(ordering_instance_ids=[]), nested)
    assert [result.severity for result in found] == [Severity.WRONG, Severity.DOUBTFUL]
    assert "order_id are in no event" in found[0].result
    assert "item.order_id" in found[0].remedy


@pytest.mark.parametrize(
    ("required", "whole", "severity"),
    [
        (["order_id", "change"], False, Severity.FINE),
        (["order_id", "status"], False, Severity.DOUBTFUL),
        (["order_id", "status"], True, Severity.FINE),
        (["patch"], True, Severity.DOUBTFUL),
    ],
)
def test_required_fields_that_some_events_lack_are_doubtful(
    required: list[str], whole: bool, severity: Severity
) -> None:
    ((found, _),) = told(shape(whole=whole), schema={"required": required})
    assert found is severity


def test_required_members_of_the_item_count_in_the_nested_layout() -> None:
    schema = {"required": ["item"], "properties": {"item": {"required": ["line", "status"]}}}
    members = {"partition_key_fields": ["item.order_id"], "ordering_instance_ids": []}
    ((severity, result),) = told(shape(whole=False, layout=Layout.NESTED), schema=schema, **members)
    assert (severity, "item.status" in result, "item.line" in result) == (
        Severity.DOUBTFUL, True, False,
    )  # fmt: skip
    item = {"required": ["item"], "properties": {"item": True}}
    nested = shape(whole=False, layout=Layout.NESTED)
    assert told(nested, schema=item, **members) == [(Severity.FINE, "category data")]
