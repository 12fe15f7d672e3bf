"""What a selector leaves of images, against the reference, and in the cases that are promised."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from consumer.core.event.attribute import decode_members
from consumer.core.event.malformed import MalformedItem, ReservedAttribute
from consumer.core.event.selection.attribute_path import AttributePath, read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.event.selection.selector import Selector, members_text
from tests.reference import seeing
from tests.reference.selections import deep_items, selections_of

Json = Any


def raw(image: Json) -> Raw:
    return Raw(json.dumps(image, ensure_ascii=False).encode())


def shown(image: Json, selection: Selection) -> Json:
    return json.loads(members_text(Selector(selection).shown(decode_members(raw(image)))))


def paths(*texts: str) -> tuple[AttributePath, ...]:
    return tuple(map(read_path, texts))


@given(st.data())
def test_it_shows_what_the_reference_shows(data: st.DataObject) -> None:
    item = data.draw(deep_items)
    selection = data.draw(selections_of(item))
    selector, members = Selector(selection), decode_members(raw(item))
    assert json.loads(members_text(selector.seen(members))) == seeing.seen_item(item, selection)
    try:
        expected = seeing.shown_item(item, selection)
    except ValueError:
        with pytest.raises(ReservedAttribute):
            selector.shown(members)
    else:
        found = json.loads(members_text(selector.shown(members)))
        assert found == expected
        assert [*found] == [*expected]


def s(text: str) -> Json:
    return {"S": text}


CARD = {"M": {"card": s("4711"), "sku": s("a")}}
SKU = {"M": {"sku": s("a")}}


@pytest.mark.parametrize(
    ("selection", "before", "after"),
    [
        (Selection(exclude=paths("a.b")), {"a": {"M": {"b": s("x")}}}, {"a": {"M": {}}}),
        (Selection(exclude=paths("a.b")), {"a": s("x"), "c": s("y")}, {"a": s("x"), "c": s("y")}),
        (Selection(exclude=paths("/a.b")), {"a.b": s("x"), "a": SKU}, {"a": SKU}),
        (
            Selection(exclude=paths("lines.card")),
            {"lines": {"L": [CARD, s("x"), {"L": [CARD]}, {"M": {"card": CARD}}]}},
            {"lines": {"L": [SKU, s("x"), {"L": [SKU]}, {"M": {}}]}},
        ),
        (Selection(include=paths("a.sku")), {"a": CARD, "b": s("x")}, {"a": SKU}),
        (Selection(include=paths("a.sku")), {"a": s("x")}, {}),
        (Selection(include=paths("a.sku")), {"a": {"L": [CARD, s("x")]}}, {}),
        (
            Selection(include=paths("a.sku")),
            {"a": {"L": [CARD, {"L": [CARD, {"M": {}}]}]}},
            {"a": {"L": [SKU, {"L": [SKU, {"M": {}}]}]}},
        ),
        (Selection(include=paths("a.b.c")), {"a": {"M": {"b": s("x")}}}, {"a": {"M": {}}}),
        (
            Selection(include=paths("a.b.c")),
            {"a": {"M": {"b": {"M": {"c": s("x"), "d": s("y")}}}}},
            {"a": {"M": {"b": {"M": {"c": s("x")}}}}},
        ),
        (Selection(include=paths("a", "a.sku")), {"a": CARD}, {"a": CARD}),
        (
            Selection(include=paths("a"), exclude=paths("a.card")),
            {"a": CARD, "b": CARD},
            {"a": SKU},
        ),
        (Selection(include=paths("a.card"), exclude=paths("a")), {"a": CARD}, {}),
        (
            Selection(rename=(("a", "b"), ("b", "a"))),
            {"a": s("1"), "b": s("2")},
            {"b": s("1"), "a": s("2")},
        ),
        (
            Selection(exclude=paths("b"), rename=(("a", "b"),)),
            {"a": s("1"), "b": SKU},
            {"b": s("1")},
        ),
        (Selection(), {"aws:rep:deleting": s("x"), "a": SKU}, {"a": SKU}),
        (Selection(replication=True), {"aws:rep:deleting": s("x")}, {"aws:rep:deleting": s("x")}),
        (
            Selection(include=paths("aws:rep:deleting")),
            {"aws:rep:deleting": s("x"), "aws:rep:updatetime": s("y")},
            {"aws:rep:deleting": s("x")},
        ),
    ],
)
def test_what_is_promised(selection: Selection, before: Json, after: Json) -> None:
    assert shown(before, selection) == after
    assert seeing.shown_item(before, selection) == after


def test_two_attributes_under_one_name_are_both_named() -> None:
    item = {"pk": s("secret"), "order_id": s("x")}
    with pytest.raises(ReservedAttribute, match="'pk' and 'order_id'") as caught:
        shown(item, Selection(rename=(("pk", "order_id"),)))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    ['{"M":7}', '{"L":{"S":"x"}}', '{"S":{"b":{"S":"x"}}}', '{"M":{"b":{}},"S":"x"}', '{"X":"b"}'],
)
def test_what_may_hide_something_unreadable_is_not_shown(value: str) -> None:
    members = decode_members(Raw(b'{"a":%b}' % value.encode()))
    with pytest.raises(MalformedItem, match="attribute 'a'"):
        Selector(Selection(exclude=paths("a.b"))).seen(members)


def test_text_is_copied() -> None:
    text = b'{"a":{"M":{"b":{"N":"1.50"},"c":{"S":"\\u00e9\\/"},"d":{"S":"x"}}}}'
    seen = Selector(Selection(exclude=paths("a.d"))).seen(decode_members(Raw(text)))
    assert bytes(seen["a"]) == b'{"M":{"b":{"N":"1.50"},"c":{"S":"\\u00e9\\/"}}}'


@given(st.data(), deep_items)
def test_what_is_soon_said_to_be_shown_whole_is(data: st.DataObject, image: Json) -> None:
    selection = data.draw(selections_of(image, image))
    if selection is not None and Selector(selection).shows_all_of(decode_members(raw(image))):
        assert shown(image, selection) == image


def test_an_image_without_the_attributes_that_are_left_out_is_shown_whole() -> None:
    image = decode_members(raw({"a": {"S": "x"}}))
    whole = Selection(exclude=paths("b"), replication=True)
    assert Selector(whole).shows_all_of(image)
    assert not Selector(Selection(exclude=paths("a"), replication=True)).shows_all_of(image)
    assert not Selector(Selection(exclude=paths("b"))).shows_all_of(image)  # it may be aws:rep:
    assert not Selector(Selection(include=paths("a"), replication=True)).shows_all_of(image)
    renamed = Selection(rename=(("a", "b"),), replication=True)
    assert not Selector(renamed).shows_all_of(image)
