"""What `consumer check` says of routes by their settings alone."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.core.event.event import Category, EventFormat
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


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("lines.*.card", "*"),
        ("lines[0].card", "lines[0]"),
        ("lines.[].card", "[]"),
        ("card_*", "card_*"),
        ("/a.b/*", "*"),
        ("lines.card", None),
        ("lines.0.card", None),  # maps have such names
        ("[draft].text", None),
    ],
)
def test_a_path_that_looks_like_a_pattern_is_doubtful(text: str, name: str | None) -> None:
    path = read_path(text)
    hides = EventFormat("a.b", ("id",), selection=Selection(None, (path,)))
    shows = EventFormat("a.b", ("id",), selection=Selection((path,)))
    counts = route("counts", changed=(path,))
    routes = [
        Route("a.b", hides, PublishLimits(), ("id",), name="hides"),
        Route("a.b", shows, PublishLimits(), ("id",), name="shows"),
        counts,
    ]
    doubts = [found for found in judge_routes(routes) if found.severity is Severity.DOUBTFUL]
    assert [found.result for found in doubts] == (
        []
        if name is None
        else [
            f"{route} (a.b): {word}: {text} names an attribute that is called {name!r}, "
            "letter by letter"
            for route, word in (("hides", "exclude"), ("shows", "include"), ("counts", "changed"))
        ]
    )
    assert all("no wildcards" in found.remedy for found in doubts)
