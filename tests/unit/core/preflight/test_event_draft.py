"""The draft of a definition. That Nakadi takes it, and our events, is an integration test."""

from __future__ import annotations

import json

import pytest

from consumer.core.event.event import Category, EventFormat, Layout, MetadataSources
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.preflight.check_result import Severity
from consumer.core.preflight.event_definition import judge, parse_definition, shut_out
from consumer.core.preflight.event_draft import draft, notes
from consumer.core.preflight.event_shape import EventShape

KEYS = ("order_id", "line")


@pytest.mark.parametrize("patch", [True, False])
@pytest.mark.parametrize("layout", Layout)
def test_a_draft_fits_its_own_events(layout: Layout, patch: bool) -> None:
    form = EventFormat("a.b", KEYS[:1], patch=patch, change_field="meta", layout=layout)
    body = draft("a.b", "a", form, KEYS)
    definition = parse_definition(body)
    assert definition is not None
    (result,) = judge("a.b", definition, EventShape(form, KEYS, whole_deletes=False))
    assert result.severity is Severity.FINE
    prefix = "" if layout is Layout.FLAT else "item."
    assert definition.partition_key_fields == (f"{prefix}order_id",)
    place = ("meta.stream", "meta.sequence")
    assert definition.ordering_fields == (*place, f"{prefix}order_id", f"{prefix}line")
    schema = json.loads(json.loads(body)["schema"]["schema"])
    assert ("patch" in schema["properties"]) is patch
    change = schema["properties"]["meta"]
    assert change["required"] == ["sequence"]
    assert change["properties"] == {
        "sequence": {"type": "string"}, "stream": {"type": "string"},
        "ttl": {"type": "boolean"}, "patch_omitted": {"type": "boolean"},
        "snapshot": {"type": "string"}, "read_at": {"type": "string"},
        "touched": {"type": "boolean"},
    }  # fmt: skip
    change["additionalProperties"] = False
    closed = parse_definition(json.dumps({**json.loads(body), "schema": schema}).encode())
    assert closed is not None
    assert shut_out(closed, EventShape(form, KEYS, whole_deletes=False)) == ()


@pytest.mark.parametrize("layout", Layout)
def test_the_draft_for_a_view_has_room_for_what_enters_and_leaves(layout: Layout) -> None:
    form = EventFormat("a.b", KEYS[:1], layout=layout)
    body = draft("a.b", "a", form, KEYS, crossings=True)
    schema = json.loads(json.loads(body)["schema"]["schema"])
    change = schema["properties"]["change"]
    assert change["properties"]["entered"] == change["properties"]["left"] == {"type": "boolean"}
    assert change["required"] == ["sequence"]
    definition = parse_definition(body)
    assert definition is not None
    (result,) = judge("a.b", definition, EventShape(form, KEYS, True, crossings=True))
    assert result.severity is Severity.FINE


SHOWN = Selection(None, (read_path("line"), read_path("card.number")), (("order_id", "id"),))


def test_a_draft_names_what_is_shown_and_nothing_else() -> None:
    form = EventFormat("a.b", KEYS[:1], selection=SHOWN)
    body = draft("a.b", "a", form, KEYS)
    for hidden in (b"line", b"order_id", b"card", b"number"):
        assert hidden not in body.replace(b"a.b", b"")
    definition = parse_definition(body)
    assert definition is not None
    assert definition.partition_key_fields == ("id",)
    assert definition.ordering_fields == ("change.stream", "change.sequence", "id")
    (result,) = judge("a.b", definition, EventShape(form, KEYS, whole_deletes=False))
    assert result.severity is Severity.FINE
    assert notes(form, KEYS) == []


def test_a_route_that_hides_the_partition_key_is_partitioned_by_the_rest_of_the_key() -> None:
    hidden = Selection(None, (read_path("order_id"),))
    form = EventFormat("a.b", KEYS[:1], selection=hidden)
    definition = parse_definition(draft("a.b", "a", form, KEYS))
    assert definition is not None
    assert definition.partition_key_fields == ("line",)
    (note,) = notes(form, KEYS)
    assert "hides the partition key order_id" in note
    moved = EventFormat("a.b", KEYS[:1], metadata=MetadataSources(eid="order_id", flow_id="line"))
    nothing = parse_definition(draft("a.b", "a", moved, KEYS))
    assert nothing is not None
    assert (nothing.partition_strategy, nothing.partition_key_fields) == ("random", ())
    (note,) = notes(moved, KEYS)
    assert "keeps no order" in note


@pytest.mark.parametrize("change", [True, False])
@pytest.mark.parametrize("body", [None, "payload"])
def test_the_draft_of_a_business_event_has_no_data(body: str | None, *, change: bool) -> None:
    form = EventFormat(
        "a.b", KEYS[:1], patch=False, change=change, category=Category.BUSINESS, body=body
    )
    drafted = draft("a.b", "a", form, KEYS)
    loaded = json.loads(drafted)
    assert loaded["category"] == "business"
    place = ["change.stream", "change.sequence"]
    assert loaded["ordering_key_fields"] == (place if change else [])
    assert loaded["ordering_instance_ids"] == ([*KEYS] if change else [])
    schema = json.loads(loaded["schema"]["schema"])
    assert [*schema["properties"]] == [*KEYS, *(["change"] if change else [])]
    if change:
        assert [*schema["properties"]["change"]["properties"]] == ["sequence", "stream"]
    definition = parse_definition(drafted)
    assert definition is not None
    shape = EventShape(form, KEYS, whole_deletes=True)
    (result,) = judge("a.b", definition, shape, Category.BUSINESS)
    assert (result.severity, result.result) == (Severity.FINE, "a.b: category business")
    assert ["payload" in note for note in notes(form, KEYS)] == ([True] if body else [])


def test_a_key_with_a_dot_is_noted() -> None:
    (note,) = notes(EventFormat("a.b", ("order.id",)), ("order.id",))
    assert note.startswith("key attribute 'order.id': Nakadi takes the dot for a path")
