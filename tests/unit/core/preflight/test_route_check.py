"""What `consumer check` says of routes by their settings alone."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.core.event.event import Category, EventFormat, MetadataSources
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.limits import PublishLimits
from consumer.core.preflight.check_result import CheckResult, Severity
from consumer.core.preflight.route_check import called, judge_routes, of_route
from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.routes.route import Route

VIEW = read_filter({"item": {"kind": {"S": ["mary.smith"]}}})
SENT = read_filter({"dynamodb": {"NewImage": {"kind": {"S": ["mary.smith"]}}}})


def route(name: str = "", category: Category = Category.DATA, **members: Any) -> Route:
    form = EventFormat("a.b", ("id",), category=category)
    return Route("a.b", form, PublishLimits(), ("id",), name=name or "a.b", **members)


def told(*routes: Route) -> list[tuple[Severity, str]]:
    return [(found.severity, found.result) for found in judge_routes(routes)]


def test_a_route_is_called_by_its_event_type_and_a_name_of_its_own() -> None:
    assert called(route()) == "a.b"
    assert called(route("public")) == "public (a.b)"
    assert called(route("public", single=True)) == "a.b"
    finding = CheckResult("filter", Severity.FINE, "all is well")
    assert of_route(route("public"), [finding])[0].result == "public (a.b): all is well"
    assert of_route(route(single=True), [finding]) == [finding]


def test_each_route_has_a_line() -> None:
    assert told(route(filter=VIEW), route("rest", otherwise=True), route("all")) == [
        (Severity.FINE, "a.b: a view: what enters is a C, what leaves a D"),
        (Severity.FINE, "rest (a.b): it takes what no filter matches"),
        (Severity.FINE, "all (a.b): it takes everything"),
    ]


def test_the_single_event_type_has_one_only_for_its_filter() -> None:
    assert told(route(single=True)) == []
    ((severity, result),) = told(route(single=True, filter=SENT))
    assert severity is Severity.DOUBTFUL
    assert result.startswith("it takes no REMOVE")


def test_a_doubt_names_its_route_and_no_value() -> None:
    (found,) = judge_routes([route("sent", filter=SENT)])
    assert found.result.startswith("sent (a.b): it takes no REMOVE")
    assert found.remedy
    assert "mary" not in found.result


def test_an_outbox_is_made_of_inserted_items() -> None:
    business = Category.BUSINESS
    assert told(route(category=business), route("sent", business, filter=SENT)) == [
        (Severity.FINE, "a.b: it takes every inserted item"),
        (Severity.FINE, "sent (a.b): each inserted item that matches is an event"),
    ]


def test_a_rest_of_nothing_is_doubtful() -> None:
    ((severity, result),) = told(route("rest", otherwise=True))
    assert severity is Severity.DOUBTFUL
    assert "otherwise takes everything" in result


THROUGH = "which goes through lists to all their elements; leave it if an attribute has that name"
NAMES = (
    "write names with dots between them, for there are no wildcards; "
    "leave it if an attribute has that name"
)


@pytest.mark.parametrize(
    ("text", "name", "remedy"),
    [
        ("lines.*.card", "*", f"write lines.card, {THROUGH}"),
        ("lines.[].card", "[]", f"write lines.card, {THROUGH}"),
        ("lines.[*].card", "[*]", f"write lines.card, {THROUGH}"),
        ("$.card", "$", f"write card, {THROUGH}"),
        ("lines[0].card", "lines[0]", f"write lines.card, {THROUGH}"),
        ("lines [ -1 ].card", "lines [ -1 ]", f"write lines.card, {THROUGH}"),
        ('lines["card"]', 'lines["card"]', NAMES),
        ("a*.b*", "a*", NAMES),
        ("lines[0].card_*", "lines[0]", NAMES),
        ("*", "*", NAMES),
        ("/a.b/*", "*", f"write /a.b, {THROUGH}"),
    ],
)
def test_a_path_that_looks_like_a_pattern_is_doubtful(text: str, name: str, remedy: str) -> None:
    path = read_path(text)
    hides = EventFormat("a.b", ("id",), selection=Selection(None, (path,)))
    shows = EventFormat("a.b", ("id",), selection=Selection((path,)))
    routes = [
        Route("a.b", hides, PublishLimits(), ("id",), name="hides"),
        Route("a.b", shows, PublishLimits(), ("id",), name="shows"),
        route("counts", changed=(path,)),
    ]
    doubts = [found for found in judge_routes(routes) if found.severity is Severity.DOUBTFUL]
    assert [found.result for found in doubts] == [
        f"{route} (a.b): {word}: {text} asks for an attribute that is called {name!r}, as written"
        for route, word in (("hides", "exclude"), ("shows", "include"), ("counts", "changed"))
    ]
    assert [found.remedy for found in doubts] == [remedy] * 3


@pytest.mark.parametrize("text", ["lines.card", "lines.0.card", "[draft].text", "/a.b", "$id"])
def test_other_paths_are_not(text: str) -> None:
    form = EventFormat("a.b", ("id",), selection=Selection(None, (read_path(text),)))
    found = judge_routes([Route("a.b", form, PublishLimits(), ("id",), name="hides")])
    assert [each.severity for each in found] == [Severity.FINE]


def test_names_of_other_settings_are_looked_at_too() -> None:
    form = EventFormat(
        "a.b",
        ("id",),
        selection=Selection(rename=(("card_*", "card"),)),
        category=Category.BUSINESS,
        metadata=MetadataSources(flow_id="flow*"),
        body="lines[0]",
    )
    found = judge_routes([Route("a.b", form, PublishLimits(), ("id",), name="outbox")])
    assert [each.result.split(": ")[1] for each in found[1:]] == ["rename", "metadata", "body"]
