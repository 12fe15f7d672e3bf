"""The examiner: the decision about a message received from the dead letter queue.

Rules
- A message that is not a dead letter of a configured event type, in a known version, stays.
- A letter's event is published unchanged, with or without its patch, if its route makes events by
  the same rules today: what it left out since then must not be seen. By other rules the event is
  made again from the letter's record, with the settings of today, in the place that it had among
  those of its key; without a record it stays. No digest is in letters of older versions: their
  events are those of a route that shows everything. An event that shows the touch attribute was
  made by other rules, whatever the digest says.
- Neither filter nor `changed` is asked again; the letter says what the change did to the view. Only
  a record that could not be read at all, when no filter could be asked, is asked of all routes.
- A letter that lost its item or images for size cannot be published, and stays.
- Events are kept in order by the ordering key in the letter, or its digest. A letter without one
  (its keys could not be read at that time) gets the key attributes of CONSUMER_ORDERING_KEY, or all
  those of its record: a record does not tell which of two is the partition key, and at least the
  changes of one item must stay in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Raw
from msgspec.structs import replace

from consumer.core.dead_letters.dead_letter import decode
from consumer.core.dead_letters.letter_key import digest_of
from consumer.core.dead_letters.redrive import (
    EVERYTHING,
    Deliverable,
    Kept,
    RedriveOutcome,
    RouteEvent,
    Selection,
)
from consumer.core.event.attribute import decode_item
from consumer.core.event.event import Category, Event, Unbuildable, Withheld
from consumer.core.event.items.shapes import Shapes
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.touch import touch_attribute
from consumer.core.event.transcode import Transcoder
from consumer.core.routes.assembler import Assembler, crossing_of
from consumer.core.stream.record import StreamRecord, decode_record
from consumer.core.stream.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.dead_letters.dead_letter import DeadLetter
    from consumer.core.dead_letters.redrive import QueuedMessage
    from consumer.core.routes.route import Route

_LOST: Final = frozenset({"item", "images", "record"})
"""Truncation steps after which no event can be made; `patch` is not one."""


class Examiner:
    """Decides whether a message can be published, by the routes of today.

    `table` is the name of their table, as far as it is known: a record that was read by no route is
    asked only of those of its own table. With `as_made`, an event that was made by other rules and
    cannot be made again is published as it stands.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        table: str | None = None,
        selection: Selection = EVERYTHING,
        *,
        as_made: bool = False,
    ) -> None:
        self._routes = {route.event_type: route for route in routes}
        self._table = table
        self._selection = selection
        self._as_made = as_made
        self._shapes = Shapes()

    def examine(self, message: QueuedMessage) -> Deliverable | Kept:
        """Return what is to be published, or why the message stays."""
        try:
            letter = decode(message.body)
        except ValueError as error:
            return Kept(RedriveOutcome.FOREIGN, str(error), None)
        if not self._selection.wants(letter, message.sent_at):
            return Kept(RedriveOutcome.FILTERED, "", letter)
        foreign = self._foreign(letter)
        if foreign is not None:
            return Kept(RedriveOutcome.FOREIGN, foreign, letter)
        if letter.event is None and (_LOST & set(letter.truncated) or letter.record is None):
            why = "too much of it was cut off, for size or because its route leaves it out"
            return Kept(RedriveOutcome.INCOMPLETE, why, letter)
        if not letter.event_type:
            found = self._of_all(letter)
        else:
            found = self._of_one(letter, self._routes[letter.event_type], message.sent_at)
        if isinstance(found, Kept):
            return found
        return Deliverable(message.receipt.message_id, message.receptions, letter, tuple(found))

    def _foreign(self, letter: DeadLetter) -> str | None:
        """Return why a letter is none of these routes, None if it is one."""
        if letter.event_type in self._routes:
            return None
        if letter.event_type:
            named = letter.route not in {"", letter.event_type}
            route = f", its route was {letter.route!r}" if named else ""
            return f"its event type is {letter.event_type!r}{route}"
        try:
            table = Stream.from_arn(letter.stream_arn).table
        except ValueError as error:
            return str(error)
        if self._table is None:
            return f"it is a record of table {table!r}; set CONSUMER_TABLE if that is the table"
        return None if table == self._table else f"it is a record of table {table!r}"

    def _of_one(
        self, letter: DeadLetter, route: Route, sent_at: float
    ) -> Sequence[RouteEvent] | Kept:
        """Return the event of a letter of this route."""
        touch = touch_attribute(route.format.touch_attribute)
        shows_touch = letter.event is not None and touch.is_shown_by(letter.event)
        same = letter.rules == route.rules and not shows_touch
        if letter.event is not None and (same or letter.record is None):
            if shows_touch and not self._as_made:
                why = f"its event shows {touch.name!r}, and the letter has no record"
                return Kept(RedriveOutcome.OTHER_RULES, why, letter)
            if not (same or self._as_made or _made_as_ever(letter, letter.event, route)):
                why = f"route {route.title!r} has changed, and the letter has no record"
                return Kept(RedriveOutcome.OTHER_RULES, why, letter)
            key = letter.ordering_key or ""
            event = Event(letter.sequence or 0, key, letter.eid or "", letter.event, sent_at)
            return [RouteEvent(route.event_type, event, digest_of(key))]
        record = _readable(letter)
        if not isinstance(record, StreamRecord):
            return Kept(RedriveOutcome.UNBUILDABLE, record, letter)
        if route.format.category is Category.BUSINESS and record.event_name != "INSERT":
            why = "its route publishes items that are inserted, and no other change"
            return Kept(RedriveOutcome.UNBUILDABLE, why, letter)
        keys = tuple(decode_item(record.keys))
        form = _known(route, keys, letter).format
        crossing = letter.crossing
        if letter.rules is None:  # a version that had no filters made it
            crossing = crossing_of(route.filter, keys, record, letter.stream_arn)
        # A key that its route left out is not in the record, and in the letter as a digest only.
        maker = Transcoder(form, letter.stream_arn, self._shapes)
        made = maker.event_of(record, crossing, letter.ordering_key)
        if not isinstance(made, Event):
            return Kept(RedriveOutcome.UNBUILDABLE, f"{made.reason}: {made.detail}", letter)
        return [RouteEvent(route.event_type, made, digest_of(made.ordering_key))]

    def _of_all(self, letter: DeadLetter) -> Sequence[RouteEvent] | Kept:
        """Return the events of a letter whose record could not be read: its first ones."""
        record = _readable(letter)
        if not isinstance(record, StreamRecord):
            return Kept(RedriveOutcome.UNBUILDABLE, record, letter)
        keys = tuple(decode_item(record.keys))
        routes = [_known(route, keys, letter) for route in self._routes.values()]
        found: list[RouteEvent] = []
        for number, made in Assembler(routes, letter.stream_arn, self._shapes).events_of(record):
            if isinstance(made, Withheld):
                continue  # its route takes the change, and makes no event of it
            if isinstance(made, Unbuildable):
                why = f"{routes[number].title}: {made.reason}: {made.detail}"
                return Kept(RedriveOutcome.UNBUILDABLE, why, letter)
            event_type = routes[number].event_type
            found.append(RouteEvent(event_type, made, digest_of(made.ordering_key)))
        if not found:
            return Kept(RedriveOutcome.UNWANTED, "its record can be read now", letter)
        return found


def _made_as_ever(letter: DeadLetter, event: bytes, route: Route) -> bool:
    """Return whether the route makes such events as it did in versions without routes.

    Without `routes` a letter may also have been made with another layout or other field names: its
    event is published as it stands, as ever.
    """
    shows_all = route.format.selection is None or b'"aws:rep:' not in event
    return route.is_plain and shows_all and (letter.rules is None or route.single)


def _readable(letter: DeadLetter) -> StreamRecord | str:
    """Return the record of a letter, or why no event can be made of it."""
    try:
        Stream.from_arn(letter.stream_arn)
    except ValueError as error:
        return str(error)
    record = decode_record(Raw(letter.record or b""))
    if not isinstance(record, StreamRecord):
        return f"malformed_record: {record.detail}"
    try:
        decode_item(record.keys)
    except (MalformedItem, RecursionError) as error:
        return f"malformed_record: {error}"
    return record


def _known(route: Route, keys: tuple[str, ...], letter: DeadLetter) -> Route:
    """Return the route with these key attributes, and the prefix of the letter's stream."""
    form = replace(
        route.format,
        ordering_key=route.format.ordering_key or keys,
        stream_prefix=letter.stream_prefix,
    )
    return replace(route, keys=keys, format=form)
