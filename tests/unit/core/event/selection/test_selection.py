"""Names under which attributes are shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.event.selection.attribute_path import AttributePath, read_path
from consumer.core.event.selection.selection import REPLICATION, Selection, less
from tests.reference import seeing
from tests.reference.selections import deep_items, selections_of


@given(st.data())
def test_an_attribute_of_the_reference_can_be_shown(data: st.DataObject) -> None:
    item = data.draw(deep_items)
    selection = data.draw(selections_of(item))
    seen = seeing.seen_item(item, selection)
    for name in item:
        if not selection.shows(name):
            assert name not in seen  # the other way round it may be no map, and not be shown
    scalars = {name: {"S": "x"} for name in item}
    shown = seeing.seen_item(scalars, selection)
    assert [*shown] == [name for name in scalars if selection.shows_key(name)]


@pytest.mark.parametrize(
    ("selection", "shown", "as_key", "leaves_out"),
    [
        (Selection(), True, True, True),
        (Selection(replication=True), True, True, False),
        (Selection(rename=(("a", "b"),), replication=True), True, True, False),
        (Selection(exclude=(read_path("a"),), replication=True), False, False, True),
        (Selection(exclude=(read_path("a.b"),)), True, True, True),
        (Selection(include=(read_path("a.b"),), replication=True), True, False, True),
        (Selection(include=(read_path("a.b"), read_path("a"))), True, True, True),
        (Selection(include=(read_path("b"),)), False, False, True),
    ],
)
def test_what_is_shown_of_one(
    selection: Selection, *, shown: bool, as_key: bool, leaves_out: bool
) -> None:
    assert selection.shows("a") is shown
    assert selection.shows_key("a") is as_key
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


def test_replication_is_shown_only_if_it_is_included_or_wanted() -> None:
    name = f"{REPLICATION}deleting"
    assert not Selection().shows(name)
    assert Selection(replication=True).shows(name)
    assert Selection(include=(read_path(name),)).shows(name)


def test_attributes_are_left_out_too() -> None:
    shown = Selection(include=(read_path("a"), read_path("b")), exclude=(read_path("b.c"),))
    assert less(shown, ()) is shown
    assert less(None, ()) is None
    assert less(shown, ("a.b",)) == Selection(
        include=shown.include, exclude=(read_path("b.c"), AttributePath(("a.b",)))
    )
    whole = less(None, ("a",))
    assert whole == Selection(exclude=(read_path("a"),), replication=True)
