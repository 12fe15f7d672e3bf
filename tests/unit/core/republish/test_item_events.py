"""The events of an item that was read: which routes take it, and as what."""

import json
from typing import Any

from msgspec import Raw

from consumer.core.event.event import Category, EventFormat
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.republish.item_event import Refusal
from consumer.core.republish.item_events import ItemEvents
from consumer.core.republish.table.read_item import ReadItem
from tests.unit.core.republish.items import AT, KEYS, gone, item_events, route, there

OPEN, PAID = ({"id": {"S": "1"}, "status": {"S": status}} for status in ("OPEN", "PAID"))
VIEW = {"item": {"status": {"S": ["PAID"]}}}


def told(events: ItemEvents, item: ReadItem) -> list[tuple[str, str]]:
    made = events.made_of(item)
    return [(each.event_type, json.loads(each.event.body)["data_op"]) for each in made.events]


def test_each_route_that_takes_its_insert_gets_an_s() -> None:
    events = item_events(route("all"), route("paid", VIEW), route("rest", otherwise=True))
    assert told(events, there(PAID)) == [("all", "S"), ("paid", "S")]
    assert told(events, there(OPEN)) == [("all", "S"), ("rest", "S")]


def test_changed_is_not_asked() -> None:
    assert told(
        item_events(route("r", changed=(read_path("x"),), skip_unchanged=True)), there(OPEN)
    ) == [("r", "S")]


def test_what_an_outbox_matches_is_nobodys_rest() -> None:
    out = route("out", VIEW, EventFormat("out", KEYS, category=Category.BUSINESS))
    events = item_events(out, route("rest", otherwise=True))
    assert told(events, there(PAID)) == []
    assert told(events, there(OPEN)) == [("rest", "S")]


def test_what_is_gone_is_matched_with_its_last_image() -> None:
    events = item_events(
        route("paid", VIEW), route("sent", {"dynamodb": {"NewImage": {"status": {"S": ["PAID"]}}}})
    )
    assert told(events, gone("1", PAID)) == [("paid", "D")]
    assert told(events, gone("1", OPEN)) == []


def test_by_keys_alone_it_goes_only_to_routes_that_were_named() -> None:
    routes = route("all"), route("paid", VIEW)
    assert told(item_events(*routes), gone("1")) == []
    assert told(item_events(*routes, names=("paid",)), gone("1")) == [("paid", "D")]
    assert told(item_events(*routes, names=("all",)), there(PAID)) == [("all", "S")]


def test_what_cannot_be_read_is_refused_for_those_that_ask() -> None:
    asked: Any = {"dynamodb": {"NewImage": {"status": {"S": ["PAID"]}}}}
    events = item_events(route("asks", asked), route("all"))
    made = events.made_of(there({"id": {"S": "1"}, "status": {"S": 7}}))
    assert [each.event_type for each in made.events] == []
    assert {each.event_type for each in made.refusals} == {"asks", "all"}
    assert {each.reason for each in made.refusals} == {"malformed_record"}


def test_an_event_that_cannot_be_made_is_a_refusal() -> None:
    made = item_events(route("all")).made_of(there({"id": {"S": "1"}, "change": {"S": ""}}))
    [refusal] = made.refusals
    assert (refusal.event_type, refusal.reason) == ("all", "reserved_attribute")


def test_an_item_that_is_too_deep_is_refused() -> None:
    text = b'{"id":{"S":"1"},"a":' + b'{"M":{"a":' * 5000 + b'{"S":""}' + b"}}" * 5000 + b"}"
    item = ReadItem(Raw(b'{"id":{"S":"1"}}'), Raw(text), AT)
    deep = Refusal("asks", "malformed_record", "dynamodb.NewImage is nested too deeply")
    events = item_events(route("asks", {"item": {"a": {"M": {"b": {"S": ["x"]}}}}}))
    assert events.made_of(item).refusals == (deep,)
    assert events.shown(item) is not None


def test_two_reads_are_equal_if_the_routes_show_the_same() -> None:
    events = item_events(route("paid", VIEW))
    tagged = {**PAID, "tags": {"SS": ["a", "b"]}}
    turned = {"tags": {"SS": ["b", "a"]}, **PAID}
    assert events.shown(there(tagged)) == events.shown(there(turned))
    assert events.shown(there(PAID)) != events.shown(there(tagged))
    assert events.shown(there(PAID)) != events.shown(there(OPEN))
    assert events.shown(there(OPEN)) == events.shown(there({**OPEN, "n": {"N": "1"}})) == ()
    assert events.shown(gone("1")) is None
    bad = {**PAID, "a": {"S": 7}}
    assert events.shown(there(bad)) == events.shown(there(bad))
    assert events.shown(there(bad)) != events.shown(there(PAID))
