"""Events of an event type that shows a part of the item, against the reference."""

import json
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from consumer.core.event.event import (
    Crossing,
    Event,
    EventFormat,
    Layout,
    Unbuildable,
    Withheld,
)
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.event.transcode import Transcoder
from consumer.core.stream.page import decode_page
from consumer.core.stream.record import StreamRecord
from tests.benchmarks.records import STREAM_ARN
from tests.reference import seeing
from tests.reference import transcode as reference
from tests.reference.records import edited_members, record_of, rescaled_items
from tests.reference.selections import deep_items, few_names, selections_of
from tests.reference.shapes import eager_shapes

Json = Any

FORMAT = EventFormat("order", ("id",), patch_field="<patch>", change_field="<change>")
NESTED = replace(FORMAT, layout=Layout.NESTED)


def read(wire: Json) -> StreamRecord:
    text = json.dumps({"Records": [wire]}, separators=(",", ":"), ensure_ascii=False).encode()
    (record,) = decode_page(text).records
    assert isinstance(record, StreamRecord)
    return record


def selected(selection: Selection, form: EventFormat = FORMAT) -> Transcoder:
    return Transcoder(replace(form, selection=selection), STREAM_ARN, eager_shapes())


@st.composite
def some_changes(draw: st.DrawFn) -> Json:
    """A record; a MODIFY half of the time changes some scalars only."""
    old = draw(deep_items)
    name = draw(st.sampled_from(("INSERT", "MODIFY", "MODIFY", "MODIFY", "REMOVE")))
    if name != "MODIFY":
        return record_of(name, old, None) if name == "REMOVE" else record_of(name, None, old)
    edit = st.one_of(rescaled_items(old), edited_members(old, few_names))
    return record_of(name, old, draw(edit) or draw(deep_items))


@given(st.data(), st.sampled_from((FORMAT, NESTED, replace(FORMAT, patch=False))))
def test_an_event_shows_what_the_reference_shows(data: st.DataObject, form: EventFormat) -> None:
    wire = data.draw(some_changes())
    images = [
        wire["dynamodb"][name] for name in ("OldImage", "NewImage") if name in wire["dynamodb"]
    ]
    selection = data.draw(selections_of(*images))
    transcoder, record = selected(selection, form), read(wire)
    cold, _, warm = (transcoder.event_of(record) for _ in range(3))
    assert warm == cold
    told, *before = reversed(images)
    try:
        item = reference.item_of(seeing.shown_item(told, selection))
    except ValueError:
        assert isinstance(cold, Unbuildable)
        assert cold.reason == "reserved_attribute"
        return
    assert isinstance(cold, Event)
    body = reference.parse_strictly(cold.body)
    found = body["data"]
    patch, change = found.pop("<patch>", None), found.pop("<change>")
    found = found["item"] if form.layout is Layout.NESTED else found
    assert found == item
    assert [*found] == [*item]
    assert ("patch_omitted" in change) is (patch is None and form.patch and bool(before))
    try:
        old = reference.item_of(seeing.shown_item(before[0], selection)) if before else None
    except ValueError:
        assert patch is None
        return
    (unchanged,) = transcoder.events_if_changed([(record, None)])
    assert (unchanged is Withheld.UNCHANGED) is (old is not None and old == item)
    if patch is not None:
        assert jsonpatch.JsonPatch(patch).apply(old) == item


@given(st.data(), st.sampled_from(Crossing))
def test_an_item_that_enters_or_leaves_is_shown_like_any_other(
    data: st.DataObject, crossing: Crossing
) -> None:
    old, new = data.draw(deep_items), data.draw(deep_items)
    selection = data.draw(selections_of(old, new))
    told = old if crossing is Crossing.LEFT else new
    change = (read(record_of("MODIFY", old, new)), crossing)
    (made,) = selected(selection).events_if_changed([change])
    try:
        item = reference.item_of(seeing.shown_item(told, selection))
    except ValueError:
        assert isinstance(made, Unbuildable)
    else:
        assert isinstance(made, Event)
        found = reference.parse_strictly(made.body)["data"]
        assert found.pop("<change>")[crossing.value]
        assert found == item


@given(st.data())
def test_what_one_selection_has_learned_changes_no_byte_of_another(data: st.DataObject) -> None:
    wire = data.draw(some_changes())
    shapes, item = (
        eager_shapes(),
        next(iter(wire["dynamodb"][k] for k in ("NewImage", "OldImage") if k in wire["dynamodb"])),
    )
    chosen = [None, *data.draw(st.lists(selections_of(item), min_size=2, max_size=3))]
    formats = [replace(FORMAT, selection=selection) for selection in chosen]
    together = [Transcoder(form, STREAM_ARN, shapes) for form in formats]
    for _ in range(3):
        found = [each.event_of(read(wire)) for each in together]
    assert found == [
        Transcoder(form, STREAM_ARN, eager_shapes()).event_of(read(wire)) for form in formats
    ]


CARD = {"card": {"S": "4711"}, "sku": {"S": "a"}}
WITHOUT_CARD = Selection(exclude=(read_path("lines.card"), read_path("secret")))


def made_of(old: Json, new: Json, selection: Selection = WITHOUT_CARD) -> Event:
    transcoder = selected(selection)
    for _ in range(3):
        made = transcoder.event_of(read(record_of("MODIFY", old, new)))
    assert isinstance(made, Event)
    return made


def test_the_bytes_of_an_update_that_replaces_a_list() -> None:
    def item(sku: str, secret: Json) -> Json:
        lines = [{"M": CARD | {"sku": {"S": sku + number}}} for number in "12"]
        return {"id": {"S": "1"}, "lines": {"L": lines}, "secret": secret}

    assert made_of(item("a", {"S": "4711"}), item("b", {"N": "4711"})).body.endswith(
        b'"data":{"id":"1","lines":[{"sku":"b1"},{"sku":"b2"}],'
        b'"<patch>":[{"op":"replace","path":"/lines","value":[{"sku":"b1"},{"sku":"b2"}]}],'
        b'"<change>":{"sequence":"0000000000000000400000000000000499660041",'
        b'"stream":"2026-11-01T00:00:00.000"}}}'
    )


def test_a_renamed_attribute_has_its_new_name_in_the_patch() -> None:
    old, new = ({"id": {"S": "1"}, "pk": {"M": {"a": {"N": digit}}}} for digit in "12")
    body = json.loads(made_of(old, new, Selection(rename=(("pk", "order"),))).body)
    assert body["data"]["order"] == {"a": 2}
    assert body["data"]["<patch>"] == [{"op": "replace", "path": "/order/a", "value": 2}]


@pytest.mark.parametrize("form", [FORMAT, NESTED])
def test_an_item_of_which_nothing_is_shown_is_an_event_all_the_same(form: EventFormat) -> None:
    transcoder = selected(Selection(include=(read_path("x"),)), form)
    for wire in (
        record_of("MODIFY", {"id": {"S": "1"}}, {"id": {"S": "2"}}),
        record_of("INSERT", None, {"id": {"S": "1"}}),
        record_of("REMOVE"),
    ):
        for _ in range(3):
            made = transcoder.event_of(read(wire))
            assert isinstance(made, Event)
            data = json.loads(made.body)["data"]
            del data["<change>"]
            assert data.get("item", {}) == {}
            assert data.get("<patch>", []) == []


def test_a_reserved_name_that_is_left_out_or_renamed_collides_with_nothing() -> None:
    item = {"id": {"S": "1"}, "<patch>": {"S": "p"}, "<change>": {"S": "c"}}
    shown = Selection(exclude=(read_path("<patch>"),), rename=(("<change>", "c"),))
    assert json.loads(made_of(item, item, shown).body)["data"]["c"] == "c"
    made = selected(Selection()).event_of(read(record_of("INSERT", None, item)))
    assert isinstance(made, Unbuildable)
    assert (made.reason, "<patch>" in made.detail) == ("reserved_attribute", True)


def test_after_an_item_that_was_no_event_there_is_no_patch() -> None:
    """Else the change that mends it could not be published either."""
    renamed = Selection(rename=(("pk", "id"),))
    old, new = {"id": {"S": "1"}, "pk": {"S": "2"}}, {"pk": {"S": "2"}}
    body = json.loads(made_of(old, new, renamed).body)
    assert "<patch>" not in body["data"]
    assert body["data"]["<change>"]["patch_omitted"] is True
    change = (read(record_of("MODIFY", old, new)), None)
    (made,) = selected(renamed).events_if_changed([change])
    assert isinstance(made, Event)


def test_what_cannot_be_made_keeps_of_its_record_what_is_shown() -> None:
    wire = record_of("INSERT", None, {"id": {"S": "1"}, "secret": {"S": "4711"}, "n": {"N": "01"}})
    transcoder = selected(WITHOUT_CARD)
    for made in (transcoder.event_of(read(wire)), transcoder.unanswered(read(wire), "why")):
        assert isinstance(made, Unbuildable)
        del wire["dynamodb"]["NewImage"]["secret"]
        assert json.loads(made.record or b"") == wire
        wire["dynamodb"]["NewImage"]["secret"] = {"S": "4711"}
    (broken,) = decode_page(b'{"Records":[{"eventID":"4711"}]}').records
    kept = transcoder.event_of(broken)
    assert isinstance(kept, Unbuildable)
    assert kept.unreadable  # a letter keeps nothing of it: tests/unit/core/dead_letters


def test_the_eid_of_a_route_is_made_of_its_event_type_too() -> None:
    record = read(record_of("INSERT", None, {"id": {"S": "1"}}))
    eids = set()
    for event_type in (None, "a", "b"):
        form = replace(FORMAT, eid_event_type=event_type)
        made = Transcoder(form, STREAM_ARN, eager_shapes()).event_of(record)
        assert isinstance(made, Event)
        assert json.loads(made.body)["metadata"]["eid"] == made.eid
        eids.add(made.eid)
    assert len(eids) == 3


def test_a_key_that_is_known_is_not_looked_for() -> None:
    record = read(record_of("INSERT", None, {"id": {"S": "1"}}))
    form = replace(FORMAT, ordering_key=("gone",))
    made = Transcoder(form, STREAM_ARN, eager_shapes()).event_of(record, key='["x"]')
    assert isinstance(made, Event)
    assert made.ordering_key == '["x"]'
