"""Compares Nakadi's log with the table's stream. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Coordinate:
    """What identifies a change: its order, and its place among the changes of the stream."""

    key: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts of one event type, and the mistakes that were made.

    `lost` are changes without event or dead letter, `unknown` events without a change to tell.
    A change that is delivered again is a duplicate anywhere in the log: readers know its eid.
    An event is out of order if it came for the first time after a later one of its key, and
    `mistold` if it tells another operation than the change was for this event type.
    """

    changes: int
    events: int
    dead_letters: int
    lost: tuple[Coordinate, ...]
    duplicated: int
    out_of_order: tuple[Coordinate, ...]
    unknown: tuple[Coordinate, ...]
    mistold: tuple[Coordinate, ...] = ()

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
            "with another operation": self.mistold,
        }
        return {name: found for name, found in named.items() if found}


@dataclass(frozen=True, slots=True)
class Hidden:
    """What no event may show: how many values the table had, and in how many texts one stands."""

    values: int
    shown: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict for each event type, the numbers of all changes and shards, and what went wrong.

    `untold` are the changes of which no event type is told. `hidden` is None where nothing is.
    """

    verdicts: Mapping[str, Verdict]
    changes: int
    shards: int
    failed: bool
    untold: int = 0
    hidden: Hidden | None = None

    @property
    def good(self) -> bool:
        """Whether the demo has shown what it is to show."""
        verdicts = self.verdicts.values()
        kept = self.hidden is None or (self.hidden.values > 0 and not self.hidden.shown)
        told = all(each.changes for each in verdicts)
        return told and kept and not self.failed and all(each.good for each in verdicts)

    @property
    def sentence(self) -> str:
        """The outcome in a sentence."""
        found = [
            f"{len(each)} {name}" + f" in {event_type}" * (len(self.verdicts) > 1)
            for event_type, verdict in self.verdicts.items()
            for name, each in verdict.mistakes.items()
        ]
        if self.hidden is not None and self.hidden.shown:
            found.append(f"{self.hidden.shown} show what is hidden")
        if found or self.failed:
            return "BAD: " + ", ".join([*found, *["a process failed, see above"] * self.failed])
        if not self.good:
            return "NO VERDICT: " + self._unwritten
        where = "in Nakadi" if len(self.verdicts) == 1 else "in each event type that takes it"
        if any(verdict.dead_letters for verdict in self.verdicts.values()):
            return f"GOOD: every change is {where}, in order per key, or a dead letter"
        return f"GOOD: every change is {where}, in order per key, and nothing is lost"

    @property
    def _unwritten(self) -> str:
        """What the workload would have had to write."""
        if not self.changes:
            return "no change was written"
        missing = [name for name, verdict in self.verdicts.items() if not verdict.changes]
        if missing:
            return f"no change of {missing[0]} was written"
        return "nothing that is to be hidden was written"


def judge(
    changes: Collection[Coordinate],
    events: Sequence[Coordinate],
    dead_letters: Collection[Coordinate],
    mistold: Sequence[Coordinate] = (),
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
        mistold=tuple(mistold),
    )


def mistold(
    told: Mapping[Coordinate, str], stored: Iterable[tuple[Coordinate, str]]
) -> list[Coordinate]:
    """Return the events whose operation is not that of their change; others are not asked."""
    return [event for event, tells in stored if told.get(event, tells) != tells]


def hidden(values: Collection[str], texts: Iterable[str]) -> Hidden:
    """Look for values that nobody may see in all that could show them."""
    return Hidden(len(values), sum(any(value in text for value in values) for text in texts))
