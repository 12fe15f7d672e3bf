import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from consumer.core.event.attribute import decode_item, decode_members, plain_item
from consumer.core.event.items.image import Image, read_image
from consumer.core.event.items.shapes import Shapes
from consumer.core.event.malformed import MalformedItem, ReservedAttribute
from consumer.core.event.patch import diff
from consumer.core.event.selection.selection import Selection
from consumer.core.event.selection.selector import Selector, members_text
from tests.reference.records import Json, changes, edited_members
from tests.reference.selections import deep_items, few_names, selections_of
from tests.reference.shapes import eager_shapes

ENOUGH = 10**9


def raw(image: object) -> Raw:
    return Raw(json.dumps(image, separators=(",", ":")).encode())


def read(image: object, shapes: Shapes, before: object = None) -> Image:
    result = read_image(raw(image), shapes, None if before is None else raw(before))
    assert result is not None
    return result


@given(changes())
def test_it_is_the_same_before_and_after_its_shape_is_known(change: tuple[Json, Json]) -> None:
    shapes = eager_shapes()
    patch = diff(decode_members(raw(change[0])), decode_members(raw(change[1])), ENOUGH)
    members = b",".join(plain_item(decode_item(raw(change[1]))))
    for _ in range(3):
        new = read(change[1], shapes, change[0])
        assert set(new.names) == set(change[1])
        assert new.members() == members
        assert new.patch_since(raw(change[0]), ENOUGH) == patch


@pytest.mark.parametrize("text", [None, Raw(b"{}"), Raw(b"{ }")])
def test_an_empty_image_is_none(text: Raw | None) -> None:
    shapes = eager_shapes()
    assert [read_image(text, shapes) for _ in range(3)] == [None, None, None]


def test_what_is_no_image_is_malformed() -> None:
    with pytest.raises(MalformedItem):
        read_image(Raw(b"[]"), eager_shapes())


def test_a_malformed_attribute_is_named_also_when_the_shape_is_known() -> None:
    shapes = eager_shapes()
    for number in range(3):
        good = {"a": {"N": f"9{'9' * 19}{number}"}}
        read(good, shapes).members()
    bad = read({"a": {"N": "01"}}, shapes, good)
    assert bad.shape is not None
    assert bad.before is not None
    with pytest.raises(MalformedItem, match="attribute 'a'"):
        bad.members()
    with pytest.raises(MalformedItem, match="attribute 'a'"):
        bad.patch_since(raw(good), ENOUGH)


def test_several_changes_in_a_list_are_walked() -> None:
    shapes = eager_shapes()
    old, new = ({"l": {"L": [{"S": text} for text in texts]}} for texts in ("ab", "cd"))
    for _ in range(3):
        after = read(new, shapes, old)
        after.members()
    assert after.before is not None
    patch = [b'{"op":"replace","path":"/l","value":["c","d"]}']
    assert after.patch_since(raw(old), ENOUGH) == patch


def test_a_patch_longer_than_the_limit_is_not_made() -> None:
    shapes = eager_shapes()
    old, new = ({"a": {"S": text}, "b": {"S": text}} for text in "12")
    for _ in range(3):
        after = read(new, shapes, old)
        after.members()
        patch = after.patch_since(raw(old), 80)
        assert patch is not None
        assert after.patch_since(raw(old), sum(map(len, patch)) - 1) is None
    assert after.before is not None


@given(st.data())
def test_of_an_item_that_is_shown_in_part_the_image_is_that_part(data: st.DataObject) -> None:
    old = data.draw(deep_items)
    new = data.draw(edited_members(old, few_names)) or data.draw(deep_items)
    selection = data.draw(selections_of(old, new))
    shapes, selector = eager_shapes().of(selection), Selector(selection)
    try:
        before, after = (selector.shown(decode_members(raw(image))) for image in (old, new))
    except ReservedAttribute:
        return
    members = b",".join(plain_item(decode_item(Raw(members_text(after)))))
    for _ in range(3):
        two = read(new, shapes, old)
        assert set(two.names) == set(after)
        assert two.members() == members
        assert two.patch_since(raw(old), ENOUGH) == diff(before, after, ENOUGH)


def test_an_item_of_which_nothing_is_shown_is_an_image_all_the_same() -> None:
    shapes = eager_shapes().of(Selection(include=()))
    for _ in range(3):
        image = read({"a": {"S": "x"}}, shapes)
        assert (image.members(), [*image.names]) == (b"", [])


def test_there_is_no_patch_since_an_item_that_cannot_be_shown_or_is_not_there() -> None:
    clash = eager_shapes().of(Selection(rename=(("a", "b"),)))
    for _ in range(3):
        image = read({"a": {"S": "x"}}, clash)
        image.members()
        with pytest.raises(ReservedAttribute):
            image.patch_since(raw({"a": {"S": "x"}, "b": {"S": "y"}}), ENOUGH)
        with pytest.raises(MalformedItem, match="OldImage"):
            image.patch_since(None, ENOUGH)
    assert image.shape is not None


def test_it_knows_what_it_has_also_of_what_is_hidden_once_its_shape_is_known() -> None:
    shapes = eager_shapes().of(None, "hidden")
    item = {"id": {"S": "o-1"}, "hidden": {"S": "x"}}
    for _ in range(4):
        image = read(item, shapes)
        assert image.has("hidden")
        assert image.has("id")
        assert not image.has("other")
        assert set(image.names) == {"id"}
        assert image.members() == b'"id":"o-1"'
        assert image.patch_since(raw({"id": {"S": "o-1"}}), ENOUGH) == []
    assert image.shape is not None
    with_another = read({**item, "new": {"S": "y"}}, shapes)
    (operation,) = with_another.patch_since(raw(item), ENOUGH) or []
    assert operation == b'{"op":"add","path":"/new","value":"y"}'


def test_an_item_without_what_is_hidden_is_shown_as_it_is() -> None:
    shapes = Shapes().of(None, "hidden")
    image = read({"id": {"S": "o-1"}, "b": {"N": "1"}}, shapes)
    assert image.shown is image.attributes
    assert image.members() == b'"id":"o-1","b":1'
    assert read_image(Raw(b"{}"), shapes) is None
