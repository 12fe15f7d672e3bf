"""What the events of a route have, by the names that are shown."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.core.event.event import Category, EventFormat, Layout, MetadataSources
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.preflight.event_shape import EventShape

KEYS = ("pk", "sk")


def paths(*texts: str) -> Any:
    return tuple(map(read_path, texts))


def shape(*, whole: bool = True, **form: Any) -> EventShape:
    return EventShape(EventFormat("a.b", ("pk",), **form), KEYS, whole_deletes=whole)


def test_without_a_selection_every_attribute_is_possible() -> None:
    it = shape()
    assert not it.no_event_has("anything.at.all")
    assert it.shown_keys == KEYS
    assert not it.hides_partition_key


@pytest.mark.parametrize(
    ("field", "absent"),
    [
        ("a", False),
        ("a.b", False),
        ("a.b.c", False),
        ("a.x", True),
        ("pk", True),  # it is id now
        ("id", False),
        ("id.x", False),
        ("sk", True),
        ("card", True),
        ("aws:rep:updatetime", True),
        ("change.sequence", False),
        ("patch", False),
    ],
)
def test_what_is_shown_decides(field: str, *, absent: bool) -> None:
    selection = Selection(paths("a.b", "pk", "card"), paths("card"), (("pk", "id"),))
    it = shape(selection=selection)
    assert it.no_event_has(field) is absent
    assert (it.why_absent(field) is not None) is absent
    assert it.shown_keys == ("id",)


def test_an_attribute_may_have_the_name_that_another_one_had() -> None:
    it = shape(selection=Selection(rename=(("a", "b"), ("b", "a"))))
    assert not it.no_event_has("a")
    assert not it.no_event_has("b")


def test_the_remedy_names_the_new_name_only_if_it_is_shown() -> None:
    it = shape(selection=Selection(None, paths("old.x"), (("old", "new"),)))
    assert it.why_absent("old") == "the route shows old as new: use that name"
    assert it.why_absent("old.x") == "let the route show old, or use an attribute that it shows"
    assert it.why_absent("new.y") is None
    assert it.why_absent("new.x") is None  # an item may have an attribute called new, and no old


def test_what_goes_into_the_metadata_is_not_in_the_item() -> None:
    it = shape(metadata=MetadataSources(flow_id="flow", eid="sk"), selection=Selection())
    assert it.no_event_has("flow")
    assert it.shown_keys == ("pk",)
    assert not it.hides_partition_key


def test_a_key_of_which_a_member_is_shown_is_not_shown() -> None:
    """It is no map: letters, the draft and the preflight say the same."""
    it = shape(selection=Selection(paths("pk.x", "sk")))
    assert it.hides_partition_key
    assert it.shown_keys == ("sk",)
    assert it.why_absent("pk") == "let the route show pk, or use an attribute that it shows"
    assert not it.no_event_has("sk")


def test_the_nested_layout_puts_attributes_below_item() -> None:
    it = shape(layout=Layout.NESTED, selection=Selection(None, paths("card")))
    assert it.why_absent("pk") == "in the nested layout attributes are under item: item.pk"
    assert not it.hides("pk")
    assert not it.no_event_has("item")
    assert not it.hides("item")
    assert not it.no_event_has("item.pk")
    assert it.hides("item.card")


def test_a_delete_with_keys_only_has_those_that_are_shown() -> None:
    selection = Selection(None, paths("sk"), (("pk", "id"),))
    flat = shape(whole=False, selection=selection)
    assert flat.every_delete_has("id")
    assert not flat.every_delete_has("pk")
    assert not flat.every_delete_has("sk")
    nested = shape(whole=False, selection=selection, layout=Layout.NESTED)
    assert nested.every_delete_has("item")
    assert nested.every_delete_has("item.id")
    assert not nested.every_delete_has("item.sk")
    assert not nested.every_delete_has("id")


def test_the_body_of_a_business_event_is_what_is_shown_of_it() -> None:
    business: dict[str, Any] = {"category": Category.BUSINESS, "patch": False, "change": False}
    it = shape(body="payload", selection=Selection(None, paths("payload.card", "x")), **business)
    assert it.is_business
    assert it.shown_keys == ()
    assert not it.hides_partition_key
    assert it.no_event_has("card")
    assert it.why_absent("card") == "let the route show payload.card, or do without it"
    assert not it.no_event_has("x")
    assert not it.no_event_has("metadata.eid")
    assert not it.no_event_has("change")
    assert it.every_delete_has("anything")
    moved = shape(body="payload", metadata=MetadataSources(flow_id="flow"), **business)
    assert not moved.no_event_has("flow")


def test_what_is_around_the_item_in_a_delete() -> None:
    it = shape()
    place = ("change", "change.stream", "change.sequence")
    assert [it.every_delete_has(field) for field in place] == [True, True, True]
    assert [it.every_delete_has(field) for field in ("change.ttl", "patch")] == [False, False]
