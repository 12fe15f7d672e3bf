"""What `consumer check` says of a filter: what AWS accepts, and is hardly meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consumer.core.event.event import Category
from consumer.core.preflight.check_result import CheckResult, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.core.routes.filters.lambda_filter import Filter

DEPENDENCY: Final = "filter"


def judge_filter(asked: Filter, category: Category = Category.DATA) -> list[CheckResult]:
    """Return a line for each doubt about a filter, or if there is none, one that says what it does.

    `category` is that of the events. No line contains a value of the filter: it may name people.
    """
    found = [
        CheckResult(DEPENDENCY, Severity.DOUBTFUL, f"{place}: {reason}", "correct the filter")
        for place, reason in asked.doubts
    ]
    if category is Category.DATA:
        found += _silences(asked)
    return found or [CheckResult(DEPENDENCY, Severity.FINE, _taken(asked, category))]


def _taken(asked: Filter, category: Category) -> str:
    if category is Category.BUSINESS:
        return "each inserted item that matches is an event"
    if asked.is_view:
        return "a view: what enters is a C, what leaves a D"
    return "by keys: an item is taken always, or never" if asked.patterns else "it takes everything"


def _silences(asked: Filter) -> Iterator[CheckResult]:
    """Yield what readers are not told of items."""
    if asked.drops_deletes:
        yield CheckResult(
            DEPENDENCY,
            Severity.DOUBTFUL,
            "it takes no REMOVE, because it asks for the new image: readers keep deleted items",
            "ask for `item` in place of `dynamodb.NewImage`",
        )
    elif not (asked.is_view or asked.is_by_keys):
        yield CheckResult(
            DEPENDENCY,
            Severity.DOUBTFUL,
            "it says which changes are sent, and nothing of items that leave it: readers keep them",
            "ask for `item`: then what enters is a C, and what leaves a D",
        )
