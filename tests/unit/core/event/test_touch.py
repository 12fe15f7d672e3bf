"""The touch attribute: seen by nobody, and a change of nothing else is a touch."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from consumer.core.event.event import (
    TOUCH_ATTRIBUTE,
    Category,
    Event,
    EventFormat,
    Layout,
    MetadataSources,
    Unbuildable,
    Withheld,
)
from consumer.core.event.items.shapes import Shapes
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.seen_record import seen_record
from consumer.core.event.selection.selection import Selection
from consumer.core.event.touch import TouchAttribute, touch_attribute
from consumer.core.event.transcode import Transcoder
from consumer.core.limits import PublishLimits
from consumer.core.routes.event_maker import EventMaker, Made
from consumer.core.routes.route import Route
from consumer.core.stream.page import decode_page
from consumer.core.stream.record import StreamRecord
from tests.benchmarks.records import STREAM_ARN
from tests.reference.records import changes, record_of
from tests.reference.shapes import eager_shapes

Json = Any

TOUCH = TouchAttribute(TOUCH_ATTRIBUTE)
MARK = {"S": "sEcReT-run-1"}
ITEM = {"id": {"S": "o-4711"}, "n": {"N": "1"}, "tags": {"SS": ["a", "b"]}}
TOUCHED = {**ITEM, TOUCH_ATTRIBUTE: MARK}
PLAIN = EventFormat("order", ("id",))


def read(wire: Json, **style: Any) -> StreamRecord:
    text = json.dumps({"Records": [wire]}, separators=(",", ":"), **style)  # as shapes are known
    (record,) = decode_page(text.encode()).records
    assert isinstance(record, StreamRecord)
    return record


def made_of(wire: Json, form: EventFormat = PLAIN, *, skip: bool = False) -> Made:
    route = Route("a.b", form, PublishLimits(), skip_unchanged=skip)
    maker = EventMaker(route, STREAM_ARN, eager_shapes())
    first, *again = [maker.make([(read(wire), None)])[0] for _ in range(4)]
    assert again == [first] * 3  # once its shape is known, too
    return first


def data_of(made: Made) -> Json:
    assert isinstance(made, Event)
    assert TOUCH_ATTRIBUTE.encode() not in made.body
    assert b"sEcReT" not in made.body
    return json.loads(made.body)["data"]


ALONE = (
    (ITEM, TOUCHED),
    (TOUCHED, {**ITEM, TOUCH_ATTRIBUTE: {"S": "sEcReT-run-2"}}),
    (TOUCHED, {**ITEM, "tags": {"SS": ["b", "a"]}}),
    (TOUCHED, ITEM),
)


@pytest.mark.parametrize(("old", "new"), ALONE)
@pytest.mark.parametrize("skip", [False, True])
def test_a_change_of_nothing_else_is_a_touch(old: Json, new: Json, skip: bool) -> None:
    data = data_of(made_of(record_of("MODIFY", old, new), skip=skip))
    assert data["change"]["touched"] is True
    assert data["patch"] == []
    assert data["n"] == 1
    data = data_of(made_of(record_of("MODIFY", old, new), replace(PLAIN, patch=False), skip=skip))
    assert data["change"]["touched"] is True
    assert "patch" not in data


NOT_ALONE = (
    (ITEM, {**TOUCHED, "n": {"N": "2"}}),
    (TOUCHED, {**TOUCHED, "n": {"N": "2"}}),
    ({**TOUCHED, "n": {"N": "2"}}, ITEM),
    ({"n": {"N": "1"}}, {"n": {"N": "1"}, "long": {"S": "consumer:touch" * 3}}),
    ({"n": {"N": "1"}, "long": {"S": "x" * 99}}, {"n": {"N": "1"}}),
    ({"m": {"M": TOUCHED}}, {"m": {"M": ITEM}}),
)


@pytest.mark.parametrize(("old", "new"), NOT_ALONE)
def test_any_other_change_is_what_it_was(old: Json, new: Json) -> None:
    made = made_of(record_of("MODIFY", old, new))
    assert isinstance(made, Event)
    data = json.loads(made.body)["data"]
    assert "touched" not in data["change"]
    assert data["patch"]
    assert TOUCH_ATTRIBUTE not in data
    assert not any(
        TOUCH_ATTRIBUTE in operation["path"][:20] for operation in data["patch"][:1]
    ) or ("m" in data)


def test_a_change_of_what_a_route_hides_is_no_touch() -> None:
    hiding = replace(PLAIN, selection=Selection(exclude=(read_path("n"),)))
    wire = record_of("MODIFY", ITEM, {**TOUCHED, "n": {"N": "2"}})
    assert made_of(wire, hiding, skip=True) is Withheld.UNCHANGED
    touched = data_of(made_of(record_of("MODIFY", ITEM, TOUCHED), hiding, skip=True))
    assert touched["change"]["touched"] is True
    including = replace(PLAIN, selection=Selection(include=(read_path("id"),)))
    touched = data_of(made_of(record_of("MODIFY", ITEM, TOUCHED), including, skip=True))
    assert touched["change"]["touched"] is True
    assert touched["id"] == "o-4711"


def test_it_does_not_pass_changed() -> None:
    route = Route("a.b", PLAIN, PublishLimits(), changed=(read_path("n"),))
    maker = EventMaker(route, STREAM_ARN, Shapes())
    assert maker.make([(read(record_of("MODIFY", ITEM, TOUCHED)), None)]) == [Withheld.UNCHANGED]


def test_without_an_old_image_it_is_a_plain_update() -> None:
    form = replace(PLAIN, patch=False)
    data = data_of(made_of(record_of("MODIFY", None, TOUCHED), form))
    assert data["change"].keys() == {"sequence", "stream"}


def test_it_is_in_no_deletion_and_no_insertion() -> None:
    assert data_of(made_of(record_of("REMOVE", TOUCHED)))["n"] == 1
    assert data_of(made_of(record_of("INSERT", None, TOUCHED)))["n"] == 1


def test_an_outbox_that_is_touched_is_not_written_again() -> None:
    form = replace(PLAIN, category=Category.BUSINESS, patch=False, change=False)
    assert made_of(record_of("MODIFY", ITEM, TOUCHED), form) is Withheld.UNCHANGED
    again = record_of("MODIFY", TOUCHED, {**TOUCHED, "n": {"N": "2"}})
    assert made_of(again, form) is Withheld.OUTBOX_MODIFIED
    assert made_of(record_of("REMOVE", TOUCHED), form) is Withheld.OUTBOX_REMOVED
    made = made_of(record_of("INSERT", None, TOUCHED), form)
    assert isinstance(made, Event)
    assert b"sEcReT" not in made.body


def test_what_cannot_be_read_is_no_touch() -> None:
    assert not TOUCH.has_changed_alone(
        read(record_of("MODIFY", {"a": {"L": {}}}, {**TOUCHED, "a": {"L": []}})), there=True
    )
    assert not TOUCH.has_changed_alone(read(record_of("MODIFY", ITEM, None)), there=True)
    assert not TOUCH.has_changed_alone(read(record_of("MODIFY", None, ITEM)), there=True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'{"consumer:touch":{"S":"x"}}', True),
        (rb'{"consumer\u003atouch":{"S":"x"}}', True),
        (rb'{"\u0063onsumer:touch":{"S":"x"}}', True),
        (rb'{"a":{"S":"\u001f"}}', False),
        (rb'{"a":{"S":"{\"consumer:touch\":1}"}}', False),
        (b'{"consumer:touched":{"S":"x"}}', False),
    ],
)
def test_the_name_is_found_in_any_spelling(text: bytes, found: bool) -> None:
    assert TOUCH.may_be_in(text) is found


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        ({"data": {"consumer:touch": "r"}}, True),
        ({"data": {"item": {"consumer:touch": "r"}}}, True),
        ({"metadata": {}, "consumer:touch": "r"}, True),
        ({"data": {"patch": [{"op": "add", "path": "/n"}, {"path": "/consumer:touch"}]}}, True),
        ({"data": {"delta": [{"op": "remove", "path": "/consumer:touch/a"}]}}, True),
        (
            {"data": {"patch": [{"path": "/m/consumer:touch"}, {"path": "/consumer:touched"}]}},
            False,
        ),
        ({"data": {"m": {"consumer:touch": "r"}}}, False),
        ({"data": {"n": "consumer:touch", "l": ["consumer:touch"]}}, False),
        ({"data": {"n": 1}}, False),
    ],
)
def test_an_event_that_shows_it_is_told_from_others(event: Json, shown: bool) -> None:
    assert TOUCH.is_shown_by(json.dumps(event).encode()) is shown


def test_an_event_that_cannot_be_read_may_show_it() -> None:
    assert TOUCH.is_shown_by(b'{"data":{"consumer:touch":')
    deep = b'{"data":{"n":%b1%b},"s":"consumer:touch"}' % (b"[" * 9_999, b"]" * 9_999)
    assert TOUCH.is_shown_by(deep)


def test_a_name_that_is_escaped_is_left_out_too() -> None:
    wires = {"Records": [record_of("MODIFY", ITEM, TOUCHED)]}
    text = json.dumps(wires, separators=(",", ":")).encode()
    text = text.replace(b"consumer:touch", rb"consumer\u003atouch")
    (record,) = decode_page(text).records
    for shapes in (Shapes(), eager_shapes()):
        maker = EventMaker(Route("a.b", PLAIN, PublishLimits()), STREAM_ARN, shapes)
        for _ in range(4):
            assert data_of(maker.make([(record, None)])[0])["change"]["touched"] is True


def test_a_record_that_is_kept_says_that_it_was_a_touch() -> None:
    kept = seen_record(bytes(read(record_of("MODIFY", ITEM, TOUCHED)).text), PLAIN)
    assert b"sEcReT" not in kept
    again = read(json.loads(kept))
    assert again.touched
    made = Transcoder(PLAIN, STREAM_ARN, Shapes()).event_of(again)
    assert isinstance(made, Event)
    assert json.loads(made.body)["data"]["change"]["touched"] is True
    other = seen_record(
        bytes(read(record_of("MODIFY", TOUCHED, {**TOUCHED, "n": {"N": "2"}})).text), PLAIN
    )
    assert b"sEcReT" not in other
    assert not read(json.loads(other)).touched
    untouched = bytes(read(record_of("MODIFY", ITEM, ITEM)).text)
    assert seen_record(untouched, PLAIN) is untouched


FORMATS = (
    PLAIN,
    replace(PLAIN, layout=Layout.NESTED),
    replace(PLAIN, patch=False),
    replace(PLAIN, event_bytes=230),
    replace(PLAIN, metadata=MetadataSources(flow_id=TOUCH_ATTRIBUTE)),
    replace(PLAIN, metadata=MetadataSources(flow_id="a")),
    replace(PLAIN, selection=Selection(include=tuple(map(read_path, ("a", "/consumer:touch"))))),
    replace(PLAIN, selection=Selection(rename=((TOUCH_ATTRIBUTE, "shown"),), replication=True)),
    replace(PLAIN, selection=Selection(exclude=(read_path("a"),))),
    replace(PLAIN, category=Category.BUSINESS, patch=False),
    replace(PLAIN, category=Category.BUSINESS, patch=False, body=TOUCH_ATTRIBUTE),
)
MARKS = st.sampled_from(
    (
        MARK,
        {"M": {"a": MARK}},
        {"L": [MARK]},
        {"SS": ["sEcReT"]},
        {"X": "sEcReT"},
        {"M": "sEcReT"},
        "sEcReT",
    )
)


@given(st.data(), st.sampled_from(FORMATS), changes())
def test_it_is_nowhere_whatever_the_format_says(
    data: st.DataObject, form: EventFormat, images: tuple[Json, Json]
) -> None:
    old, new = (dict(image) for image in images)
    for image in (old, new):
        if data.draw(st.booleans()):
            image[TOUCH_ATTRIBUTE] = data.draw(MARKS)
    if data.draw(st.booleans()):
        new = {**old, TOUCH_ATTRIBUTE: MARK}
    wires = (
        record_of("INSERT", None, new),
        record_of("MODIFY", old, new),
        record_of("REMOVE", old),
    )
    shapes = eager_shapes()
    makers = [
        EventMaker(Route("a.b", form, PublishLimits(), skip_unchanged=skip), STREAM_ARN, shapes)
        for skip in (False, True)
    ]
    for wire in wires:
        record = read(wire, ensure_ascii=data.draw(st.booleans()))
        for maker in makers:
            for _ in range(3):
                (made,) = maker.make([(record, None)])
                if isinstance(made, Event):
                    assert b"sEcReT" not in made.body
                    kept: bytes | None = seen_record(bytes(record.text), form)
                elif isinstance(made, Unbuildable):
                    assert "sEcReT" not in made.detail
                    assert b"sEcReT" not in (made.body or b"")
                    kept = made.record
                else:
                    continue
                assert b"sEcReT" not in (kept or b"")


@given(changes(), st.sampled_from((None, Selection(exclude=(read_path("b"),)))))
def test_with_it_events_are_the_same_as_without(
    images: tuple[Json, Json], selection: Selection | None
) -> None:
    """Whatever way the item is read: by its shape, by its gaps, or walked."""
    form = replace(PLAIN, selection=selection)
    old, new = images
    marked = [{**image, TOUCH_ATTRIBUTE: MARK} for image in images]
    shapes = eager_shapes()
    for skip in (False, True):
        route = Route("a.b", form, PublishLimits(), skip_unchanged=skip)
        maker = EventMaker(route, STREAM_ARN, shapes)
        for _ in range(3):
            (with_it,) = maker.make([(read(record_of("MODIFY", *marked)), None)])
            (without,) = maker.make([(read(record_of("MODIFY", old, new)), None)])
            if isinstance(with_it, Unbuildable) or isinstance(without, Unbuildable):
                assert type(with_it) is type(without)
            elif isinstance(without, Event):
                assert isinstance(with_it, Event)
                assert with_it.body == without.body
            else:
                assert with_it is without


def test_an_attribute_is_made_once_for_all_who_name_it() -> None:
    made = touch_attribute("a name of this test alone")
    assert made.name == "a name of this test alone"
    assert touch_attribute("a name of this test alone") is made
