"""Why a route makes no event of a record, for people. No text has a value of the item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consumer.core.event.event import Withheld
from consumer.core.routes.filters.explanation import first_failure
from consumer.core.routes.filters.filter_set import FilterSet
from consumer.core.routes.filters.question import Unanswered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.event.event import Unbuildable
    from consumer.core.routes.route import Route
    from consumer.core.stream.record import StreamRecord

_OF_OUTBOX: Final[Mapping[Withheld, str]] = {
    Withheld.OUTBOX_MODIFIED: "outbox_modified: a business event is made of an item's first write",
    Withheld.OUTBOX_REMOVED: "a business event is made of an item's first write, not of its end",
}


def why_not_taken(
    routes: Sequence[Route], number: int, record: StreamRecord, stream_arn: str
) -> str:
    """Return why the route of this number does not take a record that it was asked about."""
    route = routes[number]
    if route.filter is not None:
        return f"filter: {first_failure(route.filter, route.keys, record, stream_arn)}"
    for other in routes:
        if other.filter is None:
            continue
        for _, answer in FilterSet([other.filter], other.keys).taken(record, stream_arn):
            takes = "cannot be answered" if isinstance(answer, Unanswered) else "takes it"
            return f"otherwise: the filter of {other.name} {takes}"
    raise ValueError(f"the route {route.name} takes every record")


def why_withheld(route: Route, withheld: Withheld) -> str:
    """Return why a route that takes a record makes no event of it."""
    if withheld is not Withheld.UNCHANGED:
        return _OF_OUTBOX[withheld]
    if route.changed:
        return f"changed: {', '.join(map(str, route.changed))} did not change"
    return "unchanged: nothing that the route shows did change"


def why_unbuildable(poison: Unbuildable) -> str:
    """Return why a record becomes a dead letter."""
    return f"dead letter ({poison.reason}): {poison.detail}"
