"""When a route makes an event of a record that it takes."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from consumer.core.event.event import (
    TOUCH_ATTRIBUTE,
    Category,
    Crossing,
    Event,
    EventFormat,
    MetadataSources,
    Unbuildable,
    Withheld,
)
from consumer.core.event.items.shapes import Shapes
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.limits import PublishLimits
from consumer.core.routes.event_maker import EventMaker
from consumer.core.routes.route import Route
from consumer.core.stream.page import decode_page
from consumer.core.stream.record import MalformedRecord, StreamRecord
from tests.benchmarks.records import STREAM_ARN
from tests.reference.records import record_of

Json = Any

PLAIN = Route("a.b", EventFormat("a.b", ("id",)), PublishLimits(), ("id",))
SKIPPING = replace(PLAIN, skip_unchanged=True)
CHANGED = replace(PLAIN, changed=(read_path("status"),), skip_unchanged=True)
OUTBOX = replace(
    PLAIN,
    format=EventFormat(
        "a.b",
        ("id",),
        patch=False,
        change=False,
        category=Category.BUSINESS,
        body="payload",
        metadata=MetadataSources(eid="event", flow_id="flow"),
    ),
)
UUID = "a1b2c3d4-0000-4000-8000-000000000001"
OPEN: Json = {"id": {"S": "1"}, "status": {"S": "OPEN"}, "note": {"SS": ["x", "y"]}}
NOTED = OPEN | {"note": {"SS": ["z"]}}
SAME = OPEN | {"note": {"SS": ["y", "x"]}}
PAID = OPEN | {"status": {"S": "PAID"}}


def read(wire: Json) -> StreamRecord | MalformedRecord:
    (record,) = decode_page(json.dumps({"Records": [wire]}).encode()).records
    return record


def made_of(route: Route, wire: Json, crossing: Crossing | None = None) -> Any:
    (made,) = EventMaker(route, STREAM_ARN, Shapes()).make([(read(wire), crossing)])
    return made


@pytest.mark.parametrize(
    ("route", "published"),
    [
        (PLAIN, [True, True, True, True]),
        (SKIPPING, [False, False, True, True]),
        (CHANGED, [False, False, False, True]),
        (replace(SKIPPING, format=replace(PLAIN.format, patch=False)), [False, False, True, True]),
    ],
)
def test_updates_that_count(route: Route, published: list[bool]) -> None:
    found = [made_of(route, record_of("MODIFY", OPEN, new)) for new in (OPEN, SAME, NOTED, PAID)]
    assert [isinstance(made, Event) for made in found] == published
    assert all(isinstance(made, Event) or made is Withheld.UNCHANGED for made in found)


@pytest.mark.parametrize("route", [SKIPPING, CHANGED])
def test_all_other_changes_count(route: Route) -> None:
    for wire in (record_of("INSERT", None, OPEN), record_of("REMOVE", OPEN)):
        assert isinstance(made_of(route, wire), Event)
    for crossing in Crossing:
        assert isinstance(made_of(route, record_of("MODIFY", OPEN, OPEN), crossing), Event)
    assert isinstance(made_of(route, {"eventID": 1}), Unbuildable)


def test_what_is_not_shown_does_not_count() -> None:
    form = replace(PLAIN.format, selection=Selection(exclude=(read_path("note"),)))
    assert made_of(replace(SKIPPING, format=form), record_of("MODIFY", OPEN, NOTED)) is (
        Withheld.UNCHANGED
    )
    moved = replace(PLAIN.format, metadata=MetadataSources(flow_id="status"))
    assert made_of(replace(SKIPPING, format=moved), record_of("MODIFY", OPEN, PAID)) is (
        Withheld.UNCHANGED
    )


def test_an_attribute_that_is_not_shown_may_decide() -> None:
    form = replace(PLAIN.format, selection=Selection(include=(read_path("id"),)))
    made = made_of(replace(CHANGED, format=form), record_of("MODIFY", OPEN, PAID))
    assert json.loads(made.body)["data"]["patch"] == []


@pytest.mark.parametrize("route", [SKIPPING, CHANGED])
@pytest.mark.parametrize("old", [None, OPEN | {"status": {"N": "x"}}, {"status": 7}])
def test_what_cannot_be_compared_is_poison(route: Route, old: Json) -> None:
    made = made_of(route, record_of("MODIFY", old, PAID))
    assert isinstance(made, Unbuildable)
    assert made.reason == "malformed_record"


def test_what_is_nested_too_deeply_is_poison() -> None:
    deep: Json = {"S": "x"}
    for _ in range(300):
        deep = {"L": [deep]}
    record = read(record_of("MODIFY", OPEN, OPEN | {"status": deep}))
    maker = EventMaker(replace(PLAIN, changed=(read_path("status.x"),)), STREAM_ARN, Shapes())

    def make_below(frames: int) -> object:
        return make_below(frames - 1) if frames else maker.make([(record, None)])[0]

    made = make_below(600)
    assert isinstance(made, Unbuildable)
    assert "nested" in made.detail


EVENT: Json = {
    "id": {"S": "1"},
    "event": {"S": UUID},
    "flow": {"S": "f"},
    "payload": {"M": {"order": {"N": "1.50"}, "paid": {"BOOL": True}}},
}


def test_an_outbox_item_is_published_once_as_it_was_inserted() -> None:
    made = made_of(OUTBOX, record_of("INSERT", None, EVENT))
    assert made.body == (
        b'{"metadata":{"eid":"a1b2c3d4-0000-4000-8000-000000000001",'
        b'"occurred_at":"2026-11-01T09:30:00Z","flow_id":"f"},"order":1.50,"paid":true}'
    )
    assert made.eid == UUID
    assert made_of(OUTBOX, record_of("MODIFY", EVENT, EVENT)) is Withheld.OUTBOX_MODIFIED
    left = made_of(OUTBOX, record_of("MODIFY", EVENT, EVENT), Crossing.LEFT)
    assert left is Withheld.OUTBOX_MODIFIED
    assert made_of(OUTBOX, record_of("REMOVE", EVENT)) is Withheld.OUTBOX_REMOVED
    assert isinstance(made_of(OUTBOX, {"eventID": 1}), Unbuildable)


def test_without_a_body_the_item_is_the_event() -> None:
    form = replace(OUTBOX.format, body=None, change=True)
    body = json.loads(made_of(replace(OUTBOX, format=form), record_of("INSERT", None, EVENT)).body)
    assert [*body] == ["metadata", "id", "payload", "change"]
    assert [*body["change"]] == ["sequence", "stream"]


def test_an_empty_body_is_an_event_with_metadata_only() -> None:
    payloads: list[Json] = [{"M": {}}, {"S": "{}"}]
    for payload in payloads:
        made = made_of(OUTBOX, record_of("INSERT", None, EVENT | {"payload": payload}))
        assert [*json.loads(made.body)] == ["metadata"]


@pytest.mark.parametrize(
    ("form", "item", "reason"),
    [
        (OUTBOX.format, {"payload": {"M": {"metadata": {"S": "x"}}}}, "reserved_attribute"),
        (OUTBOX.format, {"payload": {"S": '{"metadata":7}'}}, "reserved_attribute"),
        (
            replace(OUTBOX.format, change=True),
            {"payload": {"S": '{"change":7}'}},
            "reserved_attribute",
        ),
        (replace(OUTBOX.format, body=None), {"metadata": {"S": "x"}}, "reserved_attribute"),
        (OUTBOX.format, {"payload": {"N": "7"}}, "malformed_record"),
        (OUTBOX.format, {"event": {"S": "no uuid"}}, "malformed_record"),
    ],
)
def test_what_is_no_business_event(form: EventFormat, item: Json, reason: str) -> None:
    made = made_of(replace(OUTBOX, format=form), record_of("INSERT", None, EVENT | item))
    assert isinstance(made, Unbuildable)
    assert made.reason == reason


def test_change_is_a_member_like_any_other_where_the_event_has_none() -> None:
    item = EVENT | {"payload": {"S": '{"change":7}'}}
    assert json.loads(made_of(OUTBOX, record_of("INSERT", None, item)).body)["change"] == 7


def test_poison_of_a_route_and_what_it_left_out() -> None:
    maker = EventMaker(OUTBOX, STREAM_ARN, Shapes())
    record = read(record_of("INSERT", None, EVENT | {"flow": {"N": "7"}}))
    (made,) = maker.make([(record, None)])
    assert isinstance(made, Event)
    assert made.left_out == 1
    assert isinstance(record, StreamRecord)
    assert maker.unanswered(record, "why").detail == "why"


def test_what_is_touched_counts_as_changed_but_for_who_names_what_must_change() -> None:
    wire = record_of("MODIFY", OPEN, OPEN | {TOUCH_ATTRIBUTE: {"S": "run"}})
    assert made_of(CHANGED, wire) is Withheld.UNCHANGED
    for route in (PLAIN, SKIPPING):
        made = made_of(route, wire)
        assert json.loads(made.body)["data"]["change"]["touched"] is True


def test_an_outbox_that_is_touched_is_no_second_write() -> None:
    wire = record_of("MODIFY", OPEN, OPEN | {TOUCH_ATTRIBUTE: {"S": "run"}})
    assert made_of(OUTBOX, wire) is Withheld.UNCHANGED
    assert made_of(OUTBOX, record_of("MODIFY", OPEN, PAID)) is Withheld.OUTBOX_MODIFIED
