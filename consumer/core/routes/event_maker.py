"""What a route makes of a record that its filter takes: an event, or nothing, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from consumer.core.event.event import Category, Event, Unbuildable, Withheld
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.selection.attribute_changes import AttributeChanges
from consumer.core.event.touch import touch_attribute
from consumer.core.event.transcode import Change, Transcoder
from consumer.core.stream.record import MalformedRecord, StreamRecord

if TYPE_CHECKING:
    from consumer.core.event.items.shapes import Shapes
    from consumer.core.routes.route import Route

Made = Event | Unbuildable | Withheld
"""What a route makes of a record that it takes."""

Make = Callable[[Sequence[Change]], Sequence[Made]]


class EventMaker:
    """Makes the events of one route. `make` takes records that it takes, as many as memory holds.

    With each comes what its change does to a view.
    """

    make: Make

    def __init__(self, route: Route, stream_arn: str, shapes: Shapes) -> None:
        self._transcoder = Transcoder(route.format, stream_arn, shapes)
        self._changes = AttributeChanges(route.changed)
        self._touch = touch_attribute(route.format.touch_attribute)
        if route.format.category is Category.BUSINESS:
            self.make = partial(self._make_others, self._withheld_of_outbox)
        elif route.changed:
            self.make = partial(self._make_others, self._withheld_if_same)
        elif route.skip_unchanged:
            self.make = self._transcoder.events_if_changed
        else:
            self.make = self._transcoder.events_of

    def unanswered(self, record: StreamRecord, detail: str) -> Unbuildable:
        """Return poison: it cannot be said whether the route takes this record."""
        return self._transcoder.unanswered(record, detail)

    def _make_others(
        self, withheld: Callable[[Change], Withheld | Unbuildable | None], changes: Sequence[Change]
    ) -> list[Made]:
        """Make the events of the changes of which none is withheld."""
        found = [*map(withheld, changes)]
        others = [change for change, made in zip(changes, found, strict=True) if made is None]
        events = iter(self._transcoder.events_of(others))
        return [next(events) if made is None else made for made in found]

    def _withheld_if_same(self, change: Change) -> Withheld | Unbuildable | None:
        """Return UNCHANGED for an update that changes none of the attributes that count."""
        record, crossing = change
        if (
            isinstance(record, MalformedRecord)
            or record.event_name != "MODIFY"
            or crossing is not None
        ):
            return None
        try:
            differ = self._changes.differ(record.old_image, record.new_image)
        except MalformedItem as error:
            return self.unanswered(record, str(error))
        except RecursionError:
            return self.unanswered(record, "its item is nested too deeply")
        return None if differ else Withheld.UNCHANGED

    def _withheld_of_outbox(self, change: Change) -> Withheld | None:
        """Return why an item that is an event has none: it happens once, when it is written."""
        record, _ = change
        if isinstance(record, MalformedRecord) or record.event_name == "INSERT":
            return None
        if record.event_name == "REMOVE":
            return Withheld.OUTBOX_REMOVED
        touched = self._touch.has_changed_alone(record, there=True)
        return Withheld.UNCHANGED if touched else Withheld.OUTBOX_MODIFIED
