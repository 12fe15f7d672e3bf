"""A view of the table: what a change means to readers of the items that a filter matches."""

from __future__ import annotations

from enum import Enum


class Decision(Enum):
    """What a filter says of a change."""

    NOT_TAKEN = "not taken"
    TAKEN = "taken"
    ENTERED = "entered"  # the item is in the view since this change
    LEFT = "left"  # and since this one it is not


def decide(event_name: str, *, new: bool, old: bool) -> Decision:
    """Return what a view says of a change whose item it shows after it, before it, both, neither.

    An INSERT has no item before, a REMOVE none after: theirs is not asked.
    """
    if event_name == "INSERT":
        return Decision.TAKEN if new else Decision.NOT_TAKEN
    if event_name == "REMOVE":
        return Decision.TAKEN if old else Decision.NOT_TAKEN
    if new:
        return Decision.TAKEN if old else Decision.ENTERED
    return Decision.LEFT if old else Decision.NOT_TAKEN
