"""What becomes of an item that was read: the event of each route that takes part and takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.event.malformed import MalformedItem
from consumer.core.republish.item_event import ItemEventMaker, Refusal
from consumer.core.republish.item_record import ItemRecords
from consumer.core.routes.assembler import Assembler
from consumer.core.routes.filters.question import Unanswered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.event.event import Event
    from consumer.core.event.items.shapes import Shapes
    from consumer.core.republish.item_event import Run
    from consumer.core.republish.table.read_item import ReadItem
    from consumer.core.republish.taking_part import Participation
    from consumer.core.routes.route import Route


class MadeEvent(Struct, frozen=True):
    """An event, and the event type to which it is published."""

    event_type: str
    event: Event


class Made(Struct, frozen=True):
    """What was made of an item. Neither events nor refusals: no route takes it."""

    events: tuple[MadeEvent, ...]
    refusals: tuple[Refusal, ...]


Shown = tuple[tuple[str, bytes], ...] | None
"""What the routes show of an item, by event type; None if the key is absent."""


class ItemEvents:
    """Makes the events of the items of one table, for all routes that take part.

    `routes` are all routes of the service: what the filter of any matches is not left to the one
    that takes the rest.
    """

    def __init__(
        self, routes: Sequence[Route], participation: Participation, run: Run, shapes: Shapes
    ) -> None:
        self.run = run
        self._records = ItemRecords(run.stream.arn)
        self._assembler = Assembler(routes, run.stream.arn, shapes)
        self._event_types = [route.event_type for route in routes]
        self._named = participation.named
        self._makers = {
            route.event_type: ItemEventMaker(route.event_type, route.format, run, shapes)
            for route in participation.taking
        }

    def made_of(self, item: ReadItem) -> Made:
        """Return the events of an item, S or D, in the order of the routes."""
        events: list[MadeEvent] = []
        refusals: list[Refusal] = []
        for event_type, unanswered in self._takers(item):
            if unanswered is not None:
                refusals.append(Refusal(event_type, "malformed_record", unanswered.detail))
                continue
            made = self._makers[event_type].event_of(item)
            if isinstance(made, Refusal):
                refusals.append(made)
            else:
                events.append(MadeEvent(event_type, made))
        return Made(tuple(events), tuple(refusals))

    def shown(self, item: ReadItem) -> Shown:
        """Return what the routes show of an item: two reads with the same are equal."""
        if item.item is None:
            return None
        return tuple(
            (event_type, self._shown(event_type, item)) for event_type, _ in self._takers(item)
        )

    def _shown(self, event_type: str, item: ReadItem) -> bytes:
        """Return what a route shows. Of what it cannot show all is compared."""
        try:
            return self._makers[event_type].shown(item)
        except (MalformedItem, RecursionError):
            return bytes(item.item or b"")

    def _takers(self, item: ReadItem) -> list[tuple[str, Unanswered | None]]:
        """Return the event types that take an item, or of which it cannot be said."""
        if item.item is None and item.last_image is None:
            return [(name, None) for name in self._event_types if name in self._named]
        return [
            (self._event_types[number], answer if isinstance(answer, Unanswered) else None)
            for number, answer in self._assembler.takers(self._records.record_of(item))
            if self._event_types[number] in self._makers
        ]
