"""Compares Nakadi's log with the table's stream. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Coordinate:
    """What identifies a change: its order, and its place among the changes of the stream."""

    key: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts; `lost` are changes without event or dead letter, `unknown` events without change.

    A change that is delivered again is a duplicate anywhere in the log: readers know its eid.
    An event is out of order if it came for the first time after a later one of its key.
    """

    changes: int
    events: int
    dead_letters: int
    lost: tuple[Coordinate, ...]
    duplicated: int
    out_of_order: tuple[Coordinate, ...]
    unknown: tuple[Coordinate, ...]

    @property
    def good(self) -> bool:
        """Whether every change arrived, in order, and nothing else did."""
        return not (self.lost or self.out_of_order or self.unknown)


def judge(
    changes: Collection[Coordinate],
    events: Sequence[Coordinate],
    dead_letters: Collection[Coordinate],
) -> Verdict:
    """Compare changes (in any order) with events in the order in which Nakadi stored them."""
    seen: set[Coordinate] = set()
    latest: dict[str, int] = {}
    out_of_order = []
    for event in events:
        if event in seen:
            continue
        seen.add(event)
        if event.sequence < latest.setdefault(event.key, event.sequence):
            out_of_order.append(event)
        else:
            latest[event.key] = event.sequence
    settled = seen.union(dead_letters)
    written = set(changes)
    return Verdict(
        changes=len(changes),
        events=len(events),
        dead_letters=len(dead_letters),
        lost=tuple(change for change in changes if change not in settled),
        duplicated=len(events) - len(seen),
        out_of_order=tuple(out_of_order),
        unknown=tuple(event for event in events if event not in written),
    )
