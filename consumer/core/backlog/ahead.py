"""How far a shard is settled beyond its watermark, if some event types are left out.

A mark has one sequence number and one set of event types. Each unsettled event type could be in the
set; which choice is best depends on where the oldest unsettled event of each is:

    record       1    2    3   …   900  901  902
    payment      ✗                                     the watermark is before record 1
    audit             (settled)    ✗
    order             (settled)         ✗

The next owner reads on from the watermark. It makes everything of the event types in the set
again, and of the others what lies beyond the mark. Here `behind` is payment alone, up to 899: with
audit in the set, 900 of its events would come again, and without a set, 900 of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Oldest(NamedTuple):
    """The oldest unsettled event of an event type: it is of the record `place`, counted as read.

    `before` is the sequence number of the record before that one, None if none was read.
    """

    place: int
    event_type: str
    before: int | None = None


class DroppedTail(NamedTuple):
    """What was read last and is to be read again, as long as nothing else is read.

    `to` is the number of the newest record, `read` counts the records up to there. `oldest` are the
    oldest events that were dropped, by event type.
    """

    to: int | None
    read: int
    oldest: dict[str, Oldest]


def fewest_repeats(oldest: Sequence[Oldest], end: int, event_types: int) -> int:
    """Return how many of the event types to leave out, so that the fewest events come again.

    `oldest` is in ascending order; `end` is the number of records read, `event_types` how many
    there are, those without an unsettled event among them. To leave out all of them says nothing.
    """
    places = [each.place for each in oldest]
    places += [end] * (event_types - len(oldest))
    best, fewest = 0, sum(places) - places[0] * len(places)
    within, beyond = 0, sum(places)
    for count in range(1, len(places)):
        within += places[count - 1] - places[0]
        beyond -= places[count - 1]
        repeats = within + beyond - places[count] * (len(places) - count)
        if repeats <= fewest and count <= len(oldest):
            best, fewest = count, repeats
    return best
