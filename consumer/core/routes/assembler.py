"""The assembler: which routes take a record, and the event that each of them makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.event.event import NO_SOURCES, Crossing
from consumer.core.routes.event_maker import EventMaker
from consumer.core.routes.filters.filter_set import FilterSet
from consumer.core.routes.filters.question import Unanswered
from consumer.core.routes.filters.view import Decision
from consumer.core.stream.record import MalformedRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.event.item_shape import Shapes
    from consumer.core.routes.event_maker import Made
    from consumer.core.routes.filters.lambda_filter import Filter
    from consumer.core.routes.route import Route
    from consumer.core.stream.record import StreamRecord

_CROSSINGS = {Decision.ENTERED: Crossing.ENTERED, Decision.LEFT: Crossing.LEFT}


class Assembler:
    """Makes the events of the records of one stream, by routes in their order."""

    def __init__(self, routes: Sequence[Route], stream_arn: str, shapes: Shapes) -> None:
        self._stream_arn = stream_arn
        self._makers = [EventMaker(route, stream_arn, shapes) for route in routes]
        self._make = [maker.make for maker in self._makers]
        self._reading_metadata = [
            maker
            for maker, route in zip(self._makers, routes, strict=True)
            if route.format.metadata != NO_SOURCES
        ]
        filtered = [number for number, route in enumerate(routes) if route.filter is not None]
        rest = [number for number, route in enumerate(routes) if route.otherwise]
        self._filtered = filtered
        self._rest = rest
        self._taking_all = [n for n in range(len(routes)) if n not in filtered and n not in rest]
        filters = [route.filter for route in routes if route.filter is not None]
        self._filters = FilterSet(filters, routes[0].keys) if filters else None

    def events_of(self, record: StreamRecord | MalformedRecord) -> list[tuple[int, Made]]:
        """Return the number of each route that takes a record, with its event.

        A record that cannot be read well enough for a filter is poison for its route. One that
        cannot be read at all is poison once, and the first route stands for all. What a filter
        takes, or cannot answer, is not left to the route that takes the others.
        """
        if isinstance(record, MalformedRecord):
            return [(0, self._make[0](record, None))]
        if self._filters is None:
            return [(number, make(record, None)) for number, make in enumerate(self._make)]
        events = [(number, self._make[number](record, None)) for number in self._taking_all]
        taken = self._filters.taken(record, self._stream_arn)
        for asked, answer in taken:
            number = self._filtered[asked]
            if isinstance(answer, Unanswered):
                events.append((number, self._makers[number].unanswered(record, answer.detail)))
            else:
                events.append((number, self._make[number](record, _CROSSINGS.get(answer))))
        if not taken:
            events += [(number, self._make[number](record, None)) for number in self._rest]
        return sorted(events, key=_number) if self._taking_all else events

    def take_metadata_left_out(self) -> int:
        """Return how many values were left out of events' metadata since this was asked last."""
        if not self._reading_metadata:
            return 0
        return sum(maker.take_metadata_left_out() for maker in self._reading_metadata)


def crossing_of(
    asked: Filter | None, keys: tuple[str, ...], record: StreamRecord, stream_arn: str
) -> Crossing | None:
    """Return what a change that a filter has taken does to the view, None if it only changes it."""
    if asked is None or not asked.is_view:
        return None
    found = [answer for _, answer in FilterSet([asked], keys).taken(record, stream_arn)]
    answer = found[0] if found else None
    return _CROSSINGS.get(answer) if isinstance(answer, Decision) else None


def _number(made: tuple[int, object]) -> int:
    return made[0]
