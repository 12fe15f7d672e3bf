"""What `consumer check` says of a route by its settings alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from consumer.core.event.event import Category
from consumer.core.preflight.check_result import CheckResult, Severity
from consumer.core.preflight.filter_check import DEPENDENCY, judge_filter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.core.routes.route import Route


def called(route: Route) -> str:
    """Return how a finding names a route: by its event type, and its name if that is another."""
    if route.single or route.name in ("", route.event_type):
        return route.event_type
    return f"{route.name} ({route.event_type})"


def of_route(route: Route, found: Iterable[CheckResult]) -> list[CheckResult]:
    """Return findings that name the route; those of the single event type name nothing."""
    if route.single:
        return list(found)
    return [replace(each, result=f"{called(route)}: {each.result}") for each in found]


def judge_routes(routes: Sequence[Route]) -> list[CheckResult]:
    """Return what each route takes, and each doubt about its filter. No line contains a value."""
    others_filter = any(route.filter is not None for route in routes)
    found: list[CheckResult] = []
    for route in routes:
        found += of_route(route, _taken(route, others_filter=others_filter))
    return found


def _taken(route: Route, *, others_filter: bool) -> list[CheckResult]:
    if route.filter is not None:
        return judge_filter(route.filter, route.format.category)
    if route.single:
        return []
    if not route.otherwise:
        what = "every inserted item" if route.format.category is Category.BUSINESS else "everything"
        return [CheckResult(DEPENDENCY, Severity.FINE, f"it takes {what}")]
    if others_filter:
        return [CheckResult(DEPENDENCY, Severity.FINE, "it takes what no filter matches")]
    return [
        CheckResult(
            DEPENDENCY,
            Severity.DOUBTFUL,
            "no other route has a filter, so otherwise takes everything",
            "give another route a filter, or leave otherwise out",
        )
    ]
