"""Names under which attributes are shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection, shown_name
from tests.reference import seeing
from tests.reference.selections import deep_items, selections_of


@given(st.data())
def test_an_attribute_that_is_shown_has_the_name_of_the_reference(data: st.DataObject) -> None:
    item = data.draw(deep_items)
    selection = data.draw(selections_of(item))
    seen = seeing.seen_item(item, selection)
    for name in item:
        called = shown_name(selection, name)
        assert called in (None, dict(selection.rename).get(name, name))
        if called is None:
            assert name not in seen  # the other way round it may be no map, and not be shown


@pytest.mark.parametrize(
    ("selection", "shown", "leaves_out"),
    [
        (Selection(), "a", True),
        (Selection(replication=True), "a", False),
        (Selection(rename=(("a", "b"),), replication=True), "b", False),
        (Selection(exclude=(read_path("a"),), replication=True), None, True),
        (Selection(exclude=(read_path("a.b"),)), "a", True),
        (Selection(include=(read_path("a.b"),), replication=True), "a", True),
        (Selection(include=(read_path("b"),)), None, True),
    ],
)
def test_what_is_shown_of_one(selection: Selection, shown: str | None, leaves_out: bool) -> None:
    assert shown_name(selection, "a") == shown
    assert selection.leaves_out is leaves_out


@pytest.mark.parametrize(
    ("include", "exclude", "nothing"),
    [
        (None, ("a",), False),
        (("a",), (), False),
        (("a",), ("a",), True),
        (("a", "b"), ("a",), False),
        (("a.b", "c"), ("a", "c"), True),
        (("a",), ("a.b",), False),
        (("a.b",), ("a.c",), False),
    ],
)
def test_nothing_is_shown_where_all_that_is_included_is_excluded(
    include: tuple[str, ...] | None, exclude: tuple[str, ...], *, nothing: bool
) -> None:
    included = None if include is None else tuple(map(read_path, include))
    assert Selection(included, tuple(map(read_path, exclude))).shows_nothing is nothing


def test_without_a_selection_names_are_those_of_the_table() -> None:
    assert shown_name(None, "aws:rep:x") == "aws:rep:x"


def test_replication_is_shown_only_if_it_is_included_or_wanted() -> None:
    name = "aws:rep:deleting"
    assert shown_name(Selection(), name) is None
    assert shown_name(Selection(include=(read_path(name),)), name) == name
