"""Compares Nakadi's log with the table's stream. Pure."""

from collections.abc import Collection, Mapping, Sequence
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
        return not self.mistakes

    @property
    def mistakes(self) -> Mapping[str, tuple[Coordinate, ...]]:
        """The mistakes that were made, by the words for them."""
        named = {
            "lost": self.lost,
            "out of order": self.out_of_order,
            "without a change": self.unknown,
        }
        return {name: found for name, found in named.items() if found}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict, the number of the stream's shards, and whether a process failed."""

    verdict: Verdict
    shards: int
    failed: bool

    @property
    def good(self) -> bool:
        """Whether the demo has shown what it is to show."""
        return self.verdict.good and self.verdict.changes > 0 and not self.failed

    @property
    def sentence(self) -> str:
        """The outcome in a sentence."""
        found = [f"{len(each)} {name}" for name, each in self.verdict.mistakes.items()]
        if found or self.failed:
            return "BAD: " + ", ".join([*found, *["a process failed, see above"] * self.failed])
        if not self.verdict.changes:
            return "NO VERDICT: no change was written"
        if self.verdict.dead_letters:
            return "GOOD: every change is in Nakadi, in order per key, or a dead letter"
        return "GOOD: every change is in Nakadi, in order per key, and nothing is lost"


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
