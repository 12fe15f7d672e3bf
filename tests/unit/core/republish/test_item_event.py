"""The bytes of an S and a D: those of the transcoder, but for operation, eid and change."""

import json
import uuid
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from consumer.core.event.event import (
    TOUCH_ATTRIBUTE,
    Event,
    EventFormat,
    Layout,
    MetadataSources,
    Unbuildable,
)
from consumer.core.event.items.shapes import Shapes
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.event.transcode import Transcoder
from consumer.core.republish.item_event import ItemEventMaker, Refusal
from consumer.core.republish.item_record import ItemRecords
from consumer.core.republish.table.read_item import ReadItem
from tests.reference.selections import deep_items, selections_of
from tests.unit.core.republish.items import AT, LABEL, RUN, STREAM_ARN, TABLE_ARN, gone, there, wire

FORMAT = EventFormat("order", ("id",))
NESTED = replace(FORMAT, layout=Layout.NESTED, change_field="<c>")
ITEM = {"id": {"S": "o-1"}, "tags": {"SS": ["b", "a"]}, "n": {"N": "7.50"}}


def made(item: ReadItem, form: EventFormat = FORMAT) -> Event | Refusal:
    return ItemEventMaker("order", form, RUN, Shapes()).event_of(item)


def event_of(item: ReadItem, form: EventFormat = FORMAT) -> Event:
    found = made(item, form)
    assert isinstance(found, Event), found
    return found


def body_of(item: ReadItem, form: EventFormat = FORMAT) -> Any:
    return json.loads(event_of(item, form).body)


def test_the_members_of_an_s() -> None:
    found = event_of(there(ITEM))
    assert json.loads(found.body) == {
        "metadata": {"eid": found.eid, "occurred_at": "2026-11-01T09:30:00.500Z"},
        "data_type": "order",
        "data_op": "S",
        "data": {
            "id": "o-1",
            "tags": ["a", "b"],
            "n": 7.5,
            "change": {"sequence": "0" * 40, "stream": LABEL, "snapshot": "run-1"},
        },
    }
    assert (found.sequence, found.ordering_key, found.created_at) == (0, '["o-1"]', AT)
    assert b'"n":7.50,' in found.body


def test_the_prefix_of_the_settings_stands_before_the_label() -> None:
    found = body_of(there(ITEM), replace(FORMAT, stream_prefix="b-"))
    assert found["data"]["change"]["stream"] == f"b-{LABEL}"


def test_only_what_was_read_twice_says_when() -> None:
    assert (
        body_of(there(ITEM, twice=True))["data"]["change"]["read_at"] == "2026-11-01T09:30:00.500Z"
    )
    assert (
        body_of(gone("o-1", twice=True))["data"]["change"]["read_at"] == "2026-11-01T09:30:00.500Z"
    )


def test_what_is_gone_is_a_d_with_the_last_image_or_its_keys() -> None:
    assert body_of(gone("o-1"))["data_op"] == "D"
    assert [*body_of(gone("o-1"))["data"]] == ["id", "change"]
    assert [*body_of(gone("o-1", ITEM))["data"]] == ["id", "tags", "n", "change"]


@given(deep_items, st.data(), st.sampled_from((FORMAT, NESTED)))
def test_all_else_is_what_the_transcoder_makes_of_its_insert(
    item: Any, data: st.DataObject, form: EventFormat
) -> None:
    selection = data.draw(st.one_of(st.none(), selections_of(item)))
    chosen = replace(form, selection=selection)
    read = there({**item, "id": {"S": "o-1"}}, twice=data.draw(st.booleans()))
    read = data.draw(st.sampled_from((read, replace(read, item=None, last_image=read.item))))
    record = ItemRecords(STREAM_ARN).record_of(read)
    expected = Transcoder(chosen, STREAM_ARN, Shapes()).event_of(record)
    found = made(read, chosen)
    if isinstance(expected, Unbuildable):
        assert isinstance(found, Refusal)
        assert (found.reason, found.detail) == (expected.reason, expected.detail)
        return
    assert isinstance(found, Event)
    assert found.ordering_key == expected.ordering_key
    change = b'"%b":{"sequence":"' % chosen.change_field.encode()
    head, _, _ = found.body.rpartition(change)
    its_head, _, _ = expected.body.rpartition(change)
    operation = b"D" if read.item is None else b"C"
    its_head = its_head.replace(expected.eid.encode(), found.eid.encode(), 1)
    assert head.replace(b'"data_op":"S"', b'"data_op":"C"', 1) == its_head
    assert b'"data_op":"%b"' % operation in its_head


def test_the_eid_follows_from_run_key_and_what_is_shown() -> None:
    item = b'{"id":{"S":"o-1"},"n":{"N":"7.50"},"tags":{"SS":["a","b"]}}'
    name = '{"id":{"S":"o-1"}}' + sha256(item).hexdigest()
    space = uuid.uuid5(uuid.NAMESPACE_URL, TABLE_ARN + "run-1")
    assert event_of(there(ITEM)).eid == str(uuid.uuid5(space, name))
    routed = replace(FORMAT, eid_event_type="shop.order")
    assert event_of(there(ITEM), routed).eid == str(uuid.uuid5(space, f"{name}\nshop.order"))


def test_the_eid_of_an_unchanged_item_is_the_same_at_any_time() -> None:
    before = event_of(there(ITEM)).eid
    other_order = {"n": {"N": "7.50"}, "tags": {"SS": ["a", "b"]}, "id": {"S": "o-1"}}
    assert event_of(there(other_order, read_at=AT + 60, twice=True)).eid == before
    assert event_of(there({**ITEM, "n": {"N": "8"}})).eid != before
    two = ({"id": {"S": "o-1"}, "sk": {"S": sort}} for sort in "ab")
    hidden = replace(FORMAT, selection=Selection(exclude=(read_path("sk"),)))
    assert len({event_of(there(keys, keys), hidden).eid for keys in two}) == 2


def test_metadata_of_the_item_is_that_of_its_insert() -> None:
    eid = "5d8f3a66-0000-4000-8000-000000000001"
    form = replace(FORMAT, metadata=MetadataSources(eid="e", flow_id="f"))
    item = there({"id": {"S": "o-1"}, "e": {"S": eid}, "f": {"S": "flow"}})
    found = body_of(item, form)
    assert found["metadata"] == {
        "eid": eid, "occurred_at": "2026-11-01T09:30:00.500Z", "flow_id": "flow",
    }  # fmt: skip
    assert [*found["data"]] == ["id", "change"]
    assert [*body_of(gone("o-1", {"id": {"S": "o-1"}, "f": {"S": "x"}}), form)["metadata"]] == [
        "eid",
        "occurred_at",
    ]
    assert event_of(there({"id": {"S": "o-1"}, "f": {"N": "7"}}), form).left_out == 1


@pytest.mark.parametrize(
    ("item", "form", "reason"),
    [
        ({"id": {"S": "1"}, "change": {"S": "x"}}, FORMAT, "reserved_attribute"),
        ({"id": {"S": "1"}, "a": {"X": "x"}}, FORMAT, "malformed_record"),
        ({"id": {"S": "1"}, "a": {"S": "x" * 99}}, replace(FORMAT, event_bytes=99), "too_large"),
        ({"id": {"M": {}}}, FORMAT, "malformed_record"),
        ({"id": {"S": "1"}}, EventFormat("order", ("id", "sk")), "malformed_record"),
    ],
)
def test_an_item_of_which_there_can_be_no_event_is_refused(
    item: Any, form: EventFormat, reason: str
) -> None:
    found = made(there(item), form)
    assert isinstance(found, Refusal)
    assert (found.event_type, found.reason) == ("order", reason)


def test_an_item_that_is_too_deep_or_empty_is_refused() -> None:
    deep = wire({"id": {"S": "1"}})
    text = b'{"id":{"S":"1"},"a":' + b'{"M":{"a":' * 5000 + b'{"S":""}' + b"}}" * 5000 + b"}"
    found = made(ReadItem(deep, wire(0).__class__(text), AT))
    assert found == Refusal("order", "malformed_record", "its item is nested too deeply")
    assert isinstance(made(ReadItem(deep, wire({}), AT)), Refusal)


def test_what_is_shown_has_the_metadata_and_nothing_that_is_left_out() -> None:
    form = replace(
        FORMAT,
        selection=Selection(exclude=(read_path("n"),)),
        metadata=MetadataSources(flow_id="f"),
    )
    maker = ItemEventMaker("order", form, RUN, Shapes())
    shown = {
        maker.shown(there({**ITEM, **more}))
        for more in ({}, {"n": {"N": "8"}}, {"f": {"S": "x"}}, {"f": {"S": "y"}}, {"q": {"S": ""}})
    }
    assert len(shown) == 4
    assert ItemEventMaker("order", FORMAT, RUN, Shapes()).shown(there(ITEM)).startswith(b'{"id"')


def test_the_touch_attribute_is_in_no_event_of_what_was_read() -> None:
    touched = {**ITEM, TOUCH_ATTRIBUTE: {"S": "tOuChEd"}}
    moved = replace(FORMAT, metadata=MetadataSources(flow_id=TOUCH_ATTRIBUTE))
    for form in (FORMAT, moved):
        maker = ItemEventMaker("order", form, RUN, Shapes())
        marked = maker.event_of(there(touched))
        assert marked == maker.event_of(there(ITEM))  # with the same eid: the item is unchanged
        assert isinstance(marked, Event)
        assert maker.shown(there(touched)) == maker.shown(there(ITEM))
        last = ReadItem(wire({"id": ITEM["id"]}), None, AT, last_image=wire(touched))
        deleted = maker.event_of(last)
        assert isinstance(deleted, Event)
        for body in (marked.body, deleted.body):
            assert TOUCH_ATTRIBUTE.encode() not in body
            assert b"tOuChEd" not in body
