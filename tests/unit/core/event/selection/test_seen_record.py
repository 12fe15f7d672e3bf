"""Records as dead letters keep them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from consumer.core.event.event import TOUCH_ATTRIBUTE, Category, EventFormat, MetadataSources
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.seen_record import seen_record
from consumer.core.event.selection.selection import Selection
from consumer.core.stream.record import TOUCHED
from tests.reference import seeing
from tests.reference.records import record_of
from tests.reference.selections import deep_items, selections_of

Json = Any

FORMAT = EventFormat("order", ("id",))
WITHOUT = replace(FORMAT, selection=Selection(exclude=(read_path("a"), read_path("id"))))


def seen(wire: Json, form: EventFormat) -> Json:
    return json.loads(seen_record(json.dumps(wire).encode(), form))


@given(st.data())
def test_it_is_the_record_less_what_is_not_shown(data: st.DataObject) -> None:
    old, new = data.draw(deep_items), data.draw(deep_items)
    names = st.none() | st.sampled_from(sorted({*old, *new}) or ["a"])
    moved = MetadataSources(eid=data.draw(names), flow_id=data.draw(names))
    form = replace(FORMAT, selection=data.draw(selections_of(old, new)), metadata=moved)
    for wire in (record_of("MODIFY", old, new), record_of("INSERT", None, new)):
        assert seen(wire, form) == seeing.seen_record(wire, form)


def test_keys_are_left_out_too_and_names_stay() -> None:
    item = {"id": {"S": "o-4711"}, "a": {"S": "x"}, "b": {"S": "y"}}
    form = replace(
        WITHOUT, selection=replace(WITHOUT.selection or Selection(), rename=(("b", "c"),))
    )
    change = seen(record_of("REMOVE", item), form)["dynamodb"]
    assert (change["Keys"], change["OldImage"]) == ({}, {"b": {"S": "y"}})


@pytest.mark.parametrize("selection", [None, Selection(replication=True, rename=(("a", "b"),))])
def test_where_nothing_is_left_out_the_text_stays_whatever_it_is(
    selection: Selection | None,
) -> None:
    assert seen_record(b"[", replace(FORMAT, selection=selection)) == b"["


def test_members_that_are_not_known_are_not_kept() -> None:
    wire = record_of("INSERT", None, {"id": {"S": "1"}}, userIdentity=None, NewThing={"a": 1})
    wire["dynamodb"]["NewestImage"] = {"a": {"S": "x"}}
    found = seen(wire, WITHOUT)
    assert "NewThing" not in found
    assert "NewestImage" not in found["dynamodb"]
    assert "userIdentity" in found


@pytest.mark.parametrize(
    "text",
    [
        b"[",
        b"{}",
        (
            b'{"eventID":"1","eventName":"INSERT","dynamodb":{"SequenceNumber":"1","Keys":{}},'
            b'"\\ud800":"4711"}'
        ),
        b'{"eventID":"1","eventName":"INSERT","dynamodb":{"SequenceNumber":"1"}}',
        b'{"eventID":"1","eventName":"OTHER","dynamodb":{"SequenceNumber":"1","Keys":{}}}',
        b'{"eventID":"1","eventName":"INSERT","dynamodb":{"SequenceNumber":"1","Keys":"x"}}',
        (
            b'{"eventID":"1","eventName":"INSERT","dynamodb":{"SequenceNumber":"1","Keys":{},'
            b'"NewImage":["4711"]}}'
        ),
    ],
)
def test_what_cannot_be_read_is_not_kept(text: bytes) -> None:
    with pytest.raises(MalformedItem) as caught:
        seen_record(text, WITHOUT)
    assert "4711" not in str(caught.value)


def test_a_value_that_is_nested_too_deeply_is_not_kept() -> None:
    deep: Json = {"S": "x"}
    for _ in range(300):
        deep = {"L": [deep]}
    text = json.dumps(record_of("INSERT", None, {"b": deep})).encode()
    form = replace(FORMAT, selection=Selection(exclude=(read_path("b.c"),)))

    def seen_below(frames: int) -> bytes:
        return seen_below(frames - 1) if frames else seen_record(text, form)

    with pytest.raises(MalformedItem, match="nested"):
        seen_below(450)


BODY = replace(
    FORMAT,
    category=Category.BUSINESS,
    body="payload",
    selection=Selection(exclude=(read_path("payload.card"),)),
)


@pytest.mark.parametrize(
    ("payload", "kept"),
    [
        ({"S": '{"card": 4711, "lines": [1.50]}'}, {"S": '{"lines":[1.50]}'}),
        ({"M": {"card": {"N": "4711"}, "b": {"S": "x"}}}, {"M": {"b": {"S": "x"}}}),
        ({"N": "7"}, {"N": "7"}),
    ],
)
def test_what_a_body_of_text_does_not_show_is_taken_out_of_the_text(
    payload: Json, kept: Json
) -> None:
    found = seen(record_of("INSERT", None, {"payload": payload}), BODY)
    assert found["dynamodb"]["NewImage"] == {"payload": kept}


@pytest.mark.parametrize("payload", [{"S": "card 4711"}, {"S": 4711}, {"S": '["4711"]'}])
def test_a_body_that_cannot_be_read_is_not_kept(payload: Json) -> None:
    with pytest.raises(MalformedItem) as caught:
        seen(record_of("INSERT", None, {"payload": payload}), BODY)
    assert "4711" not in str(caught.value)


def test_a_body_that_is_not_shown_at_all_is_not_kept() -> None:
    form = replace(BODY, selection=Selection(exclude=(read_path("payload"),)))
    found = seen(record_of("INSERT", None, {"id": {"S": "1"}, "payload": {"S": "4711"}}), form)
    assert found["dynamodb"]["NewImage"] == {"id": {"S": "1"}}


@pytest.mark.parametrize(
    ("selection", "kept"),
    [
        (Selection(include=(read_path("b"),)), {"a", "b"}),
        (Selection(include=(read_path("b"), read_path("a.x"))), {"a", "b"}),
        (Selection(include=(read_path("b"),), exclude=(read_path("a"),)), {"b"}),
        (Selection(include=(read_path("b"),), exclude=(read_path("a.x"),)), {"b"}),
        (Selection(exclude=(read_path("a"),)), {"b", "c"}),
    ],
)
def test_what_is_moved_into_the_metadata_stays_unless_it_is_excluded(
    selection: Selection, kept: set[str]
) -> None:
    form = replace(FORMAT, selection=selection, metadata=MetadataSources(flow_id="a"))
    item = {name: {"S": "x"} for name in "abc"}
    change = seen(record_of("MODIFY", item, item), form)["dynamodb"]
    assert change["NewImage"].keys() == kept
    assert change["OldImage"].keys() == kept - ({"a"} if selection.include else set())


def test_the_touch_attribute_is_never_kept_and_a_touch_is_told() -> None:
    item = {"id": {"S": "o-4711"}, "b": {"S": "y"}}
    touched = {**item, TOUCH_ATTRIBUTE: {"S": "run"}}
    for form in (FORMAT, replace(FORMAT, metadata=MetadataSources(flow_id=TOUCH_ATTRIBUTE))):
        for wire, told in (
            (record_of("MODIFY", item, touched), {TOUCHED: True}),
            (record_of("MODIFY", touched, {**touched, "b": {"S": "z"}}), {}),
            (record_of("INSERT", None, touched), {}),
            (record_of("REMOVE", touched), {}),
        ):
            change = seen(wire, form)["dynamodb"]
            assert TOUCH_ATTRIBUTE not in json.dumps(change)
            assert {name: change[name] for name in change if name == TOUCHED} == told
    again = seen(seen(record_of("MODIFY", item, touched), FORMAT), WITHOUT)
    assert again["dynamodb"][TOUCHED] is True
