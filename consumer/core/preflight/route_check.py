"""What `consumer check` says of a route by its settings alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from consumer.core.event.event import Category
from consumer.core.preflight.check_result import CheckResult, Severity
from consumer.core.preflight.filter_check import DEPENDENCY, judge_filter
from consumer.core.routes.unseen_paths import named_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.core.routes.route import Route

_as_element: Final = re.compile(r"(?P<list>.*[^\s])\s*\[[^\]]*\]").fullmatch
_as_all: Final = re.compile(r"\*+|\[[-0-9*:\s]*\]|\$").fullmatch
_AS_LISTS: Final = "a path goes through lists to all their elements"


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
    """Return what each route takes, and the doubts about it. No line has a value of a filter."""
    others_filter = any(route.filter is not None for route in routes)
    found: list[CheckResult] = []
    for route in routes:
        found += of_route(route, _taken(route, others_filter=others_filter))
        found += of_route(route, _doubtful_paths(route))
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


def _doubtful_paths(route: Route) -> list[CheckResult]:
    """Return a doubt about each path that is written as if it had wildcards or places of lists."""
    found: list[CheckResult] = []
    for word, path in named_paths(route):
        name, meant = next(((each, _meant(each)) for each in path.names if _meant(each)), ("", ""))
        if name:
            what = f"{word}: {path} asks for an attribute that is called {name!r}, as written"
            remedy = f"{meant}, unless an attribute has that name"
            found.append(CheckResult("path", Severity.DOUBTFUL, what, remedy))
    return found


def _meant(name: str) -> str:
    """Return what to write in place of a name of a path that is hardly meant, "" for any other."""
    if _as_all(name):
        return f"leave {name} out ({_AS_LISTS})"
    element = _as_element(name)
    if element is not None:
        return f"write {element['list']} ({_AS_LISTS})"
    return "write each name (there are no wildcards)" if "*" in name else ""
