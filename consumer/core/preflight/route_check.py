"""What `consumer check` says of a route by its settings alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from consumer.core.event.event import Category
from consumer.core.event.selection.attribute_path import AttributePath
from consumer.core.preflight.check_result import CheckResult, Severity
from consumer.core.preflight.filter_check import DEPENDENCY, judge_filter
from consumer.core.routes.unseen_paths import named_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.core.routes.route import Route

_looks_odd: Final = re.compile(r"\*|.\[[^\]]*\]$|^\[[-0-9:\s]*\]$|^\$$").search
_all_elements: Final = re.compile(r"\s*\[[-0-9*:\s]*\]$|^\*+$|^\$$").sub


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
        odd = next(filter(_looks_odd, path.names), None)
        if odd is not None:
            what = f"{word}: {path} asks for an attribute that is called {odd!r}, as written"
            found.append(CheckResult("path", Severity.DOUBTFUL, what, _remedy(path)))
    return found


def _remedy(path: AttributePath) -> str:
    """Return what to write in place of such a path."""
    names = tuple(filter(None, (_all_elements("", name) for name in path.names)))
    if not names or any(map(_looks_odd, names)):
        meant = "write names with dots between them, for there are no wildcards"
    else:
        meant = f"write {AttributePath(names)}, which goes through lists to all their elements"
    return f"{meant}; leave it if an attribute has that name"
