"""Why a route does not take a record, for people. No text has a value of the item."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.routes.filters.explanation import first_failure
from consumer.core.routes.filters.filter_set import FilterSet
from consumer.core.routes.filters.question import Unanswered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.routes.route import Route
    from consumer.core.stream.record import StreamRecord


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
