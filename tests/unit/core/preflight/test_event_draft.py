"""The draft of a definition. That Nakadi takes it, and our events, is an integration test."""

from __future__ import annotations

import json

import pytest

from consumer.core.event.event import EventFormat, Layout
from consumer.core.preflight.check_result import Severity
from consumer.core.preflight.event_definition import EventShape, judge, parse_definition
from consumer.core.preflight.event_draft import draft

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
    assert definition.ordering_fields == ("meta.sequence", f"{prefix}order_id", f"{prefix}line")
    schema = json.loads(json.loads(body)["schema"]["schema"])
    assert ("patch" in schema["properties"]) is patch
    assert [*schema["properties"]["meta"]["properties"]] == ["sequence", "ttl", "patch_omitted"]


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
