"""Why a route does not take a record."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from consumer.core.event.event import EventFormat
from consumer.core.limits import PublishLimits
from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.routes.refusal import why_not_taken
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
