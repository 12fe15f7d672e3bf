"""Why a route makes no event of a record."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from consumer.core.event.event import EventFormat, Unbuildable, Withheld
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.limits import PublishLimits
from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.routes.refusal import why_not_taken, why_unbuildable, why_withheld
from consumer.core.routes.route import Route
from consumer.core.stream.record import StreamRecord, decode_record
from tests.reference.records import KEYS, record_of

PAID = read_filter({"item": {"status": {"S": ["PAID"]}}})


def route(name: str, **members: Any) -> Route:
    return Route(name, EventFormat(name, ("id",)), PublishLimits(), ("id",), name=name, **members)


def record(status: object) -> StreamRecord:
    item = KEYS | {"status": {"S": status}}
    found = decode_record(Raw(json.dumps(record_of("INSERT", None, item)).encode()))
    assert isinstance(found, StreamRecord)
    return found


def test_the_first_condition_of_the_filter_that_failed() -> None:
    routes = [route("all"), route("paid", filter=PAID)]
    reason = why_not_taken(routes, 1, record("mary.smith"), "arn")
    assert reason == "filter: item.status.S: equals does not match"


@pytest.mark.parametrize(("status", "takes"), [("PAID", "takes it"), (7, "cannot be answered")])
def test_the_filter_that_leaves_nothing_to_the_rest(status: object, takes: str) -> None:
    other = route("open", filter=read_filter({"eventName": ["REMOVE"]}))
    routes = [route("all"), other, route("paid", filter=PAID), route("rest", otherwise=True)]
    reason = why_not_taken(routes, 3, record(status), "arn")
    assert reason == f"otherwise: the filter of paid {takes}"


def test_a_route_that_takes_everything_has_no_reason() -> None:
    with pytest.raises(ValueError, match="the route all takes every record"):
        why_not_taken([route("all")], 0, record("PAID"), "arn")


def test_what_did_not_change() -> None:
    changed = route("a", changed=(read_path("status"), read_path("customer.iban")))
    assert why_withheld(changed, Withheld.UNCHANGED) == (
        "changed: status, customer.iban did not change"
    )
    assert why_withheld(route("a"), Withheld.UNCHANGED) == (
        "unchanged: nothing that the route shows did change"
    )


def test_every_way_of_an_outbox_is_told() -> None:
    told = {why_withheld(route("a"), each) for each in Withheld}
    assert len(told) == len(Withheld)
    assert why_withheld(route("a"), Withheld.OUTBOX_MODIFIED).startswith("outbox_modified: ")


def test_poison() -> None:
    poison = Unbuildable(1, "k", "e", "reserved_attribute", "attribute 'patch': x", b"", None)
    assert why_unbuildable(poison) == "dead letter (reserved_attribute): attribute 'patch': x"
