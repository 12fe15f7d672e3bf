"""The paths of routes that no record had."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw, structs

from consumer.core.event.event import Category, EventFormat, MetadataSources
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.limits import PublishLimits
from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.routes.route import Route
from consumer.core.routes.unseen_paths import ENOUGH, UnseenPaths, any_has, paths_of
from consumer.core.stream.record import MalformedRecord, StreamRecord, decode_record

ITEM: dict[str, Any] = {
    "id": {"S": "o-1"},
    "a.b": {"N": "1"},
    "customer": {"M": {"name": {"S": "x"}}},
    "lines": {"L": [{"M": {"sku": {"S": "s"}}}, {"L": [{"M": {"card": {"S": "4711"}}}]}]},
}


def record(new: object = ITEM, old: object = None) -> StreamRecord:
    images = {"NewImage": new, "OldImage": old}
    change: dict[str, Any] = {"SequenceNumber": "400", "Keys": {"id": {"S": "o-1"}}}
    change |= {name: image for name, image in images.items() if image is not None}
    text = {"eventID": "1", "eventName": "MODIFY", "dynamodb": change}
    read = decode_record(Raw(json.dumps(text).encode()))
    assert isinstance(read, StreamRecord)
    return read


def route(name: str = "orders", **more: Any) -> Route:
    of_events = ("selection", "metadata", "body", "category")
    form: dict[str, Any] = {name: more.pop(name) for name in of_events if name in more}
    return Route(name, EventFormat(name, ("id",), **form), PublishLimits(), **more)


def excluding(*paths: str) -> Route:
    return route(selection=Selection(exclude=tuple(map(read_path, paths))))


def seen_by(watched: Route, *records: StreamRecord | MalformedRecord) -> UnseenPaths:
    paths = UnseenPaths()
    paths.watch(watched)
    for each in records:
        paths.look(each)
    return paths


def test_a_path_that_no_record_had_is_named_and_one_that_a_record_had_is_not() -> None:
    named = ("id", "/a.b", "customer.name", "lines.sku", "lines.card", "lines")
    misspelt = ("card_nubmer", "customer.iban", "lines.name", "id.x", "a.b")
    paths = seen_by(excluding(*named, *misspelt), *[record()] * ENOUGH)
    assert paths.of("orders") == misspelt
    assert paths.of("another") == ()


def test_nothing_is_said_before_enough_records_were_looked_at() -> None:
    paths = seen_by(excluding("x"), *[record()] * (ENOUGH - 1))
    assert paths.of("orders") == ()
    paths.look(record())
    assert paths.of("orders") == ("x",)


def test_either_image_will_do_and_so_will_the_keys() -> None:
    paths = seen_by(excluding("was", "id"), record({"x": {"S": ""}}, {"was": {"NULL": True}}))
    assert not any(paths._unseen.values())


@pytest.mark.parametrize("nesting", [400, 700, 5_000])
def test_a_record_that_cannot_be_read_does_not_count(nesting: int) -> None:
    deep = '{"a": ' + '{"L": [' * nesting + '{"S": "x"}' + "]}" * nesting + "}"
    odd = [structs.replace(record(), new_image=Raw(text.encode())) for text in ("[1]", deep)]
    paths = seen_by(excluding("a.x"), MalformedRecord(b"{}", None, "why"), odd[0])
    assert paths.looked_at == 0
    paths.look(odd[1])
    assert paths.of("orders") == ()


def test_once_all_were_found_no_record_is_looked_at() -> None:
    paths = seen_by(excluding("id"), record(), record(), record())
    assert paths.looked_at == 1


def test_odd_attributes_have_no_members() -> None:
    odd = {"a": 7, "b": [], "c": {"M": 7}, "d": {"L": [7, {"M": []}]}, "e": {"M": {}}}
    paths = seen_by(excluding(*(f"{name}.x" for name in odd)), *[record(odd)] * ENOUGH)
    assert len(paths.of("orders")) == len(odd)


def test_all_that_a_route_names_is_looked_for() -> None:
    asked = read_filter(
        {
            "eventName": ["INSERT"],
            "item": {"kind": {"S": ["ORDER"]}, "customer": {"M": {"vip": {"BOOL": [True]}}}},
            "dynamodb": {
                "NewImage": {"kind": {"S": ["x"]}, "lines": {"L": {"M": {"a": {"N": ["1"]}}}}}
            },
        }
    )
    whole = route(
        filter=asked,
        changed=(read_path("status"),),
        selection=Selection(
            (read_path("pk"), read_path("customer.name")), (read_path("card"),), (("pk", "id"),)
        ),
        metadata=MetadataSources(eid="event_id", flow_id="flow"),
        body="payload",
        category=Category.BUSINESS,
    )
    assert {str(path) for path in paths_of(whole)} == {
        *("kind", "customer.vip", "lines.a", "status", "pk", "customer.name", "card"),
        *("event_id", "flow", "payload"),
    }
    assert list(paths_of(route())) == []


@pytest.mark.parametrize(
    ("payload", "there"),
    [
        ({"S": '{"card": {"no": 1}}'}, True),
        ({"S": '{"card": [[], {"no": 1}]}'}, True),
        ({"S": '{"card": 7}'}, False),
        ({"S": "{"}, False),
        ({"M": {"card": {"M": {"no": {"S": "x"}}}}}, True),
        ({"N": "1"}, False),
        (7, False),
    ],
)
def test_the_body_of_an_event_may_be_json_as_text(payload: object, *, there: bool) -> None:
    path = read_path("payload.card.no")
    assert any_has([{}, {"payload": payload}], path, "payload") is there
    assert any_has([7, {"payload": payload}], read_path("payload"), "payload")
    watched = UnseenPaths()
    watched.watch(route(body="payload", selection=Selection(None, (path,))))
    for _ in range(ENOUGH):
        watched.look(record({"payload": payload}))
    assert watched.of("orders") == (() if there else ("payload.card.no",))
