"""Definitions, and what the preflight says of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from consumer.core.event.event import Category, EventFormat, Layout
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.preflight.check_result import Severity
from consumer.core.preflight.event_definition import (
    EventDefinition,
    judge,
    parse_definition,
    partition_names,
    shut_out,
)
from consumer.core.preflight.event_shape import EventShape

KEYS = ("order_id", "line")


def definition(**members: Any) -> dict[str, Any]:
    schema = members.pop("schema", {"type": "object", "required": ["order_id"]})
    return {
        "name": "a.b",
        "category": "data",
        "partition_strategy": "hash",
        "partition_key_fields": ["order_id"],
        "ordering_key_fields": ["data.change.stream", "data.change.sequence"],
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
        ("change.stream", "change.sequence", "order_id", "line"), ("order_id",),
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


def closed(*members: str, mode: str = "none") -> EventDefinition:
    change = {"additionalProperties": False, "properties": {name: {} for name in members}}
    return parsed(compatibility_mode=mode, schema={"properties": {"change": change}})


SENT_AGAIN = ("snapshot", "read_at", "touched")


@pytest.mark.parametrize("crossings", [True, False])
@pytest.mark.parametrize("lacking", [("stream",), ("left",), ("stream", "entered", "left"), ()])
def test_a_closed_change_has_room_for_what_events_have(
    lacking: tuple[str, ...], *, crossings: bool
) -> None:
    members = {"sequence", "stream", "entered", "left", *SENT_AGAIN} - {*lacking}
    it = replace(shape(), crossings=crossings)
    expected = tuple(name for name in lacking if crossings or name == "stream")
    definition = closed(*members)
    assert shut_out(definition, it) == expected
    (found,) = judge("a.b", definition, it)
    if not expected:
        assert found.severity is Severity.FINE
        return
    assert found.severity is Severity.WRONG
    named = " and no ".join(expected)
    assert found.result == f"a.b: the schema's change has no {named}, which events have"
    for name, kind in (("stream", "string"), ("entered", "boolean"), ("left", "boolean")):
        assert (f'"{name}": {{"type": "{kind}"}}' in found.remedy) is (name in expected)


@pytest.mark.parametrize("lacking", [SENT_AGAIN, ("read_at",)])
def test_room_for_what_is_sent_again_is_a_doubt(lacking: tuple[str, ...]) -> None:
    definition = closed(*{"sequence", "stream", *SENT_AGAIN} - {*lacking})
    (found,) = judge("a.b", definition, shape())
    assert found.severity is Severity.DOUBTFUL
    assert f"has no {' and no '.join(lacking)}, which events have that are sent" in found.result
    business = seen(Category.BUSINESS)
    it = replace(business, form=replace(business.form, change=True))
    assert shut_out(definition, it) == ()  # none is ever sent again


def test_one_remedy_names_all_that_is_to_be_added() -> None:
    (found,) = judge("a.b", closed("sequence"), shape())
    assert found.remedy == (
        'add to its properties: "stream": {"type": "string"}, "snapshot": {"type": "string"},'
        ' "read_at": {"type": "string"}, "touched": {"type": "boolean"}'
    )


def test_a_stream_is_tried_with_its_prefix() -> None:
    short = {"properties": {"sequence": {}}, "additionalProperties": {"maxLength": 24}}
    definition = parsed(schema={"properties": {"change": short}})
    it = shape()
    assert "stream" not in shut_out(definition, it)
    assert "stream" in shut_out(definition, replace(it, form=replace(it.form, stream_prefix="b-")))


def test_the_mode_compatible_closes_what_names_its_members() -> None:
    change = {"type": "object", "properties": {"sequence": {"type": "string"}}}
    schema = {"properties": {"change": change}}
    for mode, lacking in (("compatible", ("stream", *SENT_AGAIN)), ("forward", ())):
        assert shut_out(parsed(compatibility_mode=mode, schema=schema), shape()) == lacking


def test_what_says_nothing_of_the_change_has_no_room_to_lack() -> None:
    business = seen(Category.BUSINESS)
    assert shut_out(closed("sequence"), business) == ()
    assert shut_out(parsed(schema={"properties": 7}), shape()) == ()


def test_a_sequence_alone_does_not_order_readers() -> None:
    ((severity, said),) = told(shape(), ordering_key_fields=["data.change.sequence"])
    assert severity is Severity.DOUBTFUL
    assert said.startswith("ordering_key_fields have change.sequence only")
    (found,) = judge("a.b", parsed(ordering_key_fields=["data.change.sequence"]), shape())
    assert '["data.change.stream", "data.change.sequence"]' in found.remedy


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


def seen(
    category: Category = Category.DATA,
    exclude: tuple[str, ...] = (),
    rename: tuple[tuple[str, str], ...] = (),
) -> EventShape:
    """What a route shows of items with the keys `order_id` and `line`."""
    selection = Selection(None, tuple(map(read_path, exclude)), rename)
    form = EventFormat("a.b", ("order_id",), selection=selection)
    if category is Category.BUSINESS:
        form = replace(form, category=category, patch=False, change=False)
    return EventShape(form, KEYS, whole_deletes=True)


IDS = {"ordering_instance_ids": ["data.line"], "schema": {}}


def test_a_partition_field_that_is_not_shown_is_wrong() -> None:
    found = told(seen(exclude=("customer",)), partition_key_fields=["customer"])
    assert found == [(Severity.WRONG, "partition_key_fields customer are in no event")]
    inner = told(seen(exclude=("customer.iban",)), partition_key_fields=["customer.iban"])
    assert inner[0][0] is Severity.WRONG
    assert told(seen(exclude=("customer.iban",)), partition_key_fields=["customer.name"]) == [
        (Severity.FINE, "category data")
    ]


def test_a_required_member_that_is_not_shown_is_wrong() -> None:
    ((severity, result),) = told(seen(exclude=("status",)), schema={"required": ["status"]})
    assert (severity, result) == (
        Severity.WRONG,
        "the schema requires status, which no event has",
    )
    nested = replace(seen(exclude=("status",)), whole_deletes=True)
    nested = replace(nested, form=replace(nested.form, layout=Layout.NESTED))
    item = {"required": ["item"], "properties": {"item": {"required": ["status", "line"]}}}
    fields = {"partition_key_fields": ["item.order_id"], "ordering_instance_ids": []}
    ((severity, result),) = told(nested, schema=item, **fields)
    assert (severity, "item.status, which no" in result) == (Severity.WRONG, True)


def test_ordering_fields_that_are_not_shown_are_doubtful() -> None:
    ((severity, result),) = told(
        seen(exclude=("version",)), ordering_key_fields=["data.version"], **IDS
    )
    assert (severity, result) == (Severity.DOUBTFUL, "ordering fields version are in no event")


def test_fields_are_those_that_are_shown_under_another_name() -> None:
    renamed = seen(rename=(("order_id", "id"),))
    (wrong,) = judge("a.b", parsed(**IDS), renamed)
    assert (wrong.severity, wrong.remedy) == (
        Severity.WRONG,
        "the route shows order_id as id: use that name",
    )
    assert told(renamed, partition_key_fields=["id"], **IDS) == [(Severity.FINE, "category data")]


def test_a_route_that_hides_the_partition_key_gives_no_order_by_itself() -> None:
    hidden = seen(exclude=("order_id",))
    ((severity, result),) = told(hidden, partition_key_fields=["line"], **IDS)
    assert severity is Severity.DOUBTFUL
    assert result.startswith("the route hides the partition key order_id: readers have no order")
    assert "(line)" in result
    random = told(hidden, partition_strategy="random", partition_key_fields=[], **IDS)
    assert [result for _, result in random] == ["partition_strategy random keeps no order"]


def test_business_events_are_looked_up_without_data() -> None:
    members = {"category": "business", "ordering_key_fields": [], "schema": {}}
    ids = {"ordering_instance_ids": ["order_id"]}
    judged = parsed(partition_key_fields=["order_id"], **ids, **members)
    (found,) = judge("a.b", judged, seen(Category.BUSINESS), Category.BUSINESS)
    assert (found.severity, found.result) == (Severity.FINE, "a.b: category business")
    assert parsed(**members | {"ordering_instance_ids": ["data.x"]}).ordering_fields == ("data.x",)
    doubled = parsed(partition_key_fields=["data.order_id"], **ids, **members)
    (open_to_all,) = judge("a.b", doubled, seen(Category.BUSINESS), Category.BUSINESS)
    assert open_to_all.severity is Severity.FINE  # a member may be called data
    hidden = parsed(partition_key_fields=["card"], **ids, **members)
    (wrong,) = judge("a.b", hidden, seen(Category.BUSINESS, exclude=("card",)), Category.BUSINESS)
    assert (wrong.severity, "card are in no event" in wrong.result) == (Severity.WRONG, True)


@pytest.mark.parametrize("known", [True, False])
def test_a_category_that_does_not_fit_is_wrong(*, known: bool) -> None:
    shape = seen(Category.BUSINESS) if known else None
    ids = {"ordering_instance_ids": ["order_id"], "ordering_key_fields": [], "schema": {}}
    found = judge("a.b", parsed(**ids), shape, Category.BUSINESS)
    assert [each.severity for each in found] == [Severity.WRONG]
    assert found[0].result == "a.b: category data takes no business events"
    assert found[0].remedy == "choose one of category business"


def test_a_business_event_has_no_deletes_and_its_change_only_if_the_route_says_so() -> None:
    business = seen(Category.BUSINESS)
    with_change = replace(business, form=replace(business.form, change=True))
    members = {
        "category": "business",
        "partition_key_fields": ["order_id"],
        "ordering_instance_ids": ["order_id"],
        "schema": {"required": ["change"]},
    }
    for ordering, severities in (
        (["change.stream", "change.sequence"], [Severity.FINE]),
        (["change.ttl"], [Severity.DOUBTFUL]),
    ):
        definition = parsed(ordering_key_fields=ordering, **members)
        found = judge("a.b", definition, with_change, Category.BUSINESS)
        assert [each.severity for each in found] == severities
        if severities != [Severity.FINE]:
            assert "not in every event" in found[0].result
    unseen = replace(business, keys=("order_id",))
    odd = parsed(ordering_key_fields=[], **members | {"schema": {"required": ["x"]}})
    assert judge("a.b", odd, unseen, Category.BUSINESS)[0].severity is Severity.FINE
