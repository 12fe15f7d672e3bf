"""The mark of a lease row: what runs ahead of its checkpoint.

While an event type is down its events hold the checkpoint; the other event types go on. The mark
says how far they went: up to `Ahead.to` everything is settled but events of the types `behind`.
The next owner reads on from the checkpoint. Up to there it makes only these, and those of event
types that the writer did not know: a route whose event type has a new name goes on where the old
one was.

Rule: the mark carries the row's `commandCounter`, and holds only while the two are equal. A worker
of a version that knows no marks leaves it as it is. By moving the checkpoint on, it keeps the mark
true; by obeying a seek, it raises the counter.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import Struct


@dataclass(frozen=True, slots=True)
class Ahead:
    """Up to the sequence number `to` everything is settled but events of the types `behind`.

    `behind` is sorted and not empty. `event_types` are those that this is said of, `behind` among
    them; None: all that there are. Two that differ in it only are equal: whichever is kept is true.
    """

    to: int
    behind: tuple[str, ...]
    event_types: tuple[str, ...] | None = field(default=None, compare=False)

    def leaves(self, sequence: int, event_type: str) -> bool:
        """Return whether the event of this type of a record may be unsettled."""
        if sequence > self.to or event_type in self.behind:
            return True
        return self.event_types is not None and event_type not in self.event_types


class Mark(Struct, frozen=True):
    """What a lease row says of what runs ahead; `command_counter` is that of the row then."""

    ahead: Ahead
    command_counter: int


def lost_for_both(first: Ahead | None, again: Ahead | None) -> Ahead | None:
    """Return what two meetings with one gap say together; None: it may be lost for every type."""
    if first is None or again is None:
        return None
    return Ahead(min(first.to, again.to), tuple(sorted({*first.behind, *again.behind})))
