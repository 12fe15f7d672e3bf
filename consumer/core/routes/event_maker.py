"""What a route makes of a record that its filter takes: an event, or nothing, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from consumer.core.event.event import Category, Crossing, Event, Unbuildable, Withheld
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.selection.attribute_changes import AttributeChanges
from consumer.core.event.transcode import Transcoder
from consumer.core.stream.record import MalformedRecord, StreamRecord

if TYPE_CHECKING:
    from consumer.core.event.item_shape import Shapes
    from consumer.core.routes.route import Route

Made = Event | Unbuildable | Withheld
"""What a route makes of a record that it takes."""

Make = Callable[[StreamRecord | MalformedRecord, Crossing | None], Made]


class EventMaker:
    """Makes the events of one route. `make` takes a record and what it does to a view."""

    make: Make

    def __init__(self, route: Route, stream_arn: str, shapes: Shapes) -> None:
        self._transcoder = Transcoder(route.format, stream_arn, shapes)
        self._changes = AttributeChanges(route.changed)
        if route.format.category is Category.BUSINESS:
            self.make = self._of_outbox
        elif route.changed:
            self.make = self._if_attributes_differ
        elif route.skip_unchanged:
            self.make = self._transcoder.event_if_changed
        else:
            self.make = self._transcoder.event_of

    def unanswered(self, record: StreamRecord, detail: str) -> Unbuildable:
        """Return poison: it cannot be said whether the route takes this record."""
        return self._transcoder.unanswered(record, detail)

    def take_metadata_left_out(self) -> int:
        """Return how many values were left out of metadata since this was asked last."""
        count, self._transcoder.metadata_left_out = self._transcoder.metadata_left_out, 0
        return count

    def _of_outbox(self, record: StreamRecord | MalformedRecord, crossing: Crossing | None) -> Made:
        """Return the event of an item that is one: it happens once, when the item is written."""
        if isinstance(record, MalformedRecord) or record.event_name == "INSERT":
            return self._transcoder.event_of(record, crossing)
        modified = record.event_name == "MODIFY"
        return Withheld.OUTBOX_MODIFIED if modified else Withheld.OUTBOX_REMOVED

    def _if_attributes_differ(
        self, record: StreamRecord | MalformedRecord, crossing: Crossing | None
    ) -> Made:
        """Return the event; of an update only if it changes one of the attributes that count."""
        if (
            isinstance(record, MalformedRecord)
            or record.event_name != "MODIFY"
            or crossing is not None
        ):
            return self._transcoder.event_of(record, crossing)
        try:
            differ = self._changes.differ(record.old_image, record.new_image)
        except MalformedItem as error:
            return self.unanswered(record, str(error))
        except RecursionError:
            return self.unanswered(record, "its item is nested too deeply")
        return self._transcoder.event_of(record) if differ else Withheld.UNCHANGED
