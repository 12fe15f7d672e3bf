"""The assembler: which routes take a record, and the event that each of them makes of it."""

from __future__ import annotations

from collections import defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from consumer.core.event.event import Crossing
from consumer.core.routes.event_maker import EventMaker
from consumer.core.routes.filters.filter_set import FilterSet
from consumer.core.routes.filters.question import Unanswered
from consumer.core.routes.filters.view import Decision
from consumer.core.stream.record import MalformedRecord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.event.items.shapes import Shapes
    from consumer.core.event.transcode import Change
    from consumer.core.routes.event_maker import Made
    from consumer.core.routes.filters.lambda_filter import Filter
    from consumer.core.routes.route import Route
    from consumer.core.stream.record import StreamRecord

_CROSSINGS: Final[Mapping[Decision, Crossing | None]] = {
    Decision.TAKEN: None,
    Decision.ENTERED: Crossing.ENTERED,
    Decision.LEFT: Crossing.LEFT,
}

Taker = tuple[int, Crossing | Unanswered | None]
"""The number of a route that takes a record, and what the change does there.

Unanswered: it cannot be said whether the route takes it.
"""


class Assembler:
    """Makes the events of the records of one stream, by routes in their order.

    Of many records, ask for the takers of all before the events of the first: filters take a third
    of the time if they are not asked in turns with the making of events, because each fills
    the processor's caches with its own code.
    """

    def __init__(self, routes: Sequence[Route], stream_arn: str, shapes: Shapes) -> None:
        self._stream_arn = stream_arn
        self._makers = [EventMaker(route, stream_arn, shapes) for route in routes]
        self._make = [maker.make for maker in self._makers]
        filtered = [number for number, route in enumerate(routes) if route.filter is not None]
        rest = [number for number, route in enumerate(routes) if route.otherwise]
        taking_all = [n for n in range(len(routes)) if n not in filtered and n not in rest]
        self._filtered = filtered
        self._all: list[Taker] = [(number, None) for number in range(len(routes))]
        self._rest: list[Taker] = [(number, None) for number in rest]
        self._taking_all: list[Taker] = [(number, None) for number in taking_all]
        filters = [route.filter for route in routes if route.filter is not None]
        self._filters = FilterSet(filters, routes[0].keys) if filters else None

    def takers(self, record: StreamRecord | MalformedRecord) -> Sequence[Taker]:
        """Return the routes that take a record, in their order.

        One that cannot be read at all is taken once: the first route stands for all. What a filter
        takes, or cannot answer, is not left to the route that takes the others.
        """
        if isinstance(record, MalformedRecord):
            return [(0, None)]
        if self._filters is None:
            return self._all
        taken = self._filters.taken(record, self._stream_arn)
        if not taken:
            return _merged(self._taking_all, self._rest)
        found: list[Taker] = []
        for asked, answer in taken:
            crossing = answer if isinstance(answer, Unanswered) else _CROSSINGS[answer]
            found.append((self._filtered[asked], crossing))
        return _merged(self._taking_all, found)

    def events_of(self, record: StreamRecord | MalformedRecord) -> list[tuple[int, Made]]:
        """Return the event of each route that takes a record, in the order of the routes.

        Where it is unanswered whether a route takes it, the record is poison for that route.
        """
        (events,) = self.events_of_each([record], [self.takers(record)])
        return events

    def events_of_each(
        self,
        records: Sequence[StreamRecord | MalformedRecord],
        takers: Sequence[Sequence[Taker]],
    ) -> list[list[tuple[int, Made]]]:
        """Return the events of each of some records, whose `takers` are known, as `events_of` does.

        They are all held in memory, and no other event is: give it few records.
        """
        found: list[list[tuple[int, Made]]] = [[] for _ in records]
        changes: dict[int, list[Change]] = defaultdict(list)
        places: dict[int, list[list[tuple[int, Made]]]] = defaultdict(list)
        for record, its_takers, events in zip(records, takers, found, strict=True):
            if isinstance(record, MalformedRecord):
                changes[0].append((record, None))
                places[0].append(events)
                continue
            for number, crossing in its_takers:
                if isinstance(crossing, Unanswered):
                    poison = self._makers[number].unanswered(record, crossing.detail)
                    events.append((number, poison))
                else:
                    changes[number].append((record, crossing))
                    places[number].append(events)
        for number, its_changes in changes.items():
            made_of_each = self._make[number](its_changes)
            for events, made in zip(places[number], made_of_each, strict=True):
                events.append((number, made))
        if len(self._make) > 1:
            for events in found:
                events.sort(key=itemgetter(0))
        return found


def crossing_of(
    asked: Filter | None, keys: tuple[str, ...], record: StreamRecord, stream_arn: str
) -> Crossing | None:
    """Return what a change that a filter has taken does to the view, None if it only changes it."""
    if asked is None or not asked.is_view:
        return None
    found = [answer for _, answer in FilterSet([asked], keys).taken(record, stream_arn)]
    answer = found[0] if found else None
    return _CROSSINGS[answer] if isinstance(answer, Decision) else None


def _merged(some: list[Taker], others: list[Taker]) -> list[Taker]:
    return sorted(some + others, key=itemgetter(0)) if some and others else some or others
