"""Redrive: the decision about a message received from the dead letter queue.

Rules
- A message that is not a dead letter of a configured event type, in a known version, stays.
- A letter with an event is published unchanged, with or without its patch. One with a stream record
  is transcoded with the settings of today. One that lost its item or images for size cannot be
  published, and stays.
- Events are kept in order by the ordering key in the letter. A letter without one (its keys could
  not be read at that time) gets the key attributes of CONSUMER_ORDERING_KEY, or all those of its
  record: a record does not tell which of two is the partition key, and at least the changes of one
  item must stay in order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import DecodeError, Raw, json

from consumer.core.dead_letters.dead_letter import DeadLetter, decode
from consumer.core.event.attribute import decode_item
from consumer.core.event.event import Event
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.transcode import Transcoder
from consumer.core.routes.assembler import crossing_of
from consumer.core.stream.record import StreamRecord, decode_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.core.event.item_shape import Shapes
    from consumer.core.routes.route import Route

_LOST: Final = frozenset({"item", "images", "record"})
"""Truncation steps after which no event can be made; `patch` is not one."""

_decode_key = json.Decoder(list[Raw]).decode
_decode_text = json.Decoder(str).decode


@dataclass(frozen=True, slots=True)
class Receipt:
    """The names of a message that was received: its id, and the handle of its last reception."""

    message_id: str
    handle: str


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message as received.

    `sent_at` is the time when it was sent to the queue, in epoch seconds. `receptions` counts all
    receptions, including this one.
    """

    receipt: Receipt
    body: bytes
    sent_at: float
    receptions: int


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """About how many messages a queue holds: those that can be received, and the hidden ones."""

    visible: int
    hidden: int


class RedriveOutcome(StrEnum):
    """The result of a redrive for a message."""

    ACCEPTED = "accepted"  # stored by Nakadi, deleted here
    REFUSED = "refused"  # refused again
    UNBUILDABLE = "no event"  # its stream record still makes no event
    INCOMPLETE = "incomplete"  # it lost its item, images or record for size
    FOREIGN = "not ours"
    FILTERED = "filtered"  # not asked for


@dataclass(frozen=True, slots=True)
class Selection:
    """The letters that are to be published; all of them by default.

    `since` is the earliest time of sending to the queue (epoch seconds). `key` is an ordering key
    as letters have it (`["o-4711"]`) or, if it has one attribute, just its value (`o-4711`).
    """

    since: float | None = None
    reasons: frozenset[str] = frozenset()
    key: str | None = None

    def wants(self, letter: DeadLetter, sent_at: float) -> bool:
        """Return whether the letter, sent to the queue at `sent_at`, is one of them."""
        return (
            (self.since is None or sent_at >= self.since)
            and (not self.reasons or letter.reason in self.reasons)
            and (self.key is None or _is_key(letter.ordering_key, self.key))
        )


EVERYTHING: Final = Selection()


@dataclass(frozen=True, slots=True)
class Kept:
    """The message stays in the queue for this reason. `letter` is None if it is not a letter."""

    outcome: RedriveOutcome
    why: str
    letter: DeadLetter | None


@dataclass(frozen=True, slots=True)
class Deliverable:
    """The message can be published.

    `key` is the key of the queue in which its event is sent, one after the other; a window is
    sorted by `sort_key` before.
    """

    message_id: str
    receptions: int
    letter: DeadLetter
    event: Event
    key: str

    @property
    def sort_key(self) -> tuple[str, int]:
        """The sort key of events: the stream, whose ARN ends in its time, then the sequence."""
        return self.letter.stream_arn, self.event.sequence


def examine(
    message: QueuedMessage, routes: Mapping[str, Route], selection: Selection, shapes: Shapes
) -> Deliverable | Kept:
    """Decide whether a message can be published. `routes` are those of today, by event type."""
    try:
        letter = decode(message.body)
    except ValueError as error:
        return Kept(RedriveOutcome.FOREIGN, str(error), None)
    if not selection.wants(letter, message.sent_at):
        return Kept(RedriveOutcome.FILTERED, "", letter)
    route = routes.get(letter.event_type)
    if route is None:
        return Kept(RedriveOutcome.FOREIGN, f"its event type is {letter.event_type!r}", letter)
    if _LOST & set(letter.truncated) or (letter.event is None and letter.record is None):
        return Kept(RedriveOutcome.INCOMPLETE, "too much of it was cut off for size", letter)
    event = _event(letter, message.sent_at, route, shapes)
    if not isinstance(event, Event):
        return Kept(RedriveOutcome.UNBUILDABLE, event, letter)
    key = letter.ordering_key if letter.ordering_key is not None else event.ordering_key
    return Deliverable(message.receipt.message_id, message.receptions, letter, event, key)


def _event(letter: DeadLetter, sent_at: float, route: Route, shapes: Shapes) -> Event | str:
    """Return the event to publish, or the reason why there is none.

    Whether the route's filter takes the record is not asked again, only what its item does.
    """
    if letter.event is not None:
        key = letter.ordering_key or ""
        return Event(letter.sequence or 0, key, letter.eid or "", letter.event, sent_at)
    record = decode_record(Raw(letter.record or b""))
    if not isinstance(record, StreamRecord):
        return f"malformed_record: {record.detail}"
    try:
        key_attributes = tuple(decode_item(record.keys))
    except (MalformedItem, RecursionError) as error:
        return f"malformed_record: {error}"
    form = route.format
    today = replace(form, ordering_key=form.ordering_key or key_attributes)
    crossing = crossing_of(route.filter, key_attributes, record, letter.stream_arn)
    made = Transcoder(today, letter.stream_arn, shapes).event_of(record, crossing)
    return made if isinstance(made, Event) else f"{made.reason}: {made.detail}"


def _is_key(found: str | None, wanted: str) -> bool:
    if found is None or found == wanted:
        return found is not None
    try:
        parts = _decode_key(found)
        (only,) = [
            _decode_text(part) if bytes(part)[:1] == b'"' else str(bytes(part), "utf-8")
            for part in parts
        ]
    except (DecodeError, ValueError):
        return False
    return only == wanted
