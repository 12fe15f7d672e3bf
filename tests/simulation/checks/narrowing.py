"""Which changes an event type of a run takes, and what its events must say of them.

The workers are given routes. What they mean is written out here once more, as tables over the kind
of an item before a change and after it: nothing of the service is asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Kind = str | None
"""The attribute `kind` of an item; None while there is no such item."""

KINDS_OF_ITEMS = ("A", "B")


class Narrowing(StrEnum):
    """How an event type is narrowed."""

    NONE = "none"
    VIEW = "view"  # it shows items of kind A: some enter, some leave
    NEW_IMAGE = "new_image"  # changes that make an item one of kind A, or leave it one
    NAMES = "names"  # items that come and go
    REST = "rest"  # what the filter of no other event type takes


class Showing(StrEnum):
    """What an event type shows, and which changes of it count."""

    ALL = "all"
    HIDES = "hides"  # all but the attribute HIDDEN
    PICKS = "picks"  # the attributes PICKED only, so that other changes are none
    CHANGES = "changes"  # everything, if the kind changes


HIDDEN = "hidden_member"
PICKED = ("id", "kind")


@dataclass(frozen=True)
class Rules:
    """One event type."""

    narrowing: Narrowing = Narrowing.NONE
    showing: Showing = Showing.ALL

    @property
    def hides(self) -> bool:
        """Whether the secret must be in nothing that leaves the worker."""
        return self.showing in (Showing.HIDES, Showing.PICKS)

    @property
    def counts_kinds_only(self) -> bool:
        return self.showing in (Showing.PICKS, Showing.CHANGES)


PATTERNS: Mapping[Narrowing, object] = {
    Narrowing.VIEW: {"item": {"kind": {"S": ["A"]}}},
    Narrowing.NEW_IMAGE: {"dynamodb": {"NewImage": {"kind": {"S": ["A"]}}}},
    Narrowing.NAMES: {"eventName": ["INSERT", "REMOVE"]},
}
"""The filters, as an operator would write them."""


@dataclass(frozen=True)
class Expected:
    """What the event of a change must say. `crossing` is `entered`, `left` or None."""

    data_op: str
    crossing: str | None = None
    patch: bool = False

    @property
    def shows_new(self) -> bool:
        """Whether it carries the item as it is after the change."""
        return self.data_op != "D"


MADE, CHANGED, REMOVED = Expected("C"), Expected("U", patch=True), Expected("D")
ENTERED, LEFT = Expected("C", "entered"), Expected("D", "left")

TABLES: Mapping[Narrowing, Mapping[tuple[Kind, Kind], Expected]] = {
    Narrowing.NONE: {
        (None, "A"): MADE,
        (None, "B"): MADE,
        ("A", "A"): CHANGED,
        ("A", "B"): CHANGED,
        ("B", "A"): CHANGED,
        ("B", "B"): CHANGED,
        ("A", None): REMOVED,
        ("B", None): REMOVED,
    },
    Narrowing.VIEW: {
        (None, "A"): MADE,
        ("A", "A"): CHANGED,
        ("A", "B"): LEFT,
        ("B", "A"): ENTERED,
        ("A", None): REMOVED,
    },
    Narrowing.NEW_IMAGE: {
        (None, "A"): MADE,
        ("A", "A"): CHANGED,
        ("B", "A"): CHANGED,
    },
    Narrowing.NAMES: {
        (None, "A"): MADE,
        (None, "B"): MADE,
        ("A", None): REMOVED,
        ("B", None): REMOVED,
    },
}
"""By the kind before a change and after it; nothing is published of what is not in the table."""

TAKES_ALL = TABLES[Narrowing.NONE]


def expected_of(
    rules: Mapping[str, Rules], name: str, kinds: tuple[Kind, Kind], *, touched: bool = False
) -> Expected | None:
    """What the event of a change must say in an event type; None if there must be none.

    What is touched has changed for all but those who name what must change.
    """
    mine = rules[name]
    if mine.narrowing is Narrowing.REST:
        others = [each.narrowing for each in rules.values() if each.narrowing in PATTERNS]
        taken = any(kinds in TABLES[other] for other in others)
        found = None if taken else TAKES_ALL.get(kinds)
    else:
        found = TABLES[mine.narrowing].get(kinds)
    if found == CHANGED and mine.counts_kinds_only and kinds[0] == kinds[1]:
        return found if touched and mine.showing is Showing.PICKS else None
    return found
