"""What is shown of a record: the events, and why the other routes make none."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from consumer.core.event.event import Category, Event, EventFormat, MetadataSources
from consumer.core.event.items.shapes import Shapes
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.limits import PublishLimits
from consumer.core.reports.record_preview import Previewer, RecordPreview, summary
from consumer.core.routes.assembler import Assembler
from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.routes.route import Route
from consumer.core.routes.sightings import Sightings
from consumer.core.stream.recording import read_recording
from tests.benchmarks.records import STREAM_ARN
from tests.reference.records import KEYS, Json, record_of, records

PAID = read_filter({"item": {"status": {"S": ["PAID"]}}})


def route(name: str, selection: Selection | None = None, **members: Any) -> Route:
    form = EventFormat(
        name,
        ("id",),
        selection=selection,
        category=members.pop("category", Category.DATA),
        patch="changed" not in members,
    )
    return Route(f"s.{name}", form, PublishLimits(), ("id",), name=name, **members)


ROUTES = (
    route("paid", filter=PAID),
    route("all", Selection(None, (read_path("card"),))),
    route("status", changed=(read_path("status"),)),
    route("rest", otherwise=True),
    route("outbox", category=Category.BUSINESS),
)


def previewer() -> Previewer:
    return Previewer.of(ROUTES, STREAM_ARN, Shapes(), Sightings(ROUTES))


def shown(record: Json) -> RecordPreview:
    (recorded,) = read_recording([json.dumps(record).encode()])
    return previewer().preview(recorded)


def item(status: str, card: str = "4111") -> Json:
    return KEYS | {"status": {"S": status}, "card": {"S": card}, "n": {"N": "1.10"}}


def test_events_and_reasons_in_the_order_of_the_routes() -> None:
    found = shown(record_of("MODIFY", item("OPEN", "1"), item("OPEN", "2")))
    assert [event.route for event in found.events] == ["all", "rest"]
    assert [(each.route, each.reason) for each in found.not_taken] == [
        ("paid", "filter: item.status.S: equals does not match"),
        ("status", "changed: status did not change"),
        ("outbox", "outbox_modified: a business event is made of an item's first write"),
    ]
    paid = shown(record_of("INSERT", None, item("PAID")))
    assert [event.route for event in paid.events] == ["paid", "all", "status", "outbox"]
    assert [(each.route, each.reason) for each in paid.not_taken] == [
        ("rest", "otherwise: the filter of paid takes it")
    ]


def test_every_reason_why_a_route_that_takes_a_change_makes_no_event() -> None:
    changed = route("changed", changed=(read_path("status"), read_path("customer.iban")))
    hides = route("hides", Selection(None, (read_path("card"),)), skip_unchanged=True)
    outbox = route("outbox", category=Category.BUSINESS)
    routes = (changed, hides, outbox)

    def reasons(record: Json) -> dict[str, str]:
        (recorded,) = read_recording([json.dumps(record).encode()])
        made = Previewer.of(routes, STREAM_ARN, Shapes(), Sightings(routes)).preview(recorded)
        return {each.route: each.reason for each in made.not_taken}

    assert reasons(record_of("MODIFY", item("OPEN", "1"), item("OPEN", "2"))) == {
        "changed": "changed: status, customer.iban did not change",
        "hides": "unchanged: nothing changed of what the route shows",
        "outbox": "outbox_modified: a business event is made of an item's first write",
    }
    assert reasons(record_of("REMOVE", item("OPEN"))) == {
        "outbox": "a business event is made of an item's first write, not of its end"
    }


def test_the_line_of_json_has_these_members_and_the_bytes_of_events() -> None:
    found = shown(record_of("INSERT", None, item("PAID")))
    line = found.as_json()
    assert "\n" not in line
    loaded = json.loads(line)
    assert [*loaded] == ["sequence_number", "events", "not_taken"]
    assert loaded["sequence_number"] == "400000000000000499660041"
    assert [*loaded["events"][0]] == ["route", "event_type", "event"]
    assert loaded["events"][0]["event_type"] == "s.paid"
    assert loaded["not_taken"] == [
        {"route": "rest", "reason": "otherwise: the filter of paid takes it"}
    ]
    assert '"n":1.10' in line  # every digit
    assert (
        shown(record_of("REMOVE", item("OPEN")))
        .as_json()
        .startswith('{"sequence_number":"400000000000000499660041","events":[{"route":')
    )


def test_the_lines_for_people() -> None:
    text = shown(record_of("INSERT", None, item("PAID"))).as_text("INSERT")
    lines = text.splitlines()
    assert lines[0] == "INSERT 400000000000000499660041: 4 of 5 routes"
    assert lines[1] == "  paid → s.paid"
    assert json.loads(lines[2])["data_op"] == "C"
    assert lines[-1] == "  rest: not taken, otherwise: the filter of paid takes it"


def test_what_is_no_metadata_is_told() -> None:
    sources = MetadataSources(flow_id="flow", parent_eids="parents")
    form = EventFormat("a", ("id",), metadata=sources)
    routes = (Route("s.a", form, PublishLimits(), ("id",), name="a"),)

    def previewed(**attributes: Json) -> RecordPreview:
        new = record_of("INSERT", None, KEYS | attributes)
        (recorded,) = read_recording([json.dumps(new).encode()])
        return Previewer.of(routes, STREAM_ARN, Shapes(), Sightings(routes)).preview(recorded)

    flow, parent = {"S": "f-1"}, {"S": "0d3c2c50-8a3c-4d51-a7d5-6b1e4b5fd0aa"}
    good = previewed(flow=flow, parents={"L": [parent]})
    assert "metadata_left_out" not in good.as_json()
    assert len(good.as_text("INSERT").splitlines()) == 3
    one = previewed(flow=flow, parents=parent)  # a text is no list of UUIDs
    assert json.loads(one.as_json())["events"][0]["metadata_left_out"] == 1
    assert one.as_text("INSERT").splitlines()[3] == (
        "    without a value that `metadata` names: of that form Nakadi refuses it"
    )
    both = previewed(flow={"N": "1"}, parents=parent)
    assert both.as_text("INSERT").splitlines()[3] == (
        "    without 2 values that `metadata` names: of that form Nakadi refuses them"
    )


def test_poison_is_not_taken() -> None:
    (all_of_it,) = [
        each.reason
        for each in shown(
            record_of("INSERT", None, item("OPEN") | {"change": {"S": "x"}})
        ).not_taken
        if each.route == "all"
    ]
    assert all_of_it.startswith("dead letter (reserved_attribute): attribute 'change'")
    broken = shown(record_of("UPSERT", None, item("OPEN")))
    assert broken.events == []
    assert [each.route for each in broken.not_taken] == [each.name for each in ROUTES]
    assert all(
        each.reason.startswith("dead letter (malformed_record)") for each in broken.not_taken
    )


@given(records)
def test_every_route_is_either_an_event_of_the_service_or_has_a_reason(record: Json) -> None:
    text = json.dumps(record).encode()
    (recorded,) = read_recording([text])
    found = previewer().preview(recorded)
    named = [event.route for event in found.events] + [each.route for each in found.not_taken]
    assert sorted(named) == sorted(each.name for each in ROUTES)
    made = Assembler(ROUTES, STREAM_ARN, Shapes()).events_of(recorded.record)
    published = [(number, each.body) for number, each in made if isinstance(each, Event)]
    assert published == [
        (number, bytes(event.event))
        for number, each in enumerate(ROUTES)
        for event in found.events
        if event.route == each.name
    ]


MARK = "4711-marked"


@given(st.sampled_from(["S", "N", "B"]), st.sampled_from(["INSERT", "MODIFY", "REMOVE"]))
def test_what_is_left_out_is_in_no_event_and_no_reason(kind: str, name: str) -> None:
    hidden = route("public", Selection(None, (read_path("card"),)), filter=PAID)
    marked = item("PAID") | {"card": {"M": {MARK: {kind: MARK}}}}
    old = marked if name != "INSERT" else None
    new = item("OPEN") | {"card": {"L": [{kind: MARK}]}} if name == "MODIFY" else marked
    (recorded,) = read_recording(
        [json.dumps(record_of(name, old, new if name != "REMOVE" else None)).encode()]
    )
    it = Previewer.of([hidden], STREAM_ARN, Shapes(), Sightings([hidden]))
    found = it.preview(recorded)
    assert len(found.events) == 1
    assert "marked" not in found.as_json() + found.as_text(name)


def test_what_is_to_be_looked_at_afterwards() -> None:
    it = previewer()
    assert summary(it.sightings) == ["no record was read"]
    (recorded,) = read_recording([json.dumps(record_of("INSERT", None, KEYS)).encode()])
    it.preview(recorded)
    assert summary(it.sightings) == [
        "route paid took nothing",
        "route paid, filter: no record had item.status.S",
        "route all, exclude: no record had card",
        "route status, changed: no record had status",
    ]
