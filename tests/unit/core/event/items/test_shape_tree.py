"""The tree of shapes: it finds the shape of an item among several, and takes no other item."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.event.items.item_shape import Shape, shape_of
from consumer.core.event.items.plain_gaps import split
from consumer.core.event.items.shape_tree import (
    SHAPES_TOGETHER,
    STEPS_BYTES,
    ShapeTree,
    fit_together,
)
from tests.reference.records import Json, items, rescaled_items


def raw(image: Json) -> bytes:
    return json.dumps(image, separators=(",", ":"), ensure_ascii=False).encode()


def shape(image: Json) -> Shape:
    found = shape_of(split(raw(image)))
    assert found is not None
    return found


ORDER: Json = {"id": {"S": "1"}, "type": {"S": "order"}, "total": {"N": "1"}}
OTHERS: list[Json] = [
    {**ORDER, "note": {"S": "x"}},  # begins as an order does, and goes on
    {"id": {"S": "1"}, "type": {"S": "order"}, "total": {"S": "1"}},
    {"id": {"S": "1"}, "type": {"S": "order"}, "totals": {"L": [{"N": "1"}]}},
    {"id": {"S": "1"}, "type": {"M": {"total": {"N": "1"}}}},
    {"number": {"N": "1"}, "is_new": {"BOOL": True}, "tags": {"SS": ["a"]}},
]


def test_each_item_has_the_shape_that_it_has_by_itself() -> None:
    images = [ORDER, *OTHERS]
    shapes = [shape(image) for image in images]
    tree = ShapeTree(shapes)
    for image, its in zip(images, shapes, strict=True):
        assert tree.find(raw(image)) is its
    assert sorted(map(id, tree.shapes)) == sorted(map(id, shapes))
    assert tree.weight > sum(each.weight for each in shapes)


@pytest.mark.parametrize("shapes", [[ORDER], [ORDER, *OTHERS]])
@pytest.mark.parametrize(
    "other",
    [
        {"id": {"S": "1"}, "type": {"S": "order"}, "total": {"N": "1"}, "more": {"S": "x"}},
        {"id": {"S": "1"}, "type": {"S": "order"}, "total": {"BOOL": True}},
        {"id": {"S": "1"}, "type": {"S": "order"}},
        {"type": {"S": "order"}, "id": {"S": "1"}, "total": {"N": "1"}},
        {},
    ],
)
def test_an_item_of_no_shape_is_not_taken(shapes: list[Json], other: Json) -> None:
    found = ShapeTree([shape(image) for image in shapes]).find(raw(other))
    assert found is None or found.scalars(raw(other)) is None


def test_a_tree_of_no_shapes_finds_none() -> None:
    tree = ShapeTree(())
    assert tree.find(raw(ORDER)) is None
    assert (tree.shapes, tree.weight) == ([], 0)


def test_a_gap_that_begins_another_does_not_hide_it() -> None:
    scalar: Json = {"a": {"S": "x"}}
    nested: Json = {"a": {"M": {}}}
    for images in ((scalar, nested), (nested, scalar)):
        shapes = [shape(image) for image in images]
        tree = ShapeTree(shapes)
        for image, its in zip(images, shapes, strict=True):
            assert tree.find(raw(image)) is its


@given(st.data())
def test_what_is_found_is_the_shape_that_the_item_has(data: st.DataObject) -> None:
    drawn = data.draw(st.lists(items, min_size=1, max_size=5))
    found = [shape_of(split(raw(image))) for image in drawn]
    shapes = {each.steps: each for each in found if each is not None}
    if not shapes:
        return
    tree = ShapeTree([*shapes.values()])
    for image in drawn:
        text = raw(data.draw(rescaled_items(image)))
        theirs = [each for each in shapes.values() if each.scalars(text) is not None]
        assert theirs in ([], [tree.find(text)])


def test_a_tree_is_limited() -> None:
    few = shape(ORDER)
    assert fit_together([few] * SHAPES_TOGETHER)
    assert not fit_together([few] * (SHAPES_TOGETHER + 1))
    large = shape({f"{number}": {"S": "x"} for number in range(200)})
    size = sum(map(len, large.steps))
    assert fit_together([large] * (STEPS_BYTES // size))
    assert not fit_together([large] * (STEPS_BYTES // size + 1))
    assert STEPS_BYTES // size < SHAPES_TOGETHER
