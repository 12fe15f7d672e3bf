"""Which paths of the routes were in any record, and which routes have taken one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw, structs

from consumer.core.event.event import EventFormat, MetadataSources
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.limits import PublishLimits
from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.routes.route import Route
from consumer.core.routes.sightings import Sightings
from consumer.core.stream.record import StreamRecord, decode_record
from tests.reference.records import KEYS, record_of

LINES = {"L": [{"M": {"sku": {"S": "x"}}}, {"L": [{"M": {"card": {"N": "1"}}}]}]}
ITEM: dict[str, Any] = KEYS | {
    "customer": {"M": {"iban": {"S": "DE"}, "a.b": {"S": "x"}}},
    "lines": LINES,
    "tags": {"SS": ["a"]},
}


def route(name: str = "r", selection: Selection | None = None, **members: Any) -> Route:
    form = EventFormat(
        name,
        ("id",),
        selection=selection,
        body=members.pop("body", None),
        metadata=members.pop("metadata", MetadataSources()),
    )
    return Route(name, form, PublishLimits(), ("id",), name=name, **members)


def record(name: str = "INSERT", old: Any = None, new: Any = None) -> StreamRecord:
    found = decode_record(Raw(json.dumps(record_of(name, old, new)).encode()))
    assert isinstance(found, StreamRecord)
    return found


def unseen(it: Sightings) -> list[tuple[str, str]]:
    return [(word, path) for _, word, path in it.unseen()]


def seen(text: str, item: Any) -> bool:
    it = Sightings([route(changed=(read_path(text),))])
    it.see(record(new=item))
    return unseen(it) == []


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("customer", True),
        ("customer.iban", True),
        ("customer.name", False),
        ("/customer/a.b", True),
        ("custmer", False),
        ("lines.sku", True),
        ("lines.card", True),
        ("lines.qty", False),
        ("tags.a", False),
        ("id.x", False),
    ],
)
def test_a_path_goes_into_maps_and_through_lists(path: str, there: bool) -> None:
    assert seen(path, ITEM) is there


@pytest.mark.parametrize("value", [{"M": 7}, {"L": 7}, {"L": [7]}, 7, {"S": "x"}, {}])
def test_what_is_no_attribute_value_has_no_members(value: Any) -> None:
    assert not seen("a.b", KEYS | {"a": value})


def test_every_word_of_a_route_that_names_a_path() -> None:
    selection = Selection((read_path("in"),), (read_path("ex.a"),), (("old", "new"),))
    it = Sightings(
        [
            route("one", selection, changed=(read_path("ch"),), body="bo"),
            route("two", metadata=MetadataSources(flow_id="flow")),
        ]
    )
    told = [(route.name, word, path) for route, word, path in it.unseen()]
    assert told == [
        ("one", "body", "bo"),
        ("one", "changed", "ch"),
        ("one", "exclude", "ex.a"),
        ("one", "include", "in"),
        ("one", "rename", "old"),
        ("two", "metadata", "flow"),
    ]
    item = {name: {"S": "x"} for name in ("in", "ch", "bo", "old", "flow")}
    it.see(record("MODIFY", {"ex": {"M": {"a": {"S": "x"}}}}, item))
    assert it.unseen() == []
    it.see(record("REMOVE", {}, None))
    assert it.records == 2


def test_a_path_is_written_as_in_its_setting() -> None:
    selection = Selection(exclude=(read_path("/a.b"),), rename=(("c.d", "c"),))
    told = Sightings([route(selection=selection, body="e.f")]).unseen()
    assert [(word, path) for _, word, path in told] == [
        ("body", "e.f"),
        ("exclude", "/a.b"),
        ("rename", "/c.d"),
    ]


@pytest.mark.parametrize(
    ("pattern", "there"),
    [
        ({"item": {"customer": {"M": {"iban": {"S": ["other"]}}}}}, True),
        ({"item": {"custmer": {"M": {"iban": {"S": ["DE"]}}}}}, False),
        ({"item": {"customer": {"S": ["DE"]}}}, False),
        ({"item": {"lines": {"L": {"M": {"sku": {"S": ["x"]}}}}}}, True),
        ({"item": {"lines": {"L": {"M": {"qty": {"S": ["x"]}}}}}}, False),
        ({"item": {"lines": {"L": {"S": ["x"]}}}}, False),
        ({"item": {"tags": {"SS": ["b"]}}}, True),
        ({"dynamodb": {"NewImage": {"id": {"S": ["x"]}}}}, True),
        ({"dynamodb": {"OldImage": {"id": {"S": ["x"]}}}}, False),
        ({"dynamodb": {"Keys": {"id": {"S": ["x"]}}}}, True),
        ({"dynamodb": {"Keys": {"pk": {"S": ["x"]}}}}, False),
        ({"eventName": ["REMOVE"]}, True),  # every record has it
        ({"item": {"customer": [{"exists": True}]}}, True),  # no place at all: a doubt says so
    ],
)
def test_the_paths_of_filters(pattern: Any, there: bool) -> None:
    it = Sightings([route(filter=read_filter(pattern))])
    it.see(record(new=ITEM))
    assert (unseen(it) == []) is there


def test_an_image_that_cannot_be_read_has_nothing() -> None:
    it = Sightings([route(changed=(read_path("a"),))])
    it.see(structs.replace(record(), new_image=Raw(b"{")))
    it.see(record(new=7))
    assert unseen(it) == [("changed", "a")]


def test_routes_that_took_nothing() -> None:
    it = Sightings([route("one"), route("two")])
    it.take(1)
    assert [each.name for each in it.idle()] == ["one"]
    assert (it.taken(0), it.taken(1)) == (0, 1)


@pytest.mark.parametrize(
    ("payload", "there"),
    [
        ({"M": {"card": {"M": {"no": {"S": "x"}}}}}, True),
        ({"S": '{"card": {"no": 1}}'}, True),
        ({"S": '{"card": [[], {"no": 1}]}'}, True),
        ({"S": '{"card": {"number": 1}}'}, False),
        ({"S": '{"card": 7}'}, False),
        ({"S": "{"}, False),
        ({"N": "1"}, False),
        (7, False),
    ],
)
def test_the_body_of_an_event_may_be_json_as_text(payload: Any, *, there: bool) -> None:
    selection = Selection(None, (read_path("payload.card.no"),))
    it = Sightings([route(selection=selection, body="payload")])
    it.see(record(new=KEYS | {"payload": payload}))
    assert unseen(it) == ([] if there else [("exclude", "payload.card.no")])
