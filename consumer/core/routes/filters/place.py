"""Places: where in a stream record the values of a pattern's path are.

A path is names joined with dots. A name of an attribute may have dots, too: it ends where a type
follows that leads on, so `a.b.S` is the text of the attribute `a.b`, and `a.M.b.S` the text `b` in
the map `a`. (Of an attribute that is really named `a.M.b` AWS would match the text as well.)
Only leaves have a place: values, not the objects around them.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from consumer.core.routes.language.scalar import SETS_OF_TEXTS, SINGLE_TEXTS, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping


class Source(Enum):
    """A part of a stream record that is read on its own, by the first names of its paths.

    ITEM is ours: the image that the event carries.
    """

    MEMBERS = "members"
    KEYS = "dynamodb.Keys"
    NEW_IMAGE = "dynamodb.NewImage"
    OLD_IMAGE = "dynamodb.OldImage"
    ITEM = "item"


class Step(NamedTuple):
    """An attribute and the types that lead on: `M` into it, `L` to each element, last a leaf's."""

    name: str
    types: tuple[str, ...]


class Place(NamedTuple):
    """A leaf: of an item its attribute and the steps below, else a member of the record."""

    source: Source
    steps: tuple[Step, ...]
    kind: Kind

    @property
    def name(self) -> str:
        """The attribute of the item, or the member of the record."""
        return self.steps[0].name

    @property
    def is_set(self) -> bool:
        """Whether the leaf holds several texts."""
        return any(kind in SETS_OF_TEXTS for kind in self.steps[-1].types[-1:])

    @property
    def lists(self) -> tuple[tuple[object, ...], ...]:
        """The lists on the way, the outermost first, each by what leads to it."""
        return tuple(
            (self.source, *self.steps[:index], step.name, *step.types[:depth])
            for index, step in enumerate(self.steps)
            for depth, kind in enumerate(step.types, 1)
            if kind == "L"
        )


LEAF_TYPES: Final[Mapping[str, Kind]] = {
    **dict.fromkeys((*SINGLE_TEXTS, *SETS_OF_TEXTS), Kind.TEXT),
    "BOOL": Kind.BOOLEAN,
    "NULL": Kind.TRUE,
}

_MEMBERS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(
        (
            *("eventID", "eventName", "eventVersion", "eventSource", "eventSourceARN"),
            *("awsRegion", "userIdentity.type", "userIdentity.principalId"),
            *("dynamodb.SequenceNumber", "dynamodb.StreamViewType"),
        ),
        Kind.TEXT,
    ),
    "dynamodb.SizeBytes": Kind.NUMBER,
    "dynamodb.ApproximateCreationDateTime": Kind.NUMBER,
}
"""The members of a record as Lambda sees it, besides its images."""

IMAGES: Final = (Source.KEYS, Source.NEW_IMAGE, Source.OLD_IMAGE, Source.ITEM)
"""The sources that hold attributes."""

_half_pair = re.compile("[\ud800-\udfff]").search
"""Half a surrogate pair: JSON can write it, and UTF-8, hence DynamoDB, cannot."""


def place_of(path: str) -> Place | None:
    """Return the place of a path, or None if no record has a leaf there."""
    if path in _MEMBERS:
        return Place(Source.MEMBERS, (Step(path, ()),), _MEMBERS[path])
    if _half_pair(path):
        return None
    for source in IMAGES:
        start = f"{source.value}."
        if path.startswith(start):
            names = path.removeprefix(start).split(".")
            kind = LEAF_TYPES.get(names[-1])
            steps = _steps(names, 0)
            return None if kind is None or steps is None else Place(source, steps, kind)
    return None


def _steps(names: list[str], start: int) -> tuple[Step, ...] | None:
    """Read names from an attribute on. The last one is the type of a leaf."""
    last = len(names) - 1
    for first in range(start + 1, len(names)):
        end = first
        while names[end] == "L" and end < last:
            end += 1
        below = () if end == last else _steps(names, end + 1) if names[end] == "M" else None
        if below is not None:
            return (Step(".".join(names[start:first]), tuple(names[first : end + 1])), *below)
    return None
