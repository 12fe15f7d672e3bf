"""Events and their format."""

from typing import Any

import pytest
from msgspec.structs import replace

from consumer.core.event.event import Category, EventFormat, Layout, MetadataSources
from consumer.core.event.selection.attribute_path import AttributePath, read_path
from consumer.core.event.selection.selection import Selection


def test_the_format_has_the_defaults_of_the_settings() -> None:
    event_format = EventFormat("order-store:order", ("order_id",))
    assert event_format.patch
    assert (event_format.patch_field, event_format.change_field) == ("patch", "change")
    assert event_format.layout is Layout.FLAT
    assert event_format.event_bytes == 999_000


def test_layouts_are_spelled_as_in_the_settings() -> None:
    assert [*Layout] == ["flat", "nested"]


def test_without_patches_none_has_a_name() -> None:
    assert EventFormat("orders", ("id",), patch_field="p").patch_member == "p"
    assert EventFormat("orders", ("id",), patch=False).patch_member is None


RENAMED = Selection(rename=(("a", "b"),))
PATHS = (AttributePath(("card",)),)


@pytest.mark.parametrize(
    ("selection", "body", "hides", "reshapes"),
    [
        (None, None, False, False),
        (Selection(), None, False, False),  # but for what global tables add
        (RENAMED, None, False, True),
        (Selection(exclude=PATHS), None, True, True),
        (Selection(include=PATHS), None, True, True),
        (Selection(include=()), None, True, True),
        (None, "payload", False, True),
    ],
)
def test_what_must_not_be_seen_and_what_cannot_be_told_from_an_event(
    selection: Selection | None, body: str | None, *, hides: bool, reshapes: bool
) -> None:
    form = EventFormat("order", ("id",), selection=selection, body=body)
    assert (form.hides, form.reshapes) == (hides, reshapes)


def test_only_a_business_event_may_have_no_member_for_its_change() -> None:
    form = EventFormat("orders", ("id",), change=False, change_field="c")
    assert form.change_member == "c"
    assert replace(form, category=Category.BUSINESS).change_member is None
    assert replace(form, category=Category.BUSINESS, change=True).change_member == "c"


def test_a_format_leaves_something_out_if_its_selection_does() -> None:
    form = EventFormat("orders", ("id",))
    assert not form.leaves_out
    assert replace(form, selection=Selection()).leaves_out
    assert not replace(form, selection=Selection(replication=True)).leaves_out


def test_the_sources_of_metadata_are_named_once_each() -> None:
    assert MetadataSources().names == ()
    assert MetadataSources("id", "flow", parent_eids="flow").names == ("id", "flow")


@pytest.mark.parametrize(
    ("selection", "shown"),
    [
        (None, {"eid": "id", "span_ctx": "span"}),
        (Selection(include=(read_path("a"),)), {"eid": "id", "span_ctx": "span"}),
        (Selection(exclude=(read_path("id"), read_path("a"))), {"span_ctx": "span"}),
        (Selection(exclude=(read_path("span.user"),)), {"eid": "id"}),
    ],
)
def test_nothing_that_is_excluded_is_moved(
    selection: Selection | None, shown: dict[str, str]
) -> None:
    assert MetadataSources("id", span_ctx="span").shown(selection) == shown


@pytest.mark.parametrize(
    ("selection", "name"),
    [
        (None, "pk"),
        (Selection(), "pk"),
        (Selection(rename=(("pk", "id"),)), "id"),
        (Selection(exclude=(read_path("pk"),)), None),
        (Selection(exclude=(read_path("pk.x"),)), "pk"),
        (Selection(include=(read_path("pk.x"),)), None),
    ],
)
def test_the_name_of_a_key_attribute_that_is_shown(
    selection: Selection | None, name: str | None
) -> None:
    form = EventFormat("o", ("pk",), selection=selection)
    assert form.key_name("pk") == name
    assert replace(form, metadata=MetadataSources(flow_id="pk")).key_name("pk") is None


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({}, ("patch", "change")),
        ({"patch": False}, ("change",)),
        ({"patch_field": "x", "change_field": "x"}, ("x",)),
        ({"layout": Layout.NESTED}, ()),
        ({"category": Category.BUSINESS}, ("metadata", "change")),
        ({"category": Category.BUSINESS, "change": False}, ("metadata",)),
    ],
)
def test_the_names_that_its_events_need_themselves(
    change: dict[str, Any], names: tuple[str, ...]
) -> None:
    assert replace(EventFormat("o", ("pk",)), **change).reserved == names
