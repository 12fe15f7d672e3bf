"""The map in an item that is the event."""

import json
from typing import Any

import pytest
from hypothesis import given
from msgspec import Raw

from consumer.core.event.malformed import MalformedItem
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.business_body import body_members, seen_text
from consumer.core.event.selection.seen_json import joined
from consumer.core.event.selection.selection import Selection
from consumer.core.event.selection.selector import Part, Selector
from tests.reference.records import items
from tests.reference.transcode import item_of, parse_strictly

Json = Any
WITHOUT_CARD = Selector(Selection(exclude=(read_path("payload.card"),)))
ONLY_SKU = Selector(Selection(include=(read_path("payload.lines.sku"),)))


def raw(value: Json) -> Raw:
    return Raw(json.dumps(value, ensure_ascii=False).encode())


def body(payload: Json, selector: Selector | None = None) -> Json:
    members = body_members(raw({"id": {"S": "1"}, "payload": payload}), "payload", selector)
    return parse_strictly(b"{%b}" % joined(members))


@given(items)
def test_a_map_is_the_event_as_an_item_would_be(item: Json) -> None:
    assert body({"M": item}) == item_of(item)


def test_a_string_is_the_event_that_it_holds() -> None:
    assert body({"S": '{"a": {"b": ["x"]}}'}) == {"a": {"b": ["x"]}}


@pytest.mark.parametrize("payload", [{"M": {"card": {"S": "x"}, "a": {"S": "y"}}}, {"S": ""}])
def test_what_is_not_shown_is_not_in_it(payload: Json) -> None:
    if "S" in payload:
        payload = {"S": '{"card":"x","a":"y"}'}
    assert body(payload, WITHOUT_CARD) == {"a": "y"}
    assert body(payload, ONLY_SKU) == {}


@pytest.mark.parametrize(
    "payload",
    [
        *({"N": "4711"}, {"S": "4711"}, {"L": [{"S": "4711"}]}, {"M": {}, "S": "4711"}),
        *({"S": 4711}, {"M": "4711"}, {"M": {"a": {"N": "4711x"}}}, {"SS": ["4711"]}, {}),
    ],
)
@pytest.mark.parametrize("selector", [None, WITHOUT_CARD, ONLY_SKU])
def test_anything_else_is_malformed(payload: Json, selector: Selector | None) -> None:
    if selector is ONLY_SKU and "M" in payload and payload["M"] != "4711" and len(payload) == 1:
        return  # the malformed member is not shown
    with pytest.raises(MalformedItem, match="attribute 'payload'") as caught:
        body(payload, selector)
    assert "4711" not in str(caught.value)


@pytest.mark.parametrize("hidden", [Selection(exclude=(read_path("payload"),)), None])
def test_a_body_that_is_absent_or_not_shown_is_malformed(hidden: Selection | None) -> None:
    with pytest.raises(MalformedItem, match="'payload'"):
        body_members(
            raw({"payload": {"M": {}}} if hidden else {"id": {"S": "1"}}),
            "payload",
            None if hidden is None else Selector(hidden),
        )


def test_the_text_of_a_body_less_what_is_not_shown() -> None:
    part = Part({"card": False}, others=True)
    seen = seen_text(raw({"S": '{"card":"x","a":"\\"é"}'}), part)
    assert json.loads(json.loads(bytes(seen))["S"]) == {"a": '"é'}
    assert seen_text(Raw(b'{"M":{}}'), part) == Raw(b'{"M":{}}')
    with pytest.raises(MalformedItem):
        seen_text(raw({"S": 7}), part)
