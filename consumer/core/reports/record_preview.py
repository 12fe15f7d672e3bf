"""What `consumer preview` shows of a record: the events that routes make of it, or why not.

No text but the events themselves has a value of the item, and these have what their route shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Raw, Struct, json

from consumer.core.event.event import Unbuildable, Withheld
from consumer.core.printable import printable
from consumer.core.routes.assembler import Assembler
from consumer.core.routes.refusal import why_not_taken
from consumer.core.stream.record import MalformedRecord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.event.items.shapes import Shapes
    from consumer.core.routes.route import Route
    from consumer.core.routes.sightings import Sightings
    from consumer.core.stream.recording import RecordedRecord

_OF_OUTBOX: Final[Mapping[Withheld, str]] = {
    Withheld.OUTBOX_MODIFIED: "outbox_modified: a business event is made of an item's first write",
    Withheld.OUTBOX_REMOVED: "a business event is made of an item's first write, not of its end",
}


class PreviewedEvent(Struct, frozen=True, omit_defaults=True):
    """An event as it would be published, and the route that makes it.

    `metadata_left_out` is how many values were to be metadata of it, and Nakadi would refuse them.
    """

    route: str
    event_type: str
    event: Raw
    metadata_left_out: int = 0


class NotTaken(Struct, frozen=True):
    """A route that makes no event of a record, and why."""

    route: str
    reason: str


class RecordPreview(Struct, frozen=True):
    """What becomes of a record. Its members are those of the line that `--json` prints."""

    sequence_number: str | None
    events: list[PreviewedEvent]
    not_taken: list[NotTaken]

    def as_json(self) -> str:
        """Return it as one line of JSON; the bytes of events are those that are published."""
        return json.encode(self).decode()

    def as_text(self, event_name: str) -> str:
        """Return lines for people."""
        made, routes = len(self.events), len(self.events) + len(self.not_taken)
        lines = [f"{event_name} {self.sequence_number}: {made} of {routes} routes"]
        for event in self.events:
            lines += [f"  {event.route} → {event.event_type}", f"    {bytes(event.event).decode()}"]
            if event.metadata_left_out:
                lines.append(f"    {_left_out(event.metadata_left_out)}")
        lines += [f"  {each.route}: not taken, {each.reason}" for each in self.not_taken]
        return "".join(f"{printable(line)}\n" for line in lines)


class Previewer(Struct, frozen=True):
    """Shows what routes make of the records of one stream, in the way of the service."""

    routes: Sequence[Route]
    stream_arn: str
    assembler: Assembler
    sightings: Sightings

    @classmethod
    def of(
        cls, routes: Sequence[Route], stream_arn: str, shapes: Shapes, sightings: Sightings
    ) -> Previewer:
        """Make it for the routes of a stream; `sightings` note what it shows."""
        return cls(routes, stream_arn, Assembler(routes, stream_arn, shapes), sightings)

    def preview(self, recorded: RecordedRecord) -> RecordPreview:
        """Return what becomes of a record."""
        record = recorded.record
        if isinstance(record, MalformedRecord):
            reason = f"dead letter (malformed_record): {record.detail}"
            unread = [NotTaken(route.name, reason) for route in self.routes]
            return RecordPreview(recorded.number, [], unread)
        events: list[PreviewedEvent] = []
        refused: dict[int, str] = {}
        for number, made in self.assembler.events_of(record):
            route = self.routes[number]
            if isinstance(made, Withheld):
                refused[number] = _why_withheld(route, made)
            elif isinstance(made, Unbuildable):
                refused[number] = _why_unbuildable(made)
            else:
                body, left_out = Raw(made.body), made.left_out
                events.append(PreviewedEvent(route.name, route.event_type, body, left_out))
                refused[number] = ""
                self.sightings.take(number)
        self.sightings.see(record)
        for number in range(len(self.routes)):
            if number not in refused:
                refused[number] = why_not_taken(self.routes, number, record, self.stream_arn)
        not_taken = [
            NotTaken(self.routes[number].name, reason)
            for number, reason in sorted(refused.items())
            if reason
        ]
        return RecordPreview(recorded.number, events, not_taken)


def summary(sightings: Sightings) -> list[str]:
    """Return what is to be looked at after all records: idle routes, and paths that none had."""
    if not sightings.records:
        return ["no record was read"]
    lines = [f"route {route.name} took nothing" for route in sightings.idle()]
    lines += [
        f"route {route.name}, {word}: no record had {path}"
        for route, word, path in sightings.unseen()
    ]
    return [printable(line) for line in lines]


def _left_out(count: int) -> str:
    """Return what is said of values that are no metadata."""
    values, them = ("a value", "it") if count == 1 else (f"{count} values", "them")
    return f"without {values} that `metadata` names: of that form Nakadi refuses {them}"


def _why_withheld(route: Route, withheld: Withheld) -> str:
    """Return why a route that takes a record makes no event of it."""
    if withheld is not Withheld.UNCHANGED:
        return _OF_OUTBOX[withheld]
    if route.changed:
        return f"changed: {', '.join(map(str, route.changed))} did not change"
    return "unchanged: nothing changed of what the route shows"


def _why_unbuildable(poison: Unbuildable) -> str:
    """Return why a record becomes a dead letter."""
    return f"dead letter ({poison.reason}): {poison.detail}"
