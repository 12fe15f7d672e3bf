"""Redrive: what is received from the dead letter queue, and what becomes of it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from consumer.core.dead_letters.letter_key import is_key

if TYPE_CHECKING:
    from consumer.core.dead_letters.dead_letter import DeadLetter
    from consumer.core.event.event import Event


class Receipt(Struct, frozen=True):
    """The names of a message that was received: its id, and the handle of its last reception."""

    message_id: str
    handle: str


class QueuedMessage(Struct, frozen=True):
    """A message as received.

    `sent_at` is the time when it was sent to the queue, in epoch seconds. `receptions` counts all
    receptions, including this one.
    """

    receipt: Receipt
    body: bytes
    sent_at: float
    receptions: int


class QueueDepth(Struct, frozen=True):
    """About how many messages a queue holds: those that can be received, and the hidden ones."""

    visible: int
    hidden: int


class RedriveOutcome(StrEnum):
    """The result of a redrive for a message."""

    ACCEPTED = "accepted"  # stored by Nakadi, deleted here
    REFUSED = "refused"  # refused again
    UNBUILDABLE = "no event"  # its stream record still makes no event
    INCOMPLETE = "incomplete"  # it lost its item, images or record for size
    UNWANTED = "no route"  # it was asked of all routes, and none takes it
    OTHER_RULES = "made by other rules"  # its route has changed, and there is no record
    UNSENT = "not sent"  # its event type is stopped or down
    FOREIGN = "not ours"
    FILTERED = "filtered"  # not asked for


class Selection(Struct, frozen=True):
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
            and (self.key is None or is_key(letter.ordering_key, self.key))
        )


EVERYTHING: Final = Selection()


class Kept(Struct, frozen=True):
    """The message stays in the queue for this reason. `letter` is None if it is not a letter."""

    outcome: RedriveOutcome
    why: str
    letter: DeadLetter | None


class RouteEvent(Struct, frozen=True):
    """An event to be published to an event type.

    `key` is the key of the queue in which it is sent, one after the other: a digest of the ordering
    key, because letters of one key may have it as it is or as a digest.
    """

    event_type: str
    event: Event
    key: str


class Deliverable(Struct, frozen=True):
    """The message can be published: its events, one unless it was asked of all routes."""

    message_id: str
    receptions: int
    letter: DeadLetter
    events: tuple[RouteEvent, ...]
